package bolt

import (
	"bytes"
	"context"
	"time"

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

// oldDeliveries finds what may be removed, institution by institution, from the
// oldest on.
func (t *txn) oldDeliveries(before time.Time, n int) (old []webhook.Delivery, err error) {
	c := t.Bucket(deliveriesBucket).Cursor()
	for k, v := c.First(); k != nil && len(old) < n; {
		d, err := decodeDelivery(k, v)
		if err != nil {
			return nil, err
		}
		if !d.CreatedAt.Before(before) {
			k, v = c.Seek(boltfile.U32(d.Institution + 1))
			continue
		}
		waiting := d.State == webhook.Pending
		if waiting {
			e, err := t.endpoint(d.Institution, d.Endpoint)
			if err != nil {
				return nil, err
			}
			waiting = e.Live()
		}
		if !waiting {
			old = append(old, d)
		}
		k, v = c.Next()
	}
	return old, nil
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
