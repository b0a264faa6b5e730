package bolt

import (
	"context"
	"slices"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// The bucket; schema.go draws it.
var auditBucket = []byte("acts")

// auditBuckets are those that only this package writes to.
func auditBuckets() [][]byte { return [][]byte{auditBucket} }

// auditTable implements store.AuditTrail.
type auditTable struct {
	read, write func(context.Context, func(*boltfile.Tx) error) error
}

// newAuditTable works with functions that run another in a transaction. That which writes
// notes the act of its context.
func newAuditTable(read, write func(context.Context, func(*boltfile.Tx) error) error) *auditTable {
	return &auditTable{read: read, write: write}
}

// recordAction writes the entry of an action, unless that was done already.
func (t *txn) recordAction(p *audit.PendingAction) error {
	if !p.Unrecorded() || slices.Contains(t.recorded, p) {
		return nil
	}
	var last audit.Entry
	if key, value := t.Cursor(auditBucket).Last(); key != nil {
		if err := boltfile.Decode(key, value, &last); err != nil {
			return err
		}
	}
	next, err := last.Next(p.Action, p.At)
	if err != nil {
		return err
	}
	t.recorded = append(t.recorded, p)
	return t.PutRecord(auditBucket, boltfile.U64(next.Seq), next)
}

// RecordAction implements store.AuditTrail.
func (s *auditTable) RecordAction(ctx context.Context) error {
	if !audit.FromContext(ctx).Unrecorded() {
		return nil
	}
	return s.write(ctx, func(*boltfile.Tx) error { return nil })
}

// AuditEntries implements store.AuditTrail.
func (s *auditTable) AuditEntries(ctx context.Context, after uint64, n int) ([]audit.Entry, error) {
	return boltfile.RunTx(ctx, s.read, func(t *boltfile.Tx) ([]audit.Entry, error) {
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
