package bolt

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// DeleteOldInboundEvents implements store.InboundEvents.
func (s *Store) DeleteOldInboundEvents(ctx context.Context, before time.Time, n int) (int, error) {
	return prune(ctx, s, func(t *txn) ([]webhook.InboundEvent, error) { return t.oldInboundEvents(before, n) }, (*txn).deleteInboundEvent)
}

// OldInboundEvents implements store.InboundEvents.
func (s *Store) OldInboundEvents(ctx context.Context, before time.Time) (store.OldRecords, error) {
	return readTx(ctx, s, func(t *txn) (old store.OldRecords, err error) {
		for _, size := range t.endedInboundEvents(&old, before, &err) {
			old.Add(size)
		}
		return old, err
	})
}

func (t *txn) oldInboundEvents(before time.Time, n int) (found []webhook.InboundEvent, err error) {
	var old store.OldRecords
	for r := range t.endedInboundEvents(&old, before, &err) {
		if len(found) == n {
			break
		}
		found = append(found, r)
	}
	return found, err
}

// endedInboundEvents goes through the events of which nothing is to be done any more and that came
// before a moment, from the oldest on, with their sizes, and notes the first younger one.
func (t *txn) endedInboundEvents(old *store.OldRecords, before time.Time, failure *error) iter.Seq2[webhook.InboundEvent, int] {
	return func(yield func(webhook.InboundEvent, int) bool) {
		c := t.Cursor(inboundBucket)
		for k, v := c.First(); k != nil; k, v = c.Next() {
			var r webhook.InboundEvent
			if *failure = boltfile.Decode(k, v, &r); *failure != nil {
				return
			}
			if !r.At.Before(before) {
				old.Later(r.At)
				return // all that follow came later
			}
			pending := slices.ContainsFunc(r.Tasks, func(one webhook.InboundTask) bool { return one.State == webhook.Pending })
			if !pending && !yield(r, len(v)) {
				return
			}
		}
	}
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
