package bolt

import (
	"context"
	"encoding/hex"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store"
)

// Snapshot implements store.Maintenance. What writers free while the function runs is not
// used again until it returns. The copy has nothing of what was deleted.
func (s *Store) Snapshot(ctx context.Context, fn func(store.Snapshot) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.file.View(func(tx *bbolt.Tx) error {
		live, err := s.file.LivePages(tx)
		if err != nil {
			return err
		}
		return fn(store.Snapshot{WriterTo: live, Size: tx.Size(), Blobs: referencedBlobs(tx)})
	})
}

// referencedBlobs lists the contents that the records of a store need.
func referencedBlobs(tx *bbolt.Tx) []string {
	var all []string
	for _, index := range [][]byte{certificateByBlobBucket, uploadBlobsBucket, unconfirmedBlobsBucket} {
		const sumLength = 64
		last := ""
		c := tx.Bucket(index).Cursor()
		for key, _ := c.First(); key != nil; key, _ = c.Next() {
			if len(key) < sumLength || string(key[:sumLength]) == last {
				continue
			}
			if _, err := hex.DecodeString(string(key[:sumLength])); err != nil {
				continue
			}
			last = string(key[:sumLength])
			all = append(all, last)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
