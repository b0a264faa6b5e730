package agent_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/transparency"
)

// Another program reads the published log of issued certificates, and finds every entry that
// the certificates prove.
func TestTheLogIsPublished(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	during(t, dir, "UTC", time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC), func(a *agent.Agent, c *adminclient.Client) {
		v := visit(t, a)
		if status, body := v.page("/log/", nil); status != http.StatusOK || body != "{\"logs\":[]}\n" {
			t.Errorf("before anything is issued: %d %s", status, body)
		}
		q := manifestOf(t, 7)
		q.NoWait = false
		report := bulk(t, c, q)

		_, body := v.page("/log/", nil)
		var list struct{ Logs []transparency.Listed }
		if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Logs) != 1 || list.Logs[0].Size != 7 {
			t.Fatalf("the logs are %s (%v)", body, err)
		}
		published := list.Logs[0]
		prefix := published.URL[len(a.BaseURL()):]
		_, signed := v.page(prefix+"/checkpoint", nil)
		checkpoint, err := transparency.OpenCheckpoint([]byte(signed), published.Key)
		if err != nil || checkpoint.Size != 7 {
			t.Fatalf("the checkpoint %q: %v", signed, err)
		}
		entries := readLog(t, v.base+prefix, tlog.Tree{N: checkpoint.Size, Hash: checkpoint.Root})
		verifier, err := note.NewVerifier(published.Key)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range report.Rows {
			proof, text := provenEntry(t, c, row.UUID)
			policy := torchwood.ThresholdPolicy(2, torchwood.SingleVerifierPolicy(verifier), torchwood.OriginPolicy(checkpoint.Origin))
			if err := torchwood.VerifyProof(policy, tlog.RecordHash(entries[proof.Index]), text); err != nil {
				t.Errorf("entry %d: %v", proof.Index, err)
			}
		}
		// An auditor on another machine reads all of it, and again when it has grown.
		auditor := transparency.Auditor{Memory: filepath.Join(t.TempDir(), "seen"), At: time.Date(2026, 5, 3, 12, 0, 0, 0, time.UTC)}
		site := transparency.Site{Transport: http.DefaultTransport, URL: v.base}
		for i, size := range []int64{7, 9} {
			if i > 0 {
				more := manifestOf(t, 9) // of which 7 are issued
				more.NoWait = false
				bulk(t, c, more)
			}
			found, err := auditor.Audit(t.Context(), site, site.URL)
			if err != nil || len(found) != 1 || found[0].Finding != transparency.Consistent || found[0].Checkpoint.Size != size || (found[0].Before != nil) != (i > 0) {
				t.Fatalf("the audit says %+v (%v)", found, err)
			}
		}
		for _, path := range []string{"/log/x/checkpoint", prefix + "/tile/0/001", prefix + "/tile/0/000", prefix + "/tile/9", prefix + "/other"} {
			if status, _ := v.page(path, nil); status != http.StatusNotFound {
				t.Errorf("%s: status %d", path, status)
			}
		}
	})
}

// readLog reads all entries of a published log, each with its proof.
func readLog(t *testing.T, url string, tree tlog.Tree) (entries [][]byte) {
	t.Helper()
	fetcher, err := torchwood.NewTileFetcher(url)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := torchwood.NewClient(fetcher)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range reader.AllEntries(t.Context(), tree, 0) {
		entries = append(entries, e)
	}
	if reader.Err() != nil || int64(len(entries)) != tree.N {
		t.Fatalf("%d of %d entries were read: %v", len(entries), tree.N, reader.Err())
	}
	return entries
}

// provenEntry verifies a certificate's PDF and returns the proof in it.
func provenEntry(t *testing.T, c *adminclient.Client, uuid string) (transparency.Proof, []byte) {
	t.Helper()
	var file bytes.Buffer
	if _, err := c.Download(t.Context(), uuid, &file); err != nil {
		t.Fatal(err)
	}
	found, err := pdf.Verify(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil || !found.Valid || found.Signatures[0].Log.Proof == nil {
		t.Fatalf("the verdict is %s (%v)", found.Sentence, err)
	}
	return *found.Signatures[0].Log.Proof, found.Signatures[0].Log.Signed
}
