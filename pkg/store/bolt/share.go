package bolt

import (
	"context"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault"
)

// shareTaken tells whether a certificate has a token already.
func (t *txn) shareTaken(token string) bool {
	return token != "" && t.Get(byShare, []byte(token)) != nil
}

// moveShare follows a certificate whose view-and-share page got another address.
func (t *txn) moveShare(old, c vault.Certificate) error {
	if c.ShareToken == old.ShareToken {
		return nil
	}
	if t.shareTaken(c.ShareToken) {
		return fault.New(fault.Conflict, "the share token drawn for a certificate is taken; draw another")
	}
	if old.ShareToken != "" {
		if err := t.Delete(byShare, []byte(old.ShareToken)); err != nil {
			return err
		}
	}
	if c.ShareToken == "" {
		return nil
	}
	return t.Put(byShare, []byte(c.ShareToken), record.U64(c.ID))
}

// Shared implements store.Certificates.
func (s *Store) Shared(ctx context.Context, token string) (vault.Certificate, error) {
	return read(ctx, s, func(t *txn) (vault.Certificate, error) {
		if token == "" {
			return vault.Certificate{}, noCertificate()
		}
		return known(t.lookup(byShare, []byte(token), func(c vault.Certificate) bool { return c.ShareToken == token }))
	})
}

// Referred implements store.Certificates.
func (s *Store) Referred(ctx context.Context, reference string) (vault.Certificate, error) {
	return read(ctx, s, func(t *txn) (vault.Certificate, error) {
		if !vault.IsReference(reference) {
			return vault.Certificate{}, noCertificate()
		}
		return known(t.lookup(byReference, []byte(strings.ToUpper(reference)),
			func(c vault.Certificate) bool { return strings.EqualFold(c.Reference, reference) }))
	})
}

// known is what a lookup gave, or that there is none.
func known(c *vault.Certificate, err error) (vault.Certificate, error) {
	switch {
	case err != nil:
		return vault.Certificate{}, err
	case c == nil:
		return vault.Certificate{}, noCertificate()
	}
	return *c, nil
}

func noCertificate() error { return fault.New(fault.NotFound, "Certificate not found.") }
