package store

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Applications are the operations on applications for certificates. An application
// whose address is proven is a certificate: it is found, listed and changed as every
// other is. A change that ends one moves or frees its uniqueness key
// (vault.Certificate.Key); where another certificate holds the key, the change is Invalid.
type Applications interface {
	// AddUnconfirmed keeps an application whose address is not proven yet, and the mail
	// that asks for the proof. When enough of its address wait (vault.MaxUnconfirmedPerAddress),
	// it is Illegal; when too many of all do (vault.MaxUnconfirmed), Unavailable.
	AddUnconfirmed(ctx context.Context, w vault.UnconfirmedApplication, m vault.Mail) error
	// Unconfirmed finds one by its hash; NotFound when it was used or is not usable any
	// more.
	Unconfirmed(ctx context.Context, hash string, now time.Time) (vault.UnconfirmedApplication, error)
	// UnconfirmedOf lists an institution's applications of an address, compared folded, that
	// wait for its proof.
	UnconfirmedOf(ctx context.Context, institution uint32, email string) ([]vault.UnconfirmedApplication, error)
	// Submit keeps an application whose address is proven, with its effects. A hash that
	// is not empty names the unconfirmed one that it was until now; that is used up in the
	// same transaction, NotFound when it does not exist. When the address has one for the
	// same title open, it is Illegal; when it has too many (vault.MaxOpenApplications)
	// open, Unavailable; an identity that is taken is a Conflict.
	Submit(ctx context.Context, a NewCertificate, hash string, now time.Time) (vault.Certificate, error)
}
