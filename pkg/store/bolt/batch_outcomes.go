package bolt

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/store/bolt/search"
	"github.com/vecctl/vecctl/pkg/vault"
)

// outcomeCache remembers the outcomes of batches, by their keys in batch_by_id, so that not
// every list by outcome reads all of them. What it says of a batch is forgotten when the batch
// or one of its certificates changes.
type outcomeCache struct {
	mu       sync.Mutex
	outcomes map[string]vault.BatchState
	changed  map[string]uint64 // the commit that changed a batch last, of batches that changed
	commits  uint64
}

// now is the number of commits so far. What is read in a transaction that begins later is at
// least as new.
func (o *outcomeCache) now() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.commits
}

func (o *outcomeCache) get(key string) (vault.BatchState, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	outcome, ok := o.outcomes[key]
	return outcome, ok
}

// put keeps an outcome that was read in a transaction which began after a number of commits. One
// that was changed since is not kept: it could be as it was before.
func (o *outcomeCache) put(key string, outcome vault.BatchState, age uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed[key] > age {
		return
	}
	if o.outcomes == nil {
		o.outcomes = map[string]vault.BatchState{}
	}
	o.outcomes[key] = outcome
}

// forget drops what a transaction changed.
func (o *outcomeCache) forget(t *txn) {
	keys := slices.Clone(t.batches)
	for key := range t.countDelta {
		if len(key) > institutionKeySize {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.commits++
	if o.changed == nil {
		o.changed = map[string]uint64{}
	}
	for _, key := range keys {
		o.changed[key] = o.commits
		delete(o.outcomes, key)
	}
}

// institutionKeySize is the length of an institution's number in keys.
const institutionKeySize = 4

// BatchesIn implements store.Batches.
func (s *Store) BatchesIn(ctx context.Context, institution uint32, outcomes []vault.BatchState, page, perPage int) (found []vault.Batch, total int, err error) {
	age := s.outcomes.now()
	found, err = readTx(ctx, s, func(t *txn) (found []vault.Batch, err error) {
		prefix, createdSize := boltfile.U32(institution), 8
		c, skip := t.Cursor(batchesBucket), search.Offset(page, perPage)
		for k := boltfile.SeekLast(c, prefix); bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
			id := string(k[len(prefix)+createdSize:])
			outcome, err := s.outcome(t, institution, id, age)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(outcomes, outcome) {
				continue
			}
			if total++; total <= skip || len(found) == perPage {
				continue
			}
			b, err := t.batch(institution, id)
			if err != nil {
				return nil, err
			}
			found = append(found, b)
		}
		return found, nil
	})
	return found, total, err
}

// outcome is that of a batch.
func (s *Store) outcome(t *txn, institution uint32, id string, age uint64) (vault.BatchState, error) {
	key := string(batchNameKey(institution, id))
	if outcome, ok := s.outcomes.get(key); ok {
		return outcome, nil
	}
	b, err := t.batch(institution, id)
	if err != nil {
		return "", err
	}
	s.outcomes.put(key, b.Outcome(), age)
	return b.Outcome(), nil
}
