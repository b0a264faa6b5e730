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

	logStatementsBucket = []byte("log_statements")
)

// logBuckets returns the buckets above, for the schema.
func logBuckets() [][]byte {
	return [][]byte{logHeadsBucket, logEntriesBucket, logHashesBucket, logStatementsBucket, revocationsBucket}
}

// logID is what the keys of a log's entries and hashes begin with.
func logID(key string) []byte {
	hash := vault.LogHash(key)
	return hash[:]
}

func logIndexKey(id []byte, index int64) []byte {
	return boltfile.JoinKey(id, boltfile.U64(uint64(index)))
}

// LogHeads implements store.Logs.
func (s *Store) LogHeads(ctx context.Context, institution uint32) ([]vault.LogHead, error) {
	return readTx(ctx, s, func(t *txn) ([]vault.LogHead, error) {
		var heads []vault.LogHead
		prefix := boltfile.U32(institution)
		c := t.Cursor(logHeadsBucket)
		for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
			var head vault.LogHead
			if err := boltfile.Decode(k, v, &head); err != nil {
				return nil, err
			}
			heads = append(heads, head)
		}
		slices.SortStableFunc(heads, func(a, b vault.LogHead) int { return a.CreatedAt.Compare(b.CreatedAt) })
		return heads, nil
	})
}

