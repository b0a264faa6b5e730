package bolt

import (
	"bytes"
	"context"
	"slices"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The buckets of the logs; schema.go draws all.
var (
	logHeadsBucket   = []byte("log_heads")
	logEntriesBucket = []byte("log_entries")
	logHashesBucket  = []byte("log_hashes")
)

// logBuckets returns the buckets above, for the schema.
func logBuckets() [][]byte { return [][]byte{logHeadsBucket, logEntriesBucket, logHashesBucket} }

func logIndexKey(institution uint32, index int64) []byte {
	return boltfile.JoinKey(boltfile.U32(institution), boltfile.U64(uint64(index)))
}

// LogHead implements store.Logs.
func (s *Store) LogHead(ctx context.Context, institution uint32) (vault.LogHead, error) {
	return readTx(ctx, s, func(t *txn) (vault.LogHead, error) { return t.logHead(institution) })
}

// LogEntries implements store.Logs.
func (s *Store) LogEntries(ctx context.Context, institution uint32, from int64, n int) ([][]byte, error) {
	return readTx(ctx, s, func(t *txn) ([][]byte, error) {
		var entries [][]byte
		prefix := boltfile.U32(institution)
		c := t.Cursor(logEntriesBucket)
		for k, v := c.Seek(logIndexKey(institution, max(from, 0))); bytes.HasPrefix(k, prefix) && len(entries) < n; k, v = c.Next() {
			entry, err := boltfile.VerifyChecksum(k, v)
			if err != nil {
				return nil, err
			}
			entries = append(entries, bytes.Clone(entry))
		}
		return entries, nil
	})
}

// LogHashes implements store.Logs.
func (s *Store) LogHashes(ctx context.Context, institution uint32, indexes []int64) ([][32]byte, error) {
	return readTx(ctx, s, func(t *txn) ([][32]byte, error) {
		found, err := logHashes{t, institution}.ReadHashes(indexes)
		hashes := make([][32]byte, len(found))
		for i, h := range found {
			hashes[i] = h
		}
		return hashes, err
	})
}

func (t *txn) logHead(institution uint32) (head vault.LogHead, err error) {
	key := boltfile.U32(institution)
	if value := t.Get(logHeadsBucket, key); value != nil {
		err = boltfile.Decode(key, value, &head)
	}
	return head, err
}

// logHashes reads the hashes of an institution's log.
type logHashes struct {
	t           *txn
	institution uint32
}

// ReadHashes implements transparency.HashReader.
func (l logHashes) ReadHashes(indexes []int64) ([]transparency.Hash, error) {
	found := make([]transparency.Hash, len(indexes))
	for i, index := range indexes {
		key := logIndexKey(l.institution, index)
		value := l.t.Get(logHashesBucket, key)
		if value == nil {
			return nil, fault.Newf(fault.NotFound, "the log has no hash %d", index)
		}
		body, err := boltfile.VerifyChecksum(key, value)
		if err != nil {
			return nil, err
		}
		if copy(found[i][:], body) != len(found[i]) {
			return nil, fault.New(fault.Damaged, "a hash of the log is damaged; restore the home from a backup")
		}
	}
	return found, nil
}

// logged is a certificate that is about to be approved and to enter a log.
type logged struct {
	result      int // its index in the call
	certificate vault.Certificate
	effects     vault.Effects
}

// enterLogs appends the certificates that results approve to their logs. It returns the
// results with changes that keep each with its proof, and which of them entered a log.
func (t *txn) enterLogs(results []store.JobResult) (_ []store.JobResult, entered []bool, err error) {
	pending := map[uint32][]logged{}
	var order []uint32 // of institutions, so that a call has one outcome
	for i, r := range results {
		if r.Change == nil || r.Delivery != nil || r.Task != nil {
			continue
		}
		job, err := t.leasedJob(r.Job)
		if err != nil {
			continue // refused when its turn comes
		}
		old, err := t.certificate(boltfile.U64(job.Certificate))
		if err != nil {
			return nil, nil, err
		}
		c, fx, err := r.Change(old)
		if err != nil || fx.Log == nil {
			continue
		}
		if pending[c.Institution] == nil {
			order = append(order, c.Institution)
		}
		pending[c.Institution] = append(pending[c.Institution], logged{i, c, fx})
	}
	entered = make([]bool, len(results))
	if len(pending) == 0 {
		return results, entered, nil
	}
	results = slices.Clone(results)
	for _, institution := range order {
		if err := t.growLog(institution, pending[institution], results, entered); err != nil {
			return nil, nil, err
		}
	}
	return results, entered, nil
}

// growLog appends an institution's certificates to its log.
func (t *txn) growLog(institution uint32, pending []logged, results []store.JobResult, entered []bool) error {
	head, err := t.logHead(institution)
	if err != nil {
		return err
	}
	if head.Key == "" {
		head.Key = pending[0].effects.Log.LogKey()
	}
	pending = slices.DeleteFunc(pending, func(p logged) bool {
		if p.effects.Log.LogKey() == head.Key {
			return false
		}
		results[p.result].Change = func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c, vault.Effects{}, errLogKey()
		}
		return true
	})
	if len(pending) == 0 {
		return nil
	}
	first := head.Size
	entries := make([][]byte, len(pending))
	for i, p := range pending {
		entries[i], entered[p.result] = p.effects.Log.Entry(), true
	}
	grown, err := transparency.Grow(first, entries, logHashes{t, institution})
	if err != nil {
		return err
	}
	head.Size = grown.Size
	if head.Checkpoint, err = pending[0].effects.Log.SignCheckpoint(grown.Size, grown.Root); err != nil {
		return err
	}
	if err := t.putLog(institution, head, first, entries, grown); err != nil {
		return err
	}
	for i, p := range pending {
		proof := vault.LogProof{Index: first + int64(i), Checkpoint: head.Checkpoint}
		hashes, err := transparency.Prove(grown.Size, proof.Index, grown)
		if err != nil {
			return err
		}
		for _, h := range hashes {
			proof.Hashes = append(proof.Hashes, h)
		}
		c, tail, err := p.effects.Log.Complete(p.certificate, proof)
		if err != nil {
			return err
		}
		fx := p.effects
		fx.Log, fx.Tail = nil, tail
		results[p.result].Change = func(vault.Certificate) (vault.Certificate, vault.Effects, error) { return c, fx, nil }
	}
	return nil
}

func errLogKey() error {
	return fault.New(fault.Illegal, "the key of the institution's log is another one than that which signed the log so far; restore the home's keys from a backup")
}

// putLog keeps the entries and hashes that a log grew by, and its head.
func (t *txn) putLog(institution uint32, head vault.LogHead, first int64, entries [][]byte, grown *transparency.Growth) error {
	for i, entry := range entries {
		key := logIndexKey(institution, first+int64(i))
		if err := t.Put(logEntriesBucket, key, boltfile.AddChecksum(key, entry)); err != nil {
			return err
		}
	}
	index, hashes := grown.New()
	for i, h := range hashes {
		key := logIndexKey(institution, index+int64(i))
		if err := t.Put(logHashesBucket, key, boltfile.AddChecksum(key, h[:])); err != nil {
			return err
		}
	}
	return t.PutRecord(logHeadsBucket, boltfile.U32(institution), head)
}
