package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// The bucket; schema.go draws it.
var auditBucket = []byte("acts")

// auditBuckets are those that only this package writes to.
func auditBuckets() [][]byte { return [][]byte{auditBucket} }

// auditTable is the audit trail of a store.
type auditTable struct {
	read, write func(context.Context, func(*boltfile.Tx) error) error
}

// newAuditTable works with functions that run another in a transaction. That which writes
// notes the act of its context.
func newAuditTable(read, write func(context.Context, func(*boltfile.Tx) error) error) *auditTable {
	return &auditTable{read: read, write: write}
}

// recordAction adds an act to the audit trail.
func recordAction(t *boltfile.Tx, p *audit.PendingAction) error {
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
	return t.PutRecord(auditBucket, boltfile.U64(next.Seq), next)
}

// RecordAction writes the act of a context down, unless that was done with the first
// thing that it changed.
func (s *auditTable) RecordAction(ctx context.Context) error {
	if !audit.FromContext(ctx).Unrecorded() {
		return nil
	}
	return s.write(ctx, func(*boltfile.Tx) error { return nil })
}

// AuditEntries returns up to n entries of the audit trail behind the one with a number, in
// order.
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
