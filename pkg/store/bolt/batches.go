package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/index"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

func batchKey(b vault.Batch) []byte {
	return record.Join(record.U32(b.Institution), record.U64(uint64(b.CreatedAt.UnixNano())), []byte(b.ID))
}

// batchID is the key under which an institution's batch is found by its ID, its
// digest or its name, and under which its certificates are counted.
func batchID(institution uint32, id string) []byte {
	return record.Join(record.U32(institution), []byte(id))
}

// OpenBatch implements store.Batches.
func (s *Store) OpenBatch(ctx context.Context, b vault.Batch) (vault.Batch, error) {
	return write(ctx, s, func(t *txn) (vault.Batch, error) {
		if b.Digest != "" {
			if id := t.Get(batchByDigest, batchID(b.Institution, b.Digest)); id != nil {
				return t.reopen(b.Institution, string(id))
			}
		}
		if t.Get(batchByID, batchID(b.Institution, b.ID)) != nil {
			return b, fault.New(fault.Conflict, "the ID drawn for a batch is taken; draw another")
		}
		b = t.named(b)
		return b, t.putBatch(b)
	})
}

// named gives a batch a number behind its name where another bears that.
func (t *txn) named(b vault.Batch) vault.Batch {
	name := b.Name
	for n := 2; t.Get(batchNames, batchID(b.Institution, b.Name)) != nil; n++ {
		b.Name = fmt.Sprintf("%s-%d", name, n)
	}
	return b
}

func (t *txn) putBatch(b vault.Batch) error {
	key := batchKey(b)
	value, err := record.Encode(key, b)
	if err != nil {
		return err
	}
	inst := record.U32(b.Institution)
	entries := []entry{
		{batches, key, value},
		{batchByID, batchID(b.Institution, b.ID), key},
		{batchNames, record.Join(inst, []byte(b.Name)), []byte(b.ID)},
	}
	if b.Digest != "" {
		entries = append(entries, entry{batchByDigest, record.Join(inst, []byte(b.Digest)), []byte(b.ID)})
	}
	return t.putAll(entries)
}

// batch reads one with its counts.
func (t *txn) batch(institution uint32, id string) (vault.Batch, error) {
	var b vault.Batch
	key := t.Get(batchByID, batchID(institution, id))
	if key == nil {
		return b, fault.New(fault.NotFound, "Batch not found.")
	}
	err := record.Decode(key, t.Get(batches, key), &b)
	if err == nil {
		b.Counts, err = t.counts(batchID(institution, id))
	}
	return b, err
}

// FindBatch implements store.Batches.
func (s *Store) FindBatch(ctx context.Context, institution uint32, digest string) (vault.Batch, error) {
	return read(ctx, s, func(t *txn) (vault.Batch, error) {
		return t.batch(institution, string(t.Get(batchByDigest, batchID(institution, digest))))
	})
}

// Batch implements store.Batches.
func (s *Store) Batch(ctx context.Context, institution uint32, id string) (vault.Batch, error) {
	return read(ctx, s, func(t *txn) (vault.Batch, error) { return t.batch(institution, id) })
}

// Batches implements store.Batches.
func (s *Store) Batches(ctx context.Context, institution uint32, page, perPage int) (found []vault.Batch, total int, err error) {
	found, err = read(ctx, s, func(t *txn) (found []vault.Batch, err error) {
		prefix := record.U32(institution)
		c, skip := t.Bucket(batches).Cursor(), index.Skipped(page, perPage)
		for k := tree.SeekLast(c, prefix); bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
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
