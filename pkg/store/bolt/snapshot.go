package bolt

import (
	"context"
	"encoding/hex"
	"io"

	"go.etcd.io/bbolt"
)

// Snapshot is a store as it was at one moment.
type Snapshot struct {
	Schema uint64
	Size   int64 // of the file, in bytes
	tx     *bbolt.Tx
}

// Snapshot hands the store as it is now to a function, for as long as that runs.
// Writers go on meanwhile, but what they free is not used again until it ends.
func (s *Store) Snapshot(ctx context.Context, fn func(*Snapshot) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.file.View(func(tx *bbolt.Tx) error {
		return fn(&Snapshot{Schema: schemaVersion, Size: tx.Size(), tx: tx})
	})
}

// WriteTo writes the store's file, Size bytes long.
func (s *Snapshot) WriteTo(w io.Writer) (int64, error) { return s.tx.WriteTo(w) }

// Blobs are the contents that certificates, uploads and waiting applications need, in order.
func (s *Snapshot) Blobs() []string {
	var all []string
	for _, index := range [][]byte{documentIndex(), uploadBlobIndex(), unconfirmedBlobIndex()} {
		const sumLength = 64
		last := ""
		c := s.tx.Bucket(index).Cursor()
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
	return all
}
