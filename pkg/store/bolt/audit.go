package bolt

import (
	"context"
	"slices"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// The bucket; schema.go draws all.
var auditBucket = []byte("acts")

// auditBuckets returns the buckets above, for the schema.
func auditBuckets() [][]byte { return [][]byte{auditBucket} }

// recordAction writes the entry of an action, unless that was done already.
func (t *txn) recordAction(p *audit.PendingAction) error {
	if !p.Unrecorded() || slices.Contains(t.recorded, p) {
		return nil
	}
	last, err := t.auditHead()
	if err != nil {
		return err
	}
	done, err := t.auditedAction(p)
	if err != nil {
		return err
	}
	next, err := last.Next(done, p.At)
	if err != nil {
		return err
	}
	t.recorded = append(t.recorded, p)
	return t.PutRecord(auditBucket, boltfile.U64(next.Seq), next)
}

// auditHead returns the last entry; the zero Entry where there is none.
func (t *txn) auditHead() (last audit.Entry, err error) {
	if key, value := t.Cursor(auditBucket).Last(); key != nil {
		err = boltfile.Decode(key, value, &last)
	}
	return last, err
}

// AuditHead implements store.AuditTrail.
func (s *Store) AuditHead(ctx context.Context) (audit.Entry, error) {
	return readTx(ctx, s, func(t *txn) (audit.Entry, error) { return t.auditHead() })
}

// RecordAction implements store.AuditTrail.
func (s *Store) RecordAction(ctx context.Context) error {
	if !audit.FromContext(ctx).Unrecorded() {
		return ctx.Err()
	}
	return s.update(ctx, func(*txn) error { return nil })
}

// AuditEntries implements store.AuditTrail.
func (s *Store) AuditEntries(ctx context.Context, after uint64, n int) ([]audit.Entry, error) {
	return readTx(ctx, s, func(t *txn) ([]audit.Entry, error) {
		found := []audit.Entry{}
		c := t.Cursor(auditBucket)
		for key, value := c.Seek(boltfile.U64(after + 1)); key != nil && len(found) < n; key, value = c.Next() {
			var e audit.Entry
			if err := boltfile.Decode(key, value, &e); err != nil {
				return nil, fault.At("the audit trail", err)
			}
			found = append(found, e)
		}
		return found, nil
	})
}

// LatestAuditEntries implements store.AuditTrail.
func (s *Store) LatestAuditEntries(ctx context.Context, before uint64, n int) ([]audit.Entry, error) {
	return readTx(ctx, s, func(t *txn) ([]audit.Entry, error) {
		found := []audit.Entry{}
		c := t.Cursor(auditBucket)
		key, value := c.Last()
		if before > 0 {
			if key, _ = c.Seek(boltfile.U64(before)); key != nil {
				key, value = c.Prev()
			} else {
				key, value = c.Last()
			}
		}
		for ; key != nil && len(found) < n; key, value = c.Prev() {
			var e audit.Entry
			if err := boltfile.Decode(key, value, &e); err != nil {
				return nil, fault.At("the audit trail", err)
			}
			found = append(found, e)
		}
		return found, nil
	})
}
