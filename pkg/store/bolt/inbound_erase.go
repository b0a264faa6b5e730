package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// EraseInboundEvents implements store.InboundEvents. The events stay, with their identities,
// so that one that is sent again is known.
func (s *Store) EraseInboundEvents(ctx context.Context, email string) (int, error) {
	return writeTx(ctx, s, func(t *txn) (int, error) {
		about, err := t.inboundEventsAbout(vault.FoldEmail(email))
		if err != nil {
			return 0, err
		}
		for _, r := range about {
			if err := t.eraseInboundEvent(r); err != nil {
				return 0, err
			}
		}
		return len(about), nil
	})
}

// inboundEventsAbout finds the events whose content names an address.
func (t *txn) inboundEventsAbout(folded string) (found []webhook.InboundEvent, err error) {
	if folded == "" {
		return nil, nil
	}
	c := t.Cursor(inboundBucket)
	for k, v := c.First(); k != nil; k, v = c.Next() {
		var r webhook.InboundEvent
		if err := boltfile.Decode(k, v, &r); err != nil {
			return nil, err
		}
		if r.Names(folded) {
			found = append(found, r)
		}
	}
	return found, nil
}

func (t *txn) eraseInboundEvent(r webhook.InboundEvent) error {
	for i, task := range r.Tasks {
		if task.State != webhook.Pending {
			continue
		}
		if err := t.Delete(inboundDueBucket, taskDueKey(r.Seq, i, task.RunAt)); err != nil {
			return err
		}
		r.Tasks[i].State = webhook.GivenUp
	}
	r.Body, r.Headers = []byte(`{"erased":true}`), nil
	return t.PutRecord(inboundBucket, boltfile.U64(r.Seq), r)
}

// KnowsAddress implements store.Certificates.
func (s *Store) KnowsAddress(ctx context.Context, institution uint32, email string) (bool, error) {
	folded := vault.FoldEmail(email)
	return readTx(ctx, s, func(t *txn) (bool, error) {
		waiting, err := t.unconfirmedOf(institution, email)
		if err != nil || len(waiting) > 0 {
			return len(waiting) > 0, err
		}
		c := t.Cursor(mailsBucket)
		for k, v := c.First(); k != nil; k, v = c.Next() {
			var m vault.Mail
			if err := boltfile.Decode(k, v, &m); err != nil {
				return false, err
			}
			if m.Institution == institution && (vault.FoldEmail(m.To) == folded || vault.FoldEmail(m.From) == folded) {
				return true, nil
			}
		}
		return false, nil
	})
}
