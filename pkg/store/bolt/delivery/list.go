package delivery

import (
	"bytes"
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

// Deliveries implements store.Deliveries.
func (s *Register) Deliveries(ctx context.Context, f hook.Filter, n int) ([]hook.Delivery, error) {
	return tree.Run(ctx, s.read, func(t *Tx) ([]hook.Delivery, error) {
		// The deliveries of one endpoint have an index; all others are gone through.
		bucket, prefix := deliveries, record.U32(f.Institution)
		if f.Endpoint != "" {
			bucket, prefix = deliveryByEnd, record.UUID(f.Endpoint)
			if t.Get(endpoints, endpointKey(f.Institution, f.Endpoint)) == nil {
				return nil, nil
			}
		}
		var found []hook.Delivery
		c := t.Bucket(bucket).Cursor()
		last := f.Before - 1 // 0 becomes the greatest number
		k, _ := c.Seek(record.Join(prefix, record.U64(last)))
		if k == nil {
			k, _ = c.Last()
		} else if !bytes.Equal(k, record.Join(prefix, record.U64(last))) {
			k, _ = c.Prev()
		}
		for ; bytes.HasPrefix(k, prefix) && len(found) < n; k, _ = c.Prev() {
			d, err := t.delivery(deliveryKey(f.Institution, record.TailID(k)))
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

// ForgetDeliveries implements store.Deliveries.
func (s *Register) ForgetDeliveries(ctx context.Context, before time.Time, n int) (int, error) {
	return tree.Forget(ctx, s.read, s.write, func(t *Tx) ([]hook.Delivery, error) { return t.oldDeliveries(before, n) }, (*Tx).dropDelivery)
}

// oldDeliveries finds what may be forgotten, institution by institution, from the
// oldest on.
func (t *Tx) oldDeliveries(before time.Time, n int) (old []hook.Delivery, err error) {
	c := t.Bucket(deliveries).Cursor()
	for k, v := c.First(); k != nil && len(old) < n; {
		d, err := unpackDelivery(k, v)
		if err != nil {
			return nil, err
		}
		if !d.CreatedAt.Before(before) {
			k, v = c.Seek(record.U32(d.Institution + 1))
			continue
		}
		waiting := d.State == hook.Pending
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

func (t *Tx) dropDelivery(d hook.Delivery) error {
	key := deliveryKey(d.Institution, d.ID)
	if d.State == hook.Pending {
		if err := t.Delete(deliveryDue, deliveryDueKey(d)); err != nil {
			return err
		}
	}
	if err := t.Delete(deliveryByEnd, record.Join(record.UUID(d.Endpoint), record.U64(d.ID))); err != nil {
		return err
	}
	if err := t.Delete(deliveryByUUID, record.UUID(d.UUID)); err != nil {
		return err
	}
	if err := t.Delete(deliveryBodies, key); err != nil {
		return err
	}
	return t.Delete(deliveries, key)
}
