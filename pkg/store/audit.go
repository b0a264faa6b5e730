package store

import (
	"context"

	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// AuditTrail is the list of what people and programs did (package audit), in the order in
// which it was done.
//
// The actor comes from the context of a call: audit.NewContext gives it an action that is
// pending. The first call under that action that changes anything writes the entry, in the
// same transaction as the change, and marks the action as recorded
// (audit.PendingAction.MarkRecorded). So an entry and its first change are both there or
// both missing, and an action has one entry however many calls it makes, also at the same
// time. A call that fails, or only reads, writes no entry. Without an action in the context
// the vault acts by itself, and nothing is written.
//
// An entry says what the action was about (audit.Subject): the institution, objects and
// person of what the first call writes, unless the action said so itself. A person is
// written as a pseudonym.
//
// Entries are numbered from 1 without a gap, and each holds the hash of the one before
// (audit.Entry.Next), whatever number of processes write.
type AuditTrail interface {
	// RecordAction writes the entry of a context's action, unless a change has done so.
	// It is for actions that count although they change nothing here.
	RecordAction(ctx context.Context) error
	// AuditHead returns the last entry; the zero Entry where there is none.
	AuditHead(ctx context.Context) (audit.Entry, error)
	// AuditEntries returns up to n entries after the one with a number, in order. An
	// entry that cannot be read is Damaged.
	AuditEntries(ctx context.Context, after uint64, n int) ([]audit.Entry, error)
	// LatestAuditEntries returns up to n entries before the one with a number, the latest
	// first; 0 is behind the end.
	LatestAuditEntries(ctx context.Context, before uint64, n int) ([]audit.Entry, error)
}
