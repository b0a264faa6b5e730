package bolt

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// DeleteOldInboundEvents implements store.InboundEvents.
func (s *Store) DeleteOldInboundEvents(ctx context.Context, before time.Time, n int) (int, error) {
	return prune(ctx, s, func(t *txn) ([]webhook.InboundEvent, error) { return t.oldInboundEvents(before, n) }, (*txn).deleteInboundEvent)
}

// oldInboundEvents finds events of which nothing is to be done any more.
func (t *txn) oldInboundEvents(before time.Time, n int) (found []webhook.InboundEvent, err error) {
	c := t.Cursor(inboundBucket)
	for k, v := c.First(); k != nil && len(found) < n; k, v = c.Next() {
		var r webhook.InboundEvent
		if err := boltfile.Decode(k, v, &r); err != nil {
			return nil, err
		}
		if !r.At.Before(before) {
			break // all that follow came later
		}
		if !slices.ContainsFunc(r.Tasks, func(one webhook.InboundTask) bool { return one.State == webhook.Pending }) {
			found = append(found, r)
		}
	}
	return found, nil
}

func (t *txn) deleteInboundEvent(r webhook.InboundEvent) error {
	for _, id := range append(r.Identities(), webhook.BodyIdentity(r.Body)) {
		if !bytes.Equal(t.Get(inboundByIdentityBucket, []byte(id)), boltfile.U64(r.Seq)) {
			continue
		}
		if err := t.Delete(inboundByIdentityBucket, []byte(id)); err != nil {
			return err
		}
	}
	return t.Delete(inboundBucket, boltfile.U64(r.Seq))
}
