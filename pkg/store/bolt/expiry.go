package bolt

import (
	"context"
	"time"
)

// DeleteExpired implements store.Uploads.
func (s *Store) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	total := 0
	for _, remove := range []func(context.Context, time.Time) (int, error){
		s.deleteExpiredUploads, s.deleteExpiredLinks, s.deleteExpiredUnconfirmed,
	} {
		n, err := remove(ctx, now)
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}
