package results_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/blob/blobtest"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
)

type tails map[uint64][]byte

func (t tails) Tail(_ context.Context, id uint64) ([]byte, error) { return t[id], nil }

// issued makes a writer and n approved certificates.
func issued(t *testing.T, n int) (*results.Exporter, []vault.Certificate) {
	t.Helper()
	blobs := blobtest.NewMemory()
	w := &results.Exporter{Updates: tails{}, Blobs: blobs}
	var all []vault.Certificate
	for i := range n {
		document := strings.Repeat("d", i+1)
		st, err := blobs.Stage(t.Context(), strings.NewReader(document), 1<<20)
		if err == nil {
			err = blobs.Commit(t.Context(), st)
		}
		if err != nil {
			t.Fatal(err)
		}
		tail := []byte("tail")
		sum := sha256.Sum256([]byte(document + "tail"))
		w.Updates.(tails)[uint64(i+1)] = tail
		all = append(all, vault.Certificate{
			ID: uint64(i + 1), Identity: vault.Identity{Reference: "VEC-IC-2026000000000000" + string(rune('A'+i))}, Status: vault.Approved,
			File: vault.File{Name: "d" + string(rune('a'+i)) + ".pdf"},
			Verified: &vault.Verified{Document: vault.Document{SHA256: st.SHA256, Size: st.Size},
				TailSize: int64(len(tail)), SHA256: hex.EncodeToString(sum[:])},
		})
	}
	return w, all
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		found = append(found, e.Name())
	}
	return found
}

func TestExport(t *testing.T) {
	w, all := issued(t, 12)
	dir := t.TempDir()
	// One is there, whole; one was cut off; one is half-written by a run that died.
	kept := filepath.Join(dir, all[0].VerifiedFileName())
	cut := filepath.Join(dir, all[1].VerifiedFileName())
	part := filepath.Join(dir, "."+all[2].Reference+".part")
	for path, body := range map[string]string{kept: "dtail", cut: "d", part: strings.Repeat("rubbish", 100)} {
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.Stat(kept)
	if err != nil {
		t.Fatal(err)
	}
	if damaged, err := w.Export(t.Context(), dir, all); err != nil || damaged != nil {
		t.Fatal(damaged, err)
	}
	var want []string
	for _, c := range all {
		want = append(want, c.VerifiedFileName())
		body, err := os.ReadFile(filepath.Join(dir, c.VerifiedFileName()))
		if sum := sha256.Sum256(body); err != nil || hex.EncodeToString(sum[:]) != c.Verified.SHA256 {
			t.Errorf("%s: %q, %v", c.VerifiedFileName(), body, err)
		}
	}
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("the folder holds %v, want %v", got, want)
	}
	if after, err := os.Stat(kept); err != nil || !os.SameFile(before, after) {
		t.Error("a file that was whole was written anew")
	}
}

// PDFs whose bytes are all copied are the same as others.
func TestExportOfCopies(t *testing.T) {
	for _, keep := range []results.Keep{results.KeepLinks, results.KeepCopies} {
		blobs, err := blob.OpenFolder(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		document := strings.Repeat("d", 9000)
		st, err := blobs.Stage(t.Context(), strings.NewReader(document), 1<<20)
		if err == nil {
			err = blobs.Commit(t.Context(), st)
		}
		if err != nil {
			t.Fatal(err)
		}
		w := &results.Exporter{Updates: tails{1: []byte("tail")}, Blobs: blobs, Keep: keep}
		c := vault.Certificate{ID: 1, Identity: vault.Identity{Reference: "VEC-IC-2026000000000000A"}, Status: vault.Approved, File: vault.File{Name: "d.pdf"},
			Verified: &vault.Verified{Document: vault.Document{SHA256: st.SHA256, Size: st.Size}, TailSize: 4}}
		dir := t.TempDir()
		if damaged, err := w.Export(t.Context(), dir, []vault.Certificate{c}); err != nil || damaged != nil {
			t.Fatal(damaged, err)
		}
		body, err := os.ReadFile(filepath.Join(dir, c.VerifiedFileName()))
		if err != nil || string(body) != document+"tail" {
			t.Errorf("%s: %d bytes, %v", keep, len(body), err)
		}
	}
}

// A damaged document keeps its own PDF from being written, and says whose it is;
// another failure leaves nothing half done.
func TestExportThatFails(t *testing.T) {
	w, all := issued(t, 3)
	w.Updates.(tails)[2] = []byte("short")[:2]
	dir := t.TempDir()
	damaged, err := w.Export(t.Context(), dir, all)
	message, _ := fault.Message(damaged[all[1].ID])
	if err != nil || len(damaged) != 1 || !fault.Is(damaged[all[1].ID], fault.Damaged) || !strings.Contains(message, all[1].Reference) {
		t.Errorf("got %v, %v", damaged, err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{all[0].VerifiedFileName(), all[2].VerifiedFileName()}) {
		t.Errorf("the folder holds %v", got)
	}
	w, all = issued(t, 3)
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, all[1].VerifiedFileName()), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Export(t.Context(), dir, all); err == nil {
		t.Error("a folder in the place of a file was taken for it")
	}
	for _, name := range names(t, dir) {
		if strings.HasPrefix(name, ".") {
			t.Errorf("%s is left behind", name)
		}
	}
}

func TestOpenOfWhatIsNotThere(t *testing.T) {
	w, all := issued(t, 1)
	unverified := all[0]
	unverified.Verified = nil
	if _, err := w.Open(t.Context(), unverified); !fault.Is(err, fault.NotFound) {
		t.Errorf("not verified yet: %v", err)
	}
	v, err := w.Open(t.Context(), all[0])
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	var b bytes.Buffer
	if n, err := v.WriteTo(&b); b.String() != "dtail" || n != 5 || err != nil {
		t.Errorf("%q, %d, %v", b.String(), n, err)
	}
}

func TestReport(t *testing.T) {
	m, err := manifest.Read([]byte("title,name,email,file\nD,A,a@x.org,a.pdf\nD,B,b@x.org,b.pdf\n"), manifest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	rows := []manifest.ReportRow{{Row: 1, Status: "issued"}, {Row: 2, Status: "rejected", Error: "why"}}
	if err := new(results.Exporter).WriteReport(dir, rows, m); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"rejected.csv", "rejected.xlsx", "report.csv"}) {
		t.Errorf("the folder holds %v", got)
	}
	// A later run that refuses none takes the list of the refused away.
	if err := new(results.Exporter).WriteReport(dir, rows[:1], m); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"report.csv"}) {
		t.Errorf("the folder holds %v", got)
	}
}
