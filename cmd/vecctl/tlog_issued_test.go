package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// What was issued before there was a log enters it later: the verified PDFs stay as they are, and the
// proofs are files of their own.
func TestIssuedCertificatesEnterTheLogLater(t *testing.T) {
	t.Parallel()
	backup, err := filepath.Abs(filepath.Join("..", "..", "testdata", "homes", "schema-3.tar.zst"))
	must(t, err)
	s := newSite(t)
	s.done("restore", backup)
	path := func(name string) string { return filepath.Join(s.dir, name) }
	var issued string
	for _, c := range s.all() {
		if c.Status.Value == "approved" {
			issued = c.ReferenceID
		}
	}
	if issued == "" {
		t.Fatal("the older home has issued nothing")
	}
	s.done("download", issued, "--out", path("before.pdf"))
	s.want(1, "tlog", "proof", issued)
	var all adminclient.LateEntries
	must(t, json.Unmarshal([]byte(s.done("tlog", "add-issued", "--out", path("proofs"), "--json").stdout), &all))
	if len(all.Entered) == 0 || len(all.Refused) > 0 || glob(t, path("proofs"), "*.tlog-proof") != len(all.Entered) {
		t.Fatalf("entered: %+v", all)
	}
	var logs []adminclient.LogStatus
	must(t, json.Unmarshal([]byte(s.done("tlog", "status", "--json").stdout), &logs))
	s.done("download", issued, "--out", path("after.pdf"))
	before, err := os.ReadFile(path("before.pdf"))
	must(t, err)
	after, err := os.ReadFile(path("after.pdf"))
	must(t, err)
	if !bytes.Equal(before, after) {
		t.Error("the verified PDF has changed")
	}
	none := "--home=" + path("none")
	proof := filepath.Join(path("proofs"), issued+".tlog-proof")
	s.done("verify", path("before.pdf"), none, "--proof", proof, "--log-key", logs[0].Key).says(t, "The proof that was given shows that it is entry")
	s.done("tlog", "proof", issued).says(t, "c2sp.org/tlog-proof@v1")
	s.done("export", "site", path("site"))
	s.done("verify", path("before.pdf"), none, "--proof", proof, "--site", path("site")).says(t, "The proof that was given shows", "of the published log")
	s.done("verify", path("before.pdf"), none, "--site", path("site")).says(t, "entered the log after it was issued")
	s.done("tlog", "audit", path("site"), "--seen", path("seen"))
	if len(all.Entered) > 1 {
		other := all.Entered[0]
		if other == issued {
			other = all.Entered[1]
		}
		s.want(1, "verify", path("before.pdf"), none, "--proof", filepath.Join(path("proofs"), other+".tlog-proof"), "--log-key", logs[0].Key).says(t, "of another document")
	}
	s.want(2, "verify", path("before.pdf"), none, "--proof", proof).says(t, "--log-key")
	s.want(2, "verify", path("before.pdf"), none, "--proof", path("missing")).says(t, "cannot be opened")
	// Again: nothing enters twice.
	var again adminclient.LateEntries
	must(t, json.Unmarshal([]byte(s.done("tlog", "add-issued", "--json").stdout), &again))
	var later []adminclient.LogStatus
	must(t, json.Unmarshal([]byte(s.done("tlog", "status", "--json").stdout), &later))
	if len(again.Entered) != len(all.Entered) || later[0].Size != logs[0].Size {
		t.Errorf("the second time: %+v, and the log has %d entries after %d", again, later[0].Size, logs[0].Size)
	}
}
