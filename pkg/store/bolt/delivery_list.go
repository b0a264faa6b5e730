package bolt

import (
	"bytes"
	"context"
	"iter"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// Deliveries implements store.Deliveries.
func (s *Store) Deliveries(ctx context.Context, f webhook.Filter, n int) ([]webhook.Delivery, error) {
	return readTx(ctx, s, func(t *txn) ([]webhook.Delivery, error) {
		// The deliveries of one endpoint have an index; all others are gone through.
		bucket, prefix := deliveriesBucket, boltfile.U32(f.Institution)
		if f.Endpoint != "" {
			bucket, prefix = deliveryByEndpointBucket, boltfile.UUID(f.Endpoint)
			if t.Get(endpointsBucket, endpointKey(f.Institution, f.Endpoint)) == nil {
				return nil, nil
			}
		}
		var found []webhook.Delivery
		c := t.Bucket(bucket).Cursor()
		last := f.Before - 1 // 0 becomes the greatest number
		k, _ := c.Seek(boltfile.JoinKey(prefix, boltfile.U64(last)))
		if k == nil {
			k, _ = c.Last()
		} else if !bytes.Equal(k, boltfile.JoinKey(prefix, boltfile.U64(last))) {
			k, _ = c.Prev()
		}
		for ; bytes.HasPrefix(k, prefix) && len(found) < n; k, _ = c.Prev() {
			d, err := t.delivery(deliveryKey(f.Institution, boltfile.LastID(k)))
			if err != nil {
				return nil, err
			}
			if !f.From.IsZero() && d.CreatedAt.Before(f.From) {
				break // all that follow are older
			}
			if f.Matches(d) {
				found = append(found, d)
			}
		}
		return found, nil
	})
}

// DeleteOldDeliveries implements store.Deliveries.
func (s *Store) DeleteOldDeliveries(ctx context.Context, before time.Time, n int) (int, error) {
	return prune(ctx, s, func(t *txn) ([]webhook.Delivery, error) { return t.oldDeliveries(before, n) }, (*txn).deleteDelivery)
}

// OldDeliveries implements store.Deliveries.
func (s *Store) OldDeliveries(ctx context.Context, before time.Time) (store.OldRecords, error) {
	return readTx(ctx, s, func(t *txn) (old store.OldRecords, err error) {
		for _, size := range t.endedDeliveries(&old, before, &err) {
			old.Add(size)
		}
		return old, err
	})
}

func (t *txn) oldDeliveries(before time.Time, n int) (found []webhook.Delivery, err error) {
	var old store.OldRecords
	for d := range t.endedDeliveries(&old, before, &err) {
		if len(found) == n {
			break
		}
		found = append(found, d)
	}
	return found, err
}

// endedDeliveries goes through what may be removed of what was made before a moment, institution
// by institution, from the oldest on, with the sizes. It notes the younger ones.
func (t *txn) endedDeliveries(old *store.OldRecords, before time.Time, failure *error) iter.Seq2[webhook.Delivery, int] {
	return func(yield func(webhook.Delivery, int) bool) {
		c := t.Bucket(deliveriesBucket).Cursor()
		for k, v := c.First(); k != nil; {
			d, err := decodeDelivery(k, v)
			if *failure = err; err != nil {
				return
			}
			if !d.CreatedAt.Before(before) {
				old.Later(d.CreatedAt)
				k, v = c.Seek(boltfile.U32(d.Institution + 1))
				continue
			}
			waiting := d.State == webhook.Pending
			if waiting {
				e, err := t.endpoint(d.Institution, d.Endpoint)
				if *failure = err; err != nil {
					return
				}
				waiting = e.Live()
			}
			if !waiting && !yield(d, len(v)) {
				return
			}
			k, v = c.Next()
		}
	}
}

func (t *txn) deleteDelivery(d webhook.Delivery) error {
	key := deliveryKey(d.Institution, d.ID)
	if d.State == webhook.Pending {
		if err := t.Delete(deliveriesDueBucket, deliveryDueKey(d)); err != nil {
			return err
		}
	}
	if err := t.Delete(deliveryByEndpointBucket, boltfile.JoinKey(boltfile.UUID(d.Endpoint), boltfile.U64(d.ID))); err != nil {
		return err
	}
	if err := t.Delete(deliveryByUUIDBucket, boltfile.UUID(d.UUID)); err != nil {
		return err
	}
	if err := t.Delete(deliveryBodiesBucket, key); err != nil {
		return err
	}
	return t.Delete(deliveriesBucket, key)
}
