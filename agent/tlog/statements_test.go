package tlog

import (
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

func TestStatementsAreDue(t *testing.T) {
	began := time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	revocations := vault.LogStatement{Kind: vault.StatesRevocations, At: began, Count: 2}
	trail := vault.LogStatement{Kind: vault.StatesAudit, At: began, Count: 7, SHA256: "aa"}
	both := []vault.LogStatement{revocations, trail}
	head := audit.Entry{Seq: 7, Hash: "aa"}
	next := audit.Entry{Seq: 8, Hash: "bb"}
	for name, one := range map[string]struct {
		due                dueStatements
		after              time.Duration
		revocations, trail bool
	}{
		"a new log":                   {dueStatements{since: began, audit: head}, time.Minute, false, false},
		"a log without statements":    {dueStatements{since: began, audit: head}, auditDelay, false, true},
		"a log of yesterday":          {dueStatements{since: began}, daily, true, false},
		"nothing has changed":         {dueStatements{since: began, entered: both, count: 2, audit: head}, daily - time.Second, false, false},
		"nothing has changed all day": {dueStatements{since: began, entered: both, count: 2, audit: head}, daily, true, true},
		"a revocation":                {dueStatements{since: began, entered: both, count: 3, audit: head}, 0, true, false},
		"an action":                   {dueStatements{since: began, entered: both, count: 2, audit: next}, time.Minute, false, false},
		"an action some time ago":     {dueStatements{since: began, entered: both, count: 2, audit: next}, auditDelay, false, true},
		"a revocation without a log":  {dueStatements{count: 1, audit: head}, 0, true, false},
		"no log":                      {dueStatements{audit: head}, daily, false, false},
	} {
		now := began.Add(one.after)
		if got := one.due.revocations(now); got != one.revocations {
			t.Errorf("%s: revocations are due: %v", name, got)
		}
		if got := one.due.trail(now); got != one.trail {
			t.Errorf("%s: the trail is due: %v", name, got)
		}
	}
}
