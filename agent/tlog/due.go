package tlog

import (
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// dueStatements decides which statements a log lacks.
type dueStatements struct {
	since   time.Time // the log exists; zero: it does not
	entered []vault.LogStatement
	count   uint64 // of revocations
	audit   audit.Entry
}

// last is the last statement of a kind; one of the log's beginning, about nothing, where there is
// none.
func (d dueStatements) last(kind vault.StatementKind) vault.LogStatement {
	for _, s := range slices.Backward(d.entered) {
		if s.Kind == kind {
			return s
		}
	}
	return vault.LogStatement{At: d.since}
}

// revocations reports whether the list of revocations is to be entered.
func (d dueStatements) revocations(now time.Time) bool {
	last := d.last(vault.StatesRevocations)
	if d.since.IsZero() {
		return d.count > 0 // a log that replaces another one begins with what was revoked before
	}
	return d.count > last.Count || now.Sub(last.At) >= daily
}

// trail reports whether the head of the audit trail is to be entered.
func (d dueStatements) trail(now time.Time) bool {
	last := d.last(vault.StatesAudit)
	age := now.Sub(last.At)
	return d.audit.Seq > 0 && !d.since.IsZero() && (age >= daily || (d.audit.Hash != last.SHA256 && age >= auditDelay))
}
