// Package batch keeps the batches in which certificates are handed in.
package batch

import (
	"bytes"
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/count"
	"github.com/vecctl/vecctl/pkg/store/bolt/index"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The buckets; package schema draws them.
var (
	batches  = []byte("batches")
	byID     = []byte("batch_by_id")
	byDigest = []byte("batch_by_digest")
	names    = []byte("batch_names")
)

// Buckets are those that only this package writes to.
func Buckets() [][]byte { return [][]byte{batches, byID, byDigest, names} }

// Tx is a transaction with what was looked up already of batches.
type Tx struct {
	*tree.Tx
	paused map[string]bool
}

// Register implements the part of store.Batches that is about batches alone.
type Register struct {
	read, write func(context.Context, func(*Tx) error) error
}

// New works with functions that run another in a transaction.
func New(read, write func(context.Context, func(*Tx) error) error) *Register {
	return &Register{read: read, write: write}
}

func key(b vault.Batch) []byte {
	return record.Join(record.U32(b.Institution), record.U64(uint64(b.CreatedAt.UnixNano())), []byte(b.ID))
}

// named is the key under which an institution's batch is found by its ID, its
// digest or its name.
func named(institution uint32, name string) []byte {
	return record.Join(record.U32(institution), []byte(name))
}

// OpenBatch implements store.Batches.
func (s *Register) OpenBatch(ctx context.Context, b vault.Batch) (vault.Batch, error) {
	return tree.Run(ctx, s.write, func(t *Tx) (vault.Batch, error) {
		if b.Digest != "" {
			if id := t.Get(byDigest, named(b.Institution, b.Digest)); id != nil {
				return t.reopen(b.Institution, string(id))
			}
		}
		return Add(t.Tx, b)
	})
}

// Add keeps a new batch, with a number behind its name where another bears that.
func Add(t *tree.Tx, b vault.Batch) (vault.Batch, error) {
	id := named(b.Institution, b.ID)
	if t.Get(byID, id) != nil {
		return b, fault.New(fault.Conflict, "the ID drawn for a batch is taken; draw another")
	}
	name := b.Name
	for n := 2; t.Get(names, named(b.Institution, b.Name)) != nil; n++ {
		b.Name = fmt.Sprintf("%s-%d", name, n)
	}
	if err := t.Keep(batches, key(b), b); err != nil {
		return b, err
	}
	if err := t.Put(byID, id, key(b)); err != nil {
		return b, err
	}
	if err := t.Put(names, named(b.Institution, b.Name), []byte(b.ID)); err != nil || b.Digest == "" {
		return b, err
	}
	return b, t.Put(byDigest, named(b.Institution, b.Digest), []byte(b.ID))
}

// Replace writes a batch that exists.
func (t *Tx) Replace(b vault.Batch) error {
	delete(t.paused, b.ID)
	return t.Keep(batches, key(b), b)
}

func (t *Tx) reopen(institution uint32, id string) (vault.Batch, error) {
	b, err := Get(t.Tx, institution, id)
	if err != nil || !b.Cancelled() {
		return b, err
	}
	b = b.Reopen()
	return b, t.Replace(b)
}

// Paused tells whether a batch is paused; one that nobody opened cannot be.
func (t *Tx) Paused(institution uint32, id string) (bool, error) {
	if known, ok := t.paused[id]; ok {
		return known, nil
	}
	b, err := Get(t.Tx, institution, id)
	if fault.Is(err, fault.NotFound) {
		err = nil
	}
	if t.paused == nil {
		t.paused = map[string]bool{}
	}
	t.paused[id] = b.Paused()
	return b.Paused(), err
}

// Get reads one with its counts; NotFound when there is none.
func Get(t *tree.Tx, institution uint32, id string) (vault.Batch, error) {
	var b vault.Batch
	key := t.Get(byID, named(institution, id))
	if key == nil {
		return b, fault.New(fault.NotFound, "Batch not found.")
	}
	err := record.Decode(key, t.Get(batches, key), &b)
	if err == nil {
		b.Counts, err = count.Of(t, institution, id)
	}
	return b, err
}

// FindBatch implements store.Batches.
func (s *Register) FindBatch(ctx context.Context, institution uint32, digest string) (vault.Batch, error) {
	return tree.Run(ctx, s.read, func(t *Tx) (vault.Batch, error) {
		return Get(t.Tx, institution, string(t.Get(byDigest, named(institution, digest))))
	})
}

// Batch implements store.Batches.
func (s *Register) Batch(ctx context.Context, institution uint32, id string) (vault.Batch, error) {
	return tree.Run(ctx, s.read, func(t *Tx) (vault.Batch, error) { return Get(t.Tx, institution, id) })
}

// Batches implements store.Batches.
func (s *Register) Batches(ctx context.Context, institution uint32, page, perPage int) (found []vault.Batch, total int, err error) {
	found, err = tree.Run(ctx, s.read, func(t *Tx) (found []vault.Batch, err error) {
		prefix := record.U32(institution)
		c, skip := t.Cursor(batches), index.Skipped(page, perPage)
		for k := tree.SeekLast(c, prefix); bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
			if total++; total <= skip || len(found) == perPage {
				continue
			}
			b, err := Get(t.Tx, institution, string(k[12:]))
			if err != nil {
				return nil, err
			}
			found = append(found, b)
		}
		return found, nil
	})
	return found, total, err
}
