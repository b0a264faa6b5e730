package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/store/bolt/search"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The buckets; schema.go draws all.
var (
	batchesBucket       = []byte("batches")
	batchByIDBucket     = []byte("batch_by_id")
	batchByDigestBucket = []byte("batch_by_digest")
	batchNamesBucket    = []byte("batch_names")
)

// batchBuckets returns the buckets above, for the schema.
func batchBuckets() [][]byte {
	return [][]byte{batchesBucket, batchByIDBucket, batchByDigestBucket, batchNamesBucket}
}

func batchKey(b vault.Batch) []byte {
	return boltfile.JoinKey(boltfile.U32(b.Institution), boltfile.U64(uint64(b.CreatedAt.UnixNano())), []byte(b.ID))
}

// batchNameKey is the key under which an institution's batch is found by its ID, its
// digest or its name.
func batchNameKey(institution uint32, name string) []byte {
	return boltfile.JoinKey(boltfile.U32(institution), []byte(name))
}

// OpenBatch implements store.Batches.
func (s *Store) OpenBatch(ctx context.Context, b vault.Batch) (vault.Batch, error) {
	return writeTx(ctx, s, func(t *txn) (vault.Batch, error) {
		if b.Digest != "" {
			if id := t.Get(batchByDigestBucket, batchNameKey(b.Institution, b.Digest)); id != nil {
				return t.reopenBatch(b.Institution, string(id))
			}
		}
		return t.addBatch(b)
	})
}

// addBatch keeps a new batch. Where another has its name, a number is appended.
func (t *txn) addBatch(b vault.Batch) (vault.Batch, error) {
	t.about.note(b.Institution, "batch "+b.ID, "")
	id := batchNameKey(b.Institution, b.ID)
	if t.Get(batchByIDBucket, id) != nil {
		return b, fault.New(fault.Conflict, "the ID drawn for a batch is taken; draw another")
	}
	name := b.Name
	for n := 2; t.Get(batchNamesBucket, batchNameKey(b.Institution, b.Name)) != nil; n++ {
		b.Name = fmt.Sprintf("%s-%d", name, n)
	}
	t.batches = append(t.batches, string(id))
	if err := t.PutRecord(batchesBucket, batchKey(b), b); err != nil {
		return b, err
	}
	if err := t.Put(batchByIDBucket, id, batchKey(b)); err != nil {
		return b, err
	}
	if err := t.Put(batchNamesBucket, batchNameKey(b.Institution, b.Name), []byte(b.ID)); err != nil || b.Digest == "" {
		return b, err
	}
	return b, t.Put(batchByDigestBucket, batchNameKey(b.Institution, b.Digest), []byte(b.ID))
}

// putBatch writes a batch that exists.
func (t *txn) putBatch(b vault.Batch) error {
	delete(t.paused, b.ID)
	t.batches = append(t.batches, string(batchNameKey(b.Institution, b.ID)))
	return t.PutRecord(batchesBucket, batchKey(b), b)
}

func (t *txn) reopenBatch(institution uint32, id string) (vault.Batch, error) {
	t.about.note(institution, "batch "+id, "")
	b, err := t.batch(institution, id)
	if err != nil || !b.Cancelled() {
		return b, err
	}
	b = b.Reopen()
	return b, t.putBatch(b)
}

// batchPaused reports whether a batch is paused; one that does not exist is not.
func (t *txn) batchPaused(institution uint32, id string) (bool, error) {
	if known, ok := t.paused[id]; ok {
		return known, nil
	}
	b, err := t.batch(institution, id)
	if fault.Is(err, fault.NotFound) {
		err = nil
	}
	if t.paused == nil {
		t.paused = map[string]bool{}
	}
	t.paused[id] = b.Paused()
	return b.Paused(), err
}

// batch reads one with its counts; NotFound when there is none.
func (t *txn) batch(institution uint32, id string) (vault.Batch, error) {
	var b vault.Batch
	key := t.Get(batchByIDBucket, batchNameKey(institution, id))
	if key == nil {
		return b, fault.New(fault.NotFound, "Batch not found.")
	}
	err := boltfile.Decode(key, t.Get(batchesBucket, key), &b)
	if err == nil {
		b.Counts, err = t.counts(institution, id)
	}
	return b, err
}

// FindBatch implements store.Batches.
func (s *Store) FindBatch(ctx context.Context, institution uint32, digest string) (vault.Batch, error) {
	return readTx(ctx, s, func(t *txn) (vault.Batch, error) {
		return t.batch(institution, string(t.Get(batchByDigestBucket, batchNameKey(institution, digest))))
	})
}

// Batch implements store.Batches.
func (s *Store) Batch(ctx context.Context, institution uint32, id string) (vault.Batch, error) {
	return readTx(ctx, s, func(t *txn) (vault.Batch, error) { return t.batch(institution, id) })
}

// Batches implements store.Batches.
func (s *Store) Batches(ctx context.Context, institution uint32, page, perPage int) (found []vault.Batch, total int, err error) {
	found, err = readTx(ctx, s, func(t *txn) (found []vault.Batch, err error) {
		prefix := boltfile.U32(institution)
		c, skip := t.Cursor(batchesBucket), search.Offset(page, perPage)
		for k := boltfile.SeekLast(c, prefix); bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
			if total++; total <= skip || len(found) == perPage {
				continue
			}
			b, err := t.batch(institution, string(k[12:]))
			if err != nil {
				return nil, err
			}
			found = append(found, b)
		}
		return found, nil
	})
	return found, total, err
}
