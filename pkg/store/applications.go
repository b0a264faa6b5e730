package store

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Applications is what is asked of a store about what people apply for. An
// application that counts is a certificate, found, listed and changed as every other
// is; a change that ends one moves or frees its uniqueness key (vault.Certificate.Key),
// and a key that another holds then is Invalid.
type Applications interface {
	// AddUnconfirmed keeps an application whose address is not proven yet, and the mail
	// that asks for the proof. When enough of its address wait (vault.MaxUnconfirmedPerAddress),
	// it is Illegal; when too many of all do (vault.MaxUnconfirmed), Unavailable.
	AddUnconfirmed(ctx context.Context, w vault.UnconfirmedApplication, m vault.Mail) error
	// Unconfirmed finds one by its hash; NotFound when it was used or is not usable any
	// more.
	Unconfirmed(ctx context.Context, hash string, now time.Time) (vault.UnconfirmedApplication, error)
	// Submit keeps an application that counts, with its effects. A hash that is not
	// empty names the waiting one that it was until now; that is used up in the same
	// transaction, NotFound when it is not there. When the address has one for the
	// same title open, it is Illegal; when it has too many (vault.MaxOpenApplications)
	// open, Unavailable; an identity that is taken is a Conflict.
	Submit(ctx context.Context, a NewCertificate, hash string, now time.Time) (vault.Certificate, error)
}
