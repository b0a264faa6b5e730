package agent_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
)

func TestRestrictedDocumentsAreForTheInstitutionToAllow(t *testing.T) {
	qpdf, err := exec.LookPath("qpdf")
	if err != nil {
		t.Skip("qpdf is not installed")
	}
	q := manifestOf(t, 1)
	q.NoWait = false
	path := filepath.Join(q.Files, "d0.pdf")
	if out, err := exec.Command(qpdf, "--encrypt", "", "owner", "256", "--modify=none", "--", path, "--replace-input").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	issueWith := func(env map[string]string) client.BulkRow {
		c, work := vaultWith(t, filepath.Join(t.TempDir(), "home"), env)
		work()
		return issue(t, c, q).Rows[0]
	}
	if row := issueWith(nil); row.Status != client.RowRejected || !strings.Contains(row.Error, "does not permit changes") {
		t.Errorf("without leave: %+v", row)
	}
	if row := issueWith(map[string]string{"VECCTL_SIGNING_RESTRICTED": "true"}); row.Status != client.RowIssued {
		t.Errorf("with leave: %+v", row)
	}
}

func TestATimestampServerThatDoesNotAnswerHoldsNothingUp(t *testing.T) {
	c, work := vaultWith(t, filepath.Join(t.TempDir(), "home"), map[string]string{
		"VECCTL_SIGNING_TIMESTAMPS": "http://127.0.0.1:1/", "VECCTL_SIGNING_VISIBLE": "true"})
	work()
	q := manifestOf(t, 2)
	q.NoWait = false
	if r := issue(t, c, q); r.Issued != 2 {
		t.Errorf("%+v", r)
	} else if r.TimestampsOwed != 2 || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "2 verified PDFs lack their time stamp") {
		t.Errorf("what is owed is not said: %d, %q", r.TimestampsOwed, r.Warnings)
	}
}
