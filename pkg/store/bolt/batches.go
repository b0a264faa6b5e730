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

// batchID is the key under which a batch is found and its certificates are counted.
func batchID(institution uint32, id string) []byte { return join(u32(institution), []byte(id)) }

// OpenBatch implements store.Batches.
func (s *Store) OpenBatch(ctx context.Context, b vault.Batch) (vault.Batch, error) {
	kept := b
	err := s.write(ctx, func(t *txn) error {
		if b.Digest != "" {
			if id := t.get(batchByDigest, join(u32(b.Institution), []byte(b.Digest))); id != nil {
				found, err := t.batch(b.Institution, string(id))
				kept = found
				return err
			}
		}
		if t.get(batchByID, batchID(b.Institution, b.ID)) != nil {
			return fault.New(fault.Conflict, "the ID drawn for a batch is taken; draw another")
		}
		for n := 2; t.get(batchNames, join(u32(b.Institution), []byte(kept.Name))) != nil; n++ {
			kept.Name = fmt.Sprintf("%s-%d", b.Name, n)
		}
		return t.putBatch(kept)
	})
	if err != nil {
		return vault.Batch{}, err
	}
	return kept, nil
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
func (s *Store) FindBatch(ctx context.Context, institution uint32, digest string) (b vault.Batch, err error) {
	err = s.read(ctx, func(t *txn) error {
		id := t.get(batchByDigest, join(u32(institution), []byte(digest)))
		if id == nil {
			return fault.New(fault.NotFound, "Batch not found.")
		}
		b, err = t.batch(institution, string(id))
		return err
	})
	return b, err
}

// Batch implements store.Batches.
func (s *Store) Batch(ctx context.Context, institution uint32, id string) (b vault.Batch, err error) {
	err = s.read(ctx, func(t *txn) error {
		b, err = t.batch(institution, id)
		return err
	})
	return b, err
}

// Batches implements store.Batches.
func (s *Store) Batches(ctx context.Context, institution uint32, page, perPage int) (found []vault.Batch, total int, err error) {
	err = s.read(ctx, func(t *txn) error {
		prefix := u32(institution)
		c, skip := t.bucket(batches).Cursor(), skipped(page, perPage)
		for k := seekLast(c, prefix); bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
			if total++; total <= skip || len(found) == perPage {
				continue
			}
			b, err := t.batch(institution, string(k[12:]))
			if err != nil {
				return err
			}
			found = append(found, b)
		}
		return nil
	})
	return found, total, err
}