// LogEntries implements store.Logs.
func (s *Store) LogEntries(ctx context.Context, key string, from int64, n int) ([][]byte, error) {
	return readTx(ctx, s, func(t *txn) ([][]byte, error) {
		var entries [][]byte
		id := logID(key)
		c := t.Cursor(logEntriesBucket)
		for k, v := c.Seek(logIndexKey(id, max(from, 0))); bytes.HasPrefix(k, id) && len(entries) < n; k, v = c.Next() {
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
func (s *Store) LogHashes(ctx context.Context, key string, indexes []int64) ([][32]byte, error) {
	return readTx(ctx, s, func(t *txn) ([][32]byte, error) {
		found, err := logHashes{t, logID(key)}.ReadHashes(indexes)
		hashes := make([][32]byte, len(found))
		for i, h := range found {
			hashes[i] = h
		}
		return hashes, err
	})
}

// logHashes reads the hashes of a log.
type logHashes struct {
	t  *txn
	id []byte
}

// ReadHashes implements transparency.HashReader.
func (l logHashes) ReadHashes(indexes []int64) ([]transparency.Hash, error) {
	found := make([]transparency.Hash, len(indexes))
	for i, index := range indexes {
		key := logIndexKey(l.id, index)
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

// logOf is a log of an institution.
type logOf struct {
	institution uint32
	key         string
}

// enterLogs appends the certificates that results approve to their logs. It returns the
// results with changes that keep each with its proof, and which of them entered a log.
func (t *txn) enterLogs(results []store.JobResult) (_ []store.JobResult, entered []bool, err error) {
	pending := map[logOf][]logged{}
	var order []logOf             // so that a call has one outcome
	entering := map[uint64]bool{} // certificates; none enters twice
	entered = make([]bool, len(results))
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
		if err != nil || fx.Log == nil || entering[c.ID] {
			continue
		}
		entering[c.ID] = true
		l := logOf{c.Institution, fx.Log.LogKey()}
		if pending[l] == nil {
			order = append(order, l)
		}
		pending[l] = append(pending[l], logged{i, c, fx})
		entered[i] = true
	}
	if len(pending) == 0 {
		return results, entered, nil
	}
	results = slices.Clone(results)
	for _, l := range order {
		if err := t.growLog(l, pending[l], results); err != nil {
			return nil, nil, err
		}
	}
	return results, entered, nil
}

// enterInserted appends new certificates whose effects say so to their logs, unless they are
// duplicates. It returns the rows with their places.
func (t *txn) enterInserted(rows []store.NewCertificate, inserts []store.InsertResult) ([]store.NewCertificate, error) {
	pending := map[logOf][]logged{}
	var order []logOf
	for i, row := range rows {
		if row.Effects.Log == nil || inserts[i].Duplicate {
			continue
		}
		l := logOf{row.Certificate.Institution, row.Effects.Log.LogKey()}
		if pending[l] == nil {
			order = append(order, l)
		}
		pending[l] = append(pending[l], logged{i, row.Certificate, row.Effects})
	}
	if len(pending) == 0 {
		return rows, nil
	}
	rows, entered := slices.Clone(rows), make([]store.JobResult, len(rows))
	for _, l := range order {
		if err := t.growLog(l, pending[l], entered); err != nil {
			return nil, err
		}
	}
	for i, one := range entered {
		if one.Change == nil {
			continue
		}
		var err error
		if rows[i].Certificate, rows[i].Effects, err = one.Change(rows[i].Certificate); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// growLog appends certificates to a log and completes them.
func (t *txn) growLog(l logOf, pending []logged, results []store.JobResult) error {
	leaves := make([]vault.LogLeaf, len(pending))
	for i, p := range pending {
		leaves[i] = p.effects.Log
	}
	first, checkpoint, grown, err := t.extendLog(l, leaves)
	if err != nil {
		return err
	}
	for i, p := range pending {
		c, fx, err := p.complete(first+int64(i), checkpoint, grown)
		if err != nil {
			return err
		}
		results[p.result].Change = func(vault.Certificate) (vault.Certificate, vault.Effects, error) { return c, fx, nil }
	}
	return nil
}

// extendLog appends leaves to a log. It returns the index of the first, the signed checkpoint,
// and the grown tree.
func (t *txn) extendLog(l logOf, leaves []vault.LogLeaf) (first int64, checkpoint []byte, grown *transparency.Growth, err error) {
	id, headKey := logID(l.key), boltfile.JoinKey(boltfile.U32(l.institution), logID(l.key))
	head := vault.LogHead{Key: l.key, CreatedAt: leaves[0].At()}
	if value := t.Get(logHeadsBucket, headKey); value != nil {
		if err := boltfile.Decode(headKey, value, &head); err != nil {
			return 0, nil, nil, err
		}
	}
	first = head.Size
	entries := make([][]byte, len(leaves))
	for i, leaf := range leaves {
		entries[i] = leaf.Entry()
	}
	if grown, err = transparency.Grow(first, entries, logHashes{t, id}); err != nil {
		return 0, nil, nil, err
	}
	head.Size = grown.Size
	if head.Checkpoint, err = leaves[0].SignCheckpoint(grown.Size, grown.Root); err != nil {
		return 0, nil, nil, err
	}
	if err := t.PutRecord(logHeadsBucket, headKey, head); err != nil {
		return 0, nil, nil, err
	}
	return first, head.Checkpoint, grown, t.putEntries(id, first, entries, grown)
}

// AppendLog implements store.Logs.
func (s *Store) AppendLog(ctx context.Context, institution uint32, entries []store.LogAddition) (int64, error) {
	return writeTx(ctx, s, func(t *txn) (int64, error) { return t.appendLog(institution, entries) })
}

// appendLog checks all certificates before it writes anything.
func (t *txn) appendLog(institution uint32, entries []store.LogAddition) (int64, error) {
	if len(entries) == 0 {
		return 0, fault.New(fault.Invalid, "there is nothing to enter in the log")
	}
	l := logOf{institution, entries[0].Leaf.LogKey()}
	leaves, issued := make([]vault.LogLeaf, len(entries)), make([]vault.Certificate, len(entries))
	seen := map[string]bool{}
	for i, e := range entries {
		if leaves[i] = e.Leaf; e.Leaf.LogKey() != l.key {
			return 0, fault.New(fault.Invalid, "entries of several logs cannot be appended at once")
		}
		if e.Certificate == "" {
			continue
		}
		c, err := t.findCertificate(institution, e.Certificate)
		if err != nil {
			return 0, err
		}
		if err := c.CheckUnlogged(); err != nil {
			return 0, err
		}
		if seen[c.UUID] {
			return 0, fault.Newf(fault.Invalid, "certificate %s is to enter the log twice", c.Reference)
		}
		seen[c.UUID], issued[i] = true, c
	}
	first, checkpoint, grown, err := t.extendLog(l, leaves)
	if err != nil {
		return 0, err
	}
	for i, e := range entries {
		if err := t.keepAddition(l, e, issued[i], first+int64(i), checkpoint, grown); err != nil {
			return 0, err
		}
	}
	return first, nil
}

// keepAddition keeps what an entry is of.
func (t *txn) keepAddition(l logOf, e store.LogAddition, issued vault.Certificate, index int64, checkpoint []byte, grown *transparency.Growth) error {
	if e.Statement != nil {
		kept := *e.Statement
		kept.Index = index
		return t.PutRecord(logStatementsBucket, logIndexKey(logID(l.key), index), kept)
	}
	entry, ok := e.Leaf.(vault.LogEntry)
	if e.Certificate == "" || !ok {
		return nil
	}
	c, fx, err := logged{certificate: issued, effects: vault.Effects{Log: entry}}.complete(index, checkpoint, grown)
	if err != nil {
		return err
	}
	_, err = t.change(issued, func(vault.Certificate) (vault.Certificate, vault.Effects, error) { return c, fx, nil })
	return err
}

// CosignLog implements store.Logs.
func (s *Store) CosignLog(ctx context.Context, institution uint32, key string, cosigned vault.CosignedCheckpoint, enough bool) error {
	return s.update(ctx, func(t *txn) error {
		headKey := boltfile.JoinKey(boltfile.U32(institution), logID(key))
		value := t.Get(logHeadsBucket, headKey)
		if value == nil {
			return fault.New(fault.NotFound, "there is no such log")
		}
		var head vault.LogHead
		if err := boltfile.Decode(headKey, value, &head); err != nil {
			return err
		}
		switch {
		case cosigned.Size > head.Size:
			return fault.Newf(fault.Invalid, "the log has %d entries, and was cosigned with %d", head.Size, cosigned.Size)
		case cosigned.Size == head.Size:
			head.Checkpoint = cosigned.Checkpoint
		}
		if enough && (head.Cosigned == nil || head.Cosigned.Size <= cosigned.Size) {
			head.Cosigned = &cosigned
		}
		return t.PutRecord(logHeadsBucket, headKey, head)
	})
}

// LogStatements implements store.Logs.
func (s *Store) LogStatements(ctx context.Context, key string) ([]vault.LogStatement, error) {
	return readTx(ctx, s, func(t *txn) (all []vault.LogStatement, err error) {
		id := logID(key)
		c := t.Cursor(logStatementsBucket)
		for k, v := c.Seek(id); bytes.HasPrefix(k, id); k, v = c.Next() {
			var one vault.LogStatement
			if err := boltfile.Decode(k, v, &one); err != nil {
				return nil, err
			}
			all = append(all, one)
		}
		return all, nil
	})
}

// complete returns the certificate and its effects with the proof of its entry.
func (l logged) complete(index int64, checkpoint []byte, grown *transparency.Growth) (vault.Certificate, vault.Effects, error) {
	proof := vault.LogProof{Index: index, Checkpoint: checkpoint}
	hashes, err := transparency.Prove(grown.Size, index, grown)
	if err != nil {
		return vault.Certificate{}, vault.Effects{}, err
	}
	for _, h := range hashes {
		proof.Hashes = append(proof.Hashes, h)
	}
	c, tail, err := l.effects.Log.Complete(l.certificate, proof)
	fx := l.effects
	fx.Log, fx.Tail = nil, tail
	return c, fx, err
}

// putEntries keeps the entries and hashes that a log grew by.
func (t *txn) putEntries(id []byte, first int64, entries [][]byte, grown *transparency.Growth) error {
	for i, entry := range entries {
		key := logIndexKey(id, first+int64(i))
		if err := t.Put(logEntriesBucket, key, boltfile.AddChecksum(key, entry)); err != nil {
			return err
		}
	}
	index, hashes := grown.New()
	for i, h := range hashes {
		key := logIndexKey(id, index+int64(i))
		if err := t.Put(logHashesBucket, key, boltfile.AddChecksum(key, h[:])); err != nil {
			return err
		}
	}
	return nil
}
