package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Change implements store.Certificates.
func (s *Store) Change(ctx context.Context, institution uint32, name string, change store.Change) (vault.Certificate, error) {
	return writeTx(ctx, s, func(t *txn) (vault.Certificate, error) {
		old, err := t.findCertificate(institution, name)
		if err != nil {
			return old, err
		}
		return t.change(old, change)
	})
}

// change applies a transition and commits the result with its effects.
func (t *txn) change(old vault.Certificate, change store.Change) (vault.Certificate, error) {
	c, fx, err := change(old)
	if err != nil {
		return old, err
	}
	if err := t.checkKey(old, c); err != nil {
		return old, err
	}
	if err := t.moveShareToken(old, c); err != nil {
		return old, err
	}
	if c, err = t.assignOwner(old, c); err != nil {
		return old, err
	}
	t.about.noteCertificate(old)
	if err := t.putCertificate(c); err != nil {
		return old, err
	}
	if err := t.noteRevocation(old, c); err != nil {
		return old, err
	}
	t.moveStatus(old, c)
	if err := t.moveApplication(old, c); err != nil {
		return old, err
	}
	if v := c.Verified; v != nil && v.Document.SHA256 != c.File.SHA256 {
		if err := t.addDocumentRef(v.Document.SHA256, c); err != nil {
			return old, err
		}
	}
	if err := t.moveVerified(old, c); err != nil {
		return old, err
	}
	return c, t.applyEffects(c, fx)
}
