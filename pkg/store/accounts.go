package store

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Accounts are the operations on recipients' accounts, their magic links and their
// sessions. A certificate whose address has an account is assigned to it in the
// transaction that approves it or changes its address.
type Accounts interface {
	// AccountByEmail finds the account of an address, compared folded; NotFound when
	// the address has none.
	AccountByEmail(ctx context.Context, email string) (vault.Account, error)
	// AddMagicLink keeps a link; a hash that is taken is a Conflict.
	AddMagicLink(ctx context.Context, s vault.MagicLink) error
	// MagicLink finds a link by its hash; NotFound when it is used up or not usable
	// any more.
	MagicLink(ctx context.Context, hash string, now time.Time) (vault.MagicLink, error)
	// RedeemMagicLink uses a link up, all in one transaction: fresh, with the link's
	// address, becomes that address's account unless it has one, all that was issued to
	// the address in any institution is assigned to it, and the session begins.
	// It returns the account and how many certificates were assigned; NotFound as
	// with MagicLink.
	RedeemMagicLink(ctx context.Context, hash string, fresh vault.Account, begin vault.Session, now time.Time) (vault.Account, int, error)
	// SessionAccount finds the account of a session by its hash; NotFound when there
	// is none or it is over.
	SessionAccount(ctx context.Context, hash string, now time.Time) (vault.Account, error)
	// EndSession removes a session; one that does not exist is no error.
	EndSession(ctx context.Context, hash string) error
	// OwnedBy returns page number page (from 1) of the certificates that are assigned
	// to an account.
	OwnedBy(ctx context.Context, account string, page, perPage int) (Page, error)
	// EraseAccount removes the account of an address, its sessions and links, and the
	// assignment of its certificates; one that does not exist is no error.
	EraseAccount(ctx context.Context, email string) error
}
