package delivery

import (
	"bytes"
	"context"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
)

// Backlog implements store.Deliveries. The keys of what is due are gone through, and
// one delivery of each endpoint is read.
func (s *Register) Backlog(ctx context.Context) (store.Backlog, error) {
	return tree.Run(ctx, s.read, func(t *Tx) (b store.Backlog, err error) {
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
			prefix := record.UUID(e.ID)
			c := t.Bucket(deliveryDue).Cursor()
			for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
				if id := record.TailID(k); first == 0 || id < first {
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
