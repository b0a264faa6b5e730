// Package bolt is the embedded store: one bbolt file, owned by one process. Each noun
// has files of its own with its buckets, the methods of Store that package store asks for,
// and the methods of a transaction below them; schema.go draws all buckets.
package bolt

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/groupcommit"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/store/bolt/search"
)

// Store is the bbolt store. It implements store.Store.
type Store struct {
	file       *boltfile.File
	index      search.Index
	queue      *groupcommit.Queue[*txn]
	versions   versions
	tokenCache tokenCache
	outcomes   outcomeCache
	nextLane   atomic.Uint32 // the lane that is claimed from first, counting up
	latest     latestTime
}

var _ store.Store = (*Store)(nil)

// Open opens or makes the file. It waits at most wait for another process to
// release it; then the error's kind is Locked.
func Open(path string, wait time.Duration) (*Store, error) {
	totals := map[string]uint64{}
	f, err := boltfile.Open(path, wait, sumBuckets(checksummedBuckets(), totals)...)
	if err != nil {
		return nil, err
	}
	s := &Store{file: f, versions: versions{seed: maphash.MakeSeed()}}
	s.queue = groupcommit.New(s.commit)
	if err := prepareSchema(f, path, ownCertificateBuckets(), totals); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Rows implements store.RowTables. Each table is a bucket beside the store's own.
func (s *Store) Rows(tables ...string) (store.Rows, error) {
	own := ownCertificateBuckets().allBuckets()
	names := make([][]byte, len(tables))
	for i, table := range tables {
		names[i] = []byte(table)
		if slices.ContainsFunc(own, func(bucket []byte) bool { return string(bucket) == table }) {
			return nil, fault.Newf(fault.Invalid, "the database uses the table %s itself; choose another name", table)
		}
	}
	return rowTables{s}, createMissingBuckets(s.file, names)
}

// WaitFailure implements store.Maintenance.
func (s *Store) WaitFailure(ctx context.Context) error { return s.file.WaitFailure(ctx) }

// Close implements store.Maintenance.
func (s *Store) Close() error { return s.file.Close() }

// Compact implements store.Maintenance.
func (s *Store) Compact() error { return s.file.Compact() }

// Wipe implements store.Maintenance.
func (s *Store) Wipe(ctx context.Context) error { return s.file.WipeFree(ctx) }

// Size implements store.Maintenance: the file's length in bytes.
func (s *Store) Size() int64 { return s.file.Size() }
