package bolt

import (
	"bytes"
	"context"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
)

// Backlog implements store.Deliveries. The keys of what is due are gone through, and
// one delivery of each endpoint is read.
func (s *Store) Backlog(ctx context.Context) (store.Backlog, error) {
	return readTx(ctx, s, func(t *txn) (b store.Backlog, err error) {
		all, err := t.endpointsUnder(nil)
		if err != nil {
			return b, err
		}
		for _, e := range all {
			if !e.Live() {
				continue
			}
			// Deliveries are numbered as they are made; what is due first may be younger.
			var first uint64
			prefix := boltfile.UUID(e.ID)
			c := t.Bucket(deliveriesDueBucket).Cursor()
			for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
				if id := boltfile.LastID(k); first == 0 || id < first {
					first = id
				}
				b.Waiting++
			}
			if first == 0 {
				continue
			}
			d, err := t.delivery(deliveryKey(e.Institution, first))
			if err != nil {
				return b, err
			}
			if b.Oldest.IsZero() || d.CreatedAt.Before(b.Oldest) {
				b.Oldest = d.CreatedAt
			}
		}
		return b, nil
	})
}
