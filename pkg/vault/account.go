package vault

import (
	"io"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Account belongs to the person who has proven to receive the mail of an address.
// Everything issued to the address is assigned to it. There is no password.
type Account struct {
	ID       string    `json:"id"`    // UUID
	Email    string    `json:"email"` // folded
	ProvenAt time.Time `json:"proven_at"`
}

// NewAccount draws the account of a proven address.
func NewAccount(random io.Reader, email string, now time.Time) (Account, error) {
	id, err := NewUUID(random, now)
	return Account{ID: id, Email: FoldEmail(email), ProvenAt: now}, err
}

// How long a sign-in link and a session last.
const (
	magicLinkTTL = 30 * time.Minute
	SessionTTL   = 30 * 24 * time.Hour
)

// MagicLink is a link that was sent to an address: the person who follows it has proven
// the address. It serves once; its secret is in the mail alone.
type MagicLink struct {
	Hash      string    `json:"hash"` // of the secret, see HashSecret
	Email     string    `json:"email"`
	CreatedAt time.Time `json:"created_at"`
}

// NewMagicLink makes a link's record and its secret.
func NewMagicLink(random io.Reader, email string, now time.Time) (MagicLink, string, error) {
	secret, err := newSecret(random)
	if err != nil {
		return MagicLink{}, "", err
	}
	return MagicLink{Hash: HashSecret(secret), Email: FoldEmail(email), CreatedAt: now}, secret, nil
}

// Usable reports whether the link may still be followed.
func (s MagicLink) Usable(now time.Time) bool { return now.Before(s.CreatedAt.Add(magicLinkTTL)) }

// Session lets a browser see an account's pages. Its secret is in the browser's
// cookie alone.
type Session struct {
	Hash      string    `json:"hash"` // of the secret, see HashSecret
	Account   string    `json:"account"`
	CreatedAt time.Time `json:"created_at"`
}

// NewSession makes a session, of no account yet, and its secret.
func NewSession(random io.Reader, now time.Time) (Session, string, error) {
	secret, err := newSecret(random)
	if err != nil {
		return Session{}, "", err
	}
	return Session{Hash: HashSecret(secret), CreatedAt: now}, secret, nil
}

// Usable reports whether the session still lasts.
func (s Session) Usable(now time.Time) bool { return now.Before(s.CreatedAt.Add(SessionTTL)) }

// Assignment is whose certificate it is, and since when.
type Assignment struct {
	Account string    `json:"account"` // UUID
	At      time.Time `json:"at"`
}

// Assign gives an issued certificate to the account of its address, or to
// nobody, when that is nil.
func (c Certificate) Assign(to *Account, now time.Time) (Certificate, error) {
	switch {
	case to == nil:
		c.Assignment = nil
		return c, nil
	case c.Status != Approved && c.Status != Revoked:
		return c, fault.Newf(fault.Illegal, "certificate %s is %s; it is assigned when it is issued", c.Reference, c.Status)
	case to.Email != FoldEmail(c.Email):
		return c, fault.Newf(fault.Illegal, "certificate %s was issued to another address", c.Reference)
	case c.Owner() == to.ID:
		return c, nil
	}
	c.Assignment, c.UpdatedAt = &Assignment{Account: to.ID, At: now}, now
	return c, nil
}

// Owner is the account to which the certificate is assigned, "" for none.
func (c Certificate) Owner() string {
	if c.Assignment == nil {
		return ""
	}
	return c.Assignment.Account
}
