package main

import (
	"testing"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// TestCheck asks an agent that runs, before and after a document failed.
func TestCheck(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.done("init", "--institution", "Northgate")
	s.serving("--drop", t.TempDir())
	s.want(0, "check").says(t, "OK: 0 certificates approved")
	s.want(0, "check", "--nagios").says(t, "VECCTL OK - ", " | approved=0 processing=0 failed=0", "database_bytes=")
	s.want(1, "upload", s.file("broken.pdf", []byte("%PDF-1.7 and nothing more")), "--title", "D", "--name", "N", "--email", "a@example.com")
	s.want(1, "check", "--nagios").says(t, "VECCTL WARNING - ", "1 certificates have failed", "failed=1")
	s.want(1, "check", "--json").says(t, `"code": 1`, `"failed": 1`)
}

func TestJudgeStatus(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		problems []adminclient.Problem
		failed   int
		want     checkState
	}{
		{nil, 0, checkOK},
		{nil, 1, checkWarning},
		{[]adminclient.Problem{{Kind: "mail", Message: "mails wait"}}, 0, checkWarning},
		{[]adminclient.Problem{{Kind: "disk", Message: "the disk is full", Blocking: true}, {Kind: "mail", Message: "mails wait"}}, 1, checkCritical},
	} {
		got, messages := judgeStatus(adminclient.AgentStatus{Problems: test.problems, Certificates: map[string]int{"failed": test.failed}})
		if got != test.want || (got == checkOK) != (len(messages) == 0) {
			t.Errorf("%+v, %d failed: %v, %q", test.problems, test.failed, got, messages)
		}
	}
	line := newCheckResult(checkWarning, []string{"a\nb | c"}, &adminclient.AgentStatus{}).line(true)
	if want := "VECCTL WARNING - a b / c | approved=0"; line[:len(want)] != want {
		t.Errorf("%q", line)
	}
}
