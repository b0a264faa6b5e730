package bolt

import (
	"context"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store/bolt/substring"
	"github.com/vecctl/vecctl/pkg/vault"
)

// write runs a function in the next write transaction and returns when that is
// durable. A function that fails before its first write is alone refused; one
// that fails later fails the whole transaction, since then the file or the disk
// is at fault. Once queued, a function is carried out even when ctx ends, so
// that the caller knows the outcome.
func write[T any](ctx context.Context, s *Store, run func(*txn) (T, error)) (result T, err error) {
	if err := ctx.Err(); err != nil {
		return result, err
	}
	err = s.queue.Do(func(t *txn) error {
		made, err := run(t)
		result = made
		return err
	})
	if err != nil {
		return *new(T), err
	}
	return result, nil
}

// commit runs a group in one transaction and returns each one's outcome.
func (s *Store) commit(group []func(*txn) error) []error {
	outcomes := make([]error, len(group))
	var changed []string
	err := s.file.Update(func(tx *bbolt.Tx) error {
		t := newTxn(tx)
		defer func() { changed = t.changed }()
		for i, run := range group {
			before := t.writes
			if outcomes[i] = run(t); outcomes[i] != nil && t.writes != before {
				return outcomes[i]
			}
		}
		return t.finish()
	})
	for _, reference := range changed {
		s.versions.of(reference).Add(1)
	}
	if err != nil {
		for i := range outcomes {
			outcomes[i] = err
		}
	}
	return outcomes
}

// txn is a transaction with what it gathers to write at its end: counts and
// the substring index change many times in one transaction and are written once.
type txn struct {
	tx      *bbolt.Tx
	open    map[string]*bbolt.Bucket
	writes  int
	changed []string // reference IDs of certificates that were written
	counted map[string]vault.Counts
	// batchPaused is what was looked up already of batches.
	batchPaused map[string]bool
	postings    substring.Postings
}

func newTxn(tx *bbolt.Tx) *txn {
	return &txn{tx: tx, open: make(map[string]*bbolt.Bucket, 32)}
}

func (t *txn) bucket(name []byte) *bbolt.Bucket {
	b, ok := t.open[string(name)]
	if !ok {
		b = t.tx.Bucket(name)
		if b != nil && ascending(name) {
			b.FillPercent = 0.95 // the room that is left in a page would stay empty
		}
		t.open[string(name)] = b
	}
	return b
}

func (t *txn) get(bucket, key []byte) []byte { return t.bucket(bucket).Get(key) }

func (t *txn) put(bucket, key, value []byte) error {
	t.writes++
	if err := t.bucket(bucket).Put(key, value); err != nil {
		return fmt.Errorf("writing to the database: %w", err)
	}
	return nil
}

func (t *txn) delete(bucket, key []byte) error {
	t.writes++
	if err := t.bucket(bucket).Delete(key); err != nil {
		return fmt.Errorf("writing to the database: %w", err)
	}
	return nil
}

// putAll writes several index entries.
func (t *txn) putAll(entries []entry) error {
	for _, e := range entries {
		if err := t.put(e.bucket, e.key, e.value); err != nil {
			return err
		}
	}
	return nil
}

type entry struct{ bucket, key, value []byte }

// count notes that an institution and a batch have n more certificates in a state.
func (t *txn) count(c vault.Certificate, n int) {
	t.writes++
	if t.counted == nil {
		t.counted = map[string]vault.Counts{}
	}
	for _, k := range countKeys(c) {
		delta := t.counted[k]
		delta.Add(c.Status, n)
		t.counted[k] = delta
	}
}

func countKeys(c vault.Certificate) []string {
	keys := []string{string(u32(c.Institution))}
	if c.Batch != "" {
		keys = append(keys, string(batchID(c.Institution, c.Batch)))
	}
	return keys
}

func (t *txn) counts(key []byte) (vault.Counts, error) {
	var c vault.Counts
	value := t.get(counts, key)
	if value == nil {
		return c, nil
	}
	err := decode(key, value, &c)
	return c, err
}

// finish writes what was gathered, in the order of the keys.
func (t *txn) finish() error {
	keys := make([]string, 0, len(t.counted))
	for k := range t.counted {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		now, err := t.counts([]byte(k))
		if err != nil {
			return err
		}
		for _, s := range vault.Statuses() {
			now.Add(s, t.counted[k].Of(s))
		}
		value, err := encode([]byte(k), now)
		if err != nil {
			return err
		}
		if err := t.put(counts, []byte(k), value); err != nil {
			return err
		}
	}
	return t.writeGrams()
}

func (t *txn) writeGrams() error {
	for key, more := range t.postings.Lists() {
		list, err := t.gramList(key)
		if err != nil {
			return err
		}
		if err := t.put(grams, key, seal(key, slices.Concat(list, more))); err != nil {
			return err
		}
	}
	return nil
}

// gramList is an entry of the substring index, nil where there is none.
func (t *txn) gramList(key []byte) ([]byte, error) {
	value := t.get(grams, key)
	if value == nil {
		return nil, nil
	}
	return unseal(key, value)
}
