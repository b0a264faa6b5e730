package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

func batchKey(b vault.Batch) []byte {
	return join(u32(b.Institution), u64(uint64(b.CreatedAt.UnixNano())), []byte(b.ID))
}

// batchID is the key under which an institution's batch is found by its ID, its
// digest or its name, and under which its certificates are counted.
func batchID(institution uint32, id string) []byte { return join(u32(institution), []byte(id)) }

// OpenBatch implements store.Batches.
func (s *Store) OpenBatch(ctx context.Context, b vault.Batch) (vault.Batch, error) {
	return write(ctx, s, func(t *txn) (vault.Batch, error) {
		if b.Digest != "" {
			if id := t.get(batchByDigest, batchID(b.Institution, b.Digest)); id != nil {
				return t.reopen(b.Institution, string(id))
			}
		}
		if t.get(batchByID, batchID(b.Institution, b.ID)) != nil {
			return b, fault.New(fault.Conflict, "the ID drawn for a batch is taken; draw another")
		}
		b = t.named(b)
		return b, t.putBatch(b)
	})
}

// named gives a batch a number behind its name where another bears that.
func (t *txn) named(b vault.Batch) vault.Batch {
	name := b.Name
	for n := 2; t.get(batchNames, batchID(b.Institution, b.Name)) != nil; n++ {
		b.Name = fmt.Sprintf("%s-%d", name, n)
	}
	return b
}

func (t *txn) putBatch(b vault.Batch) error {
	key := batchKey(b)
	value, err := encode(key, b)
	if err != nil {
		return err
	}
	inst := u32(b.Institution)
	entries := []entry{
		{batches, key, value},
		{batchByID, batchID(b.Institution, b.ID), key},
		{batchNames, join(inst, []byte(b.Name)), []byte(b.ID)},
	}
	if b.Digest != "" {
		entries = append(entries, entry{batchByDigest, join(inst, []byte(b.Digest)), []byte(b.ID)})
	}
	return t.putAll(entries)
}

// batch reads one with its counts.
func (t *txn) batch(institution uint32, id string) (vault.Batch, error) {
	var b vault.Batch
	key := t.get(batchByID, batchID(institution, id))
	if key == nil {
		return b, fault.New(fault.NotFound, "Batch not found.")
	}
	err := decode(key, t.get(batches, key), &b)
	if err == nil {
		b.Counts, err = t.counts(batchID(institution, id))
	}
	return b, err
}

// FindBatch implements store.Batches.
func (s *Store) FindBatch(ctx context.Context, institution uint32, digest string) (vault.Batch, error) {
	return read(ctx, s, func(t *txn) (vault.Batch, error) {
		return t.batch(institution, string(t.get(batchByDigest, batchID(institution, digest))))
	})
}

// Batch implements store.Batches.
func (s *Store) Batch(ctx context.Context, institution uint32, id string) (vault.Batch, error) {
	return read(ctx, s, func(t *txn) (vault.Batch, error) { return t.batch(institution, id) })
}

// Batches implements store.Batches.
func (s *Store) Batches(ctx context.Context, institution uint32, page, perPage int) (found []vault.Batch, total int, err error) {
	found, err = read(ctx, s, func(t *txn) (found []vault.Batch, err error) {
		prefix := u32(institution)
		c, skip := t.bucket(batches).Cursor(), skipped(page, perPage)
		for k := seekLast(c, prefix); bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
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
