package backup_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	files "github.com/vecctl/vecctl/agent/backup"
	"github.com/vecctl/vecctl/pkg/backup"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// later does something after the snapshot was taken.
type later struct {
	store.Store
	then func()
}

func (l later) Snapshot(ctx context.Context, fn func(store.Snapshot) error) error {
	err := l.Store.Snapshot(ctx, fn)
	l.then()
	return err
}

// newHome is a home with one uploaded document and files of every sort.
func newHome(t *testing.T) (h files.Home, s *bolt.Store, sum string) {
	t.Helper()
	root := t.TempDir()
	s, err := bolt.Open(filepath.Join(root, "vault.db"), time.Second)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	blobs, err := blob.OpenFolder(filepath.Join(root, "blobs"))
	must(t, err)
	staged, err := blobs.Stage(t.Context(), strings.NewReader("document"), 100)
	must(t, err)
	must(t, blobs.Commit(t.Context(), staged))
	must(t, s.AddUpload(t.Context(), apiaccess.Upload{ID: "9e3b101f-c264-4f97-945f-20dfa7163768", Institution: 1,
		File: vault.File{SHA256: staged.SHA256, Size: 8}, CreatedAt: time.Now()}, nil))
	for _, name := range []string{"config.yaml", "keys/signing.pem", "drop/a.pdf", "incoming/b/a.pdf", "verified/b/report.csv",
		"verified/b/x.pdf", "verified/b/.x.part", "vault.db.schema-1", ".tmp-0-1", "holder.json", "mail/one.eml",
		"vecctl-00c0ffee-20260502T080000Z.tar.zst"} {
		path := filepath.Join(root, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, []byte(name), 0o600))
	}
	return files.Home{Root: root, Store: s, Blobs: blobs, Database: "vault.db", Incoming: []string{"drop", "incoming"},
		Omitted: []string{"holder.json"}, Outcomes: "verified"}, s, staged.SHA256
}

func members(t *testing.T, body []byte) (names []string) {
	t.Helper()
	_, err := backup.Read(t.Context(), bytes.NewReader(body), func(m backup.Entry, _ io.Reader) error {
		names = append(names, m.Name)
		return nil
	})
	must(t, err)
	return names
}

// take takes a backup and returns its members in order.
func take(t *testing.T, h files.Home, have ...string) (names []string, body []byte) {
	t.Helper()
	var out bytes.Buffer
	header := backup.Header{ID: "1", MadeAt: time.Now()}
	if len(have) > 0 {
		header.Since = &backup.Base{ID: "0", File: "x"}
	}
	_, err := h.Write(t.Context(), header, have, &out)
	must(t, err)
	return members(t, out.Bytes()), out.Bytes()
}

func TestWhatIsKeptAndInWhichOrder(t *testing.T) {
	t.Parallel()
	h, _, sum := newHome(t)
	names, _ := take(t, h)
	want := []string{"drop/a.pdf", "incoming/b/a.pdf", "vault.db", "config.yaml", "keys/signing.pem", "mail/one.eml",
		"verified/b/report.csv", "blobs/" + sum[:2] + "/" + sum}
	if !slices.Equal(names, want) {
		t.Errorf("kept %q, want %q", names, want)
	}
	if names, _ = take(t, h, sum); slices.Contains(names, want[len(want)-1]) {
		t.Error("a document that the backup before has is there again")
	}
}

// What lies elsewhere, and is led to by a link, belongs to the home all the same.
func TestLinksAreFollowed(t *testing.T) {
	t.Parallel()
	h, _, _ := newHome(t)
	must(t, os.MkdirAll(filepath.Join(h.Root, "templates", "own"), 0o700))
	must(t, os.WriteFile(filepath.Join(h.Root, "templates", "own", "template.yaml"), nil, 0o600))
	want, _ := take(t, h)
	elsewhere := t.TempDir()
	for _, name := range []string{"config.yaml", "keys", "blobs", "drop", "verified", "templates/own"} {
		moved := filepath.Join(elsewhere, filepath.Base(name))
		must(t, os.Rename(filepath.Join(h.Root, name), moved))
		if err := os.Symlink(moved, filepath.Join(h.Root, name)); err != nil {
			t.Skip("no links here:", err)
		}
	}
	must(t, os.Symlink(filepath.Join(elsewhere, "nothing"), filepath.Join(h.Root, "nowhere")))
	must(t, os.Symlink(filepath.Dir(h.Root), filepath.Join(h.Root, "above")))
	must(t, os.Symlink(h.Root, filepath.Join(h.Root, "templates", "itself")))
	link := filepath.Join(elsewhere, "home")
	must(t, os.Symlink(h.Root, link))
	for _, h.Root = range []string{h.Root, link} {
		if names, _ := take(t, h); !slices.Equal(names, want) {
			t.Errorf("of %s was kept %q, want %q", h.Root, names, want)
		}
	}
}

// A document that the snapshot names is in the backup, even where nobody needs it
// any more by the time that it is its turn, and the sweep comes round.
func TestTheSweepWaitsForABackup(t *testing.T) {
	t.Parallel()
	h, s, sum := newHome(t)
	sweep := func() int {
		removed := 0
		for part := range blob.Parts {
			n, err := h.Blobs.Sweep(t.Context(), part, time.Now().Add(time.Hour), s.BlobReferenced)
			must(t, err)
			removed += n
		}
		return removed
	}
	h.Store = later{s, func() {
		if n, err := s.DeleteExpired(t.Context(), time.Now().AddDate(1, 0, 0)); err != nil || n == 0 {
			t.Errorf("%d uploads expired, %v", n, err)
		}
		if n := sweep(); n != 0 {
			t.Errorf("%d documents were swept during the backup", n)
		}
	}}
	names, body := take(t, h)
	if !slices.Contains(names, "blobs/"+sum[:2]+"/"+sum) {
		t.Errorf("kept %q", names)
	}
	path, root := filepath.Join(t.TempDir(), "b"), filepath.Join(t.TempDir(), "home")
	must(t, os.WriteFile(path, body, 0o600))
	_, err := backup.Chain{Path: path}.Restore(t.Context(), root, func(staged string) error {
		missing, err := files.Missing(t.Context(), staged, "vault.db")
		if len(missing) > 0 {
			t.Errorf("missing: %v", missing)
		}
		return err
	})
	must(t, err)
	if n := sweep(); n != 1 {
		t.Errorf("%d documents were swept after it", n)
	}
}

func TestALostDocument(t *testing.T) {
	t.Parallel()
	h, _, sum := newHome(t)
	must(t, os.Remove(filepath.Join(h.Root, "blobs", sum[:2], sum)))
	var out bytes.Buffer
	found, err := h.Write(t.Context(), backup.Header{ID: "1"}, nil, &out)
	if err != nil || !slices.Equal(found.Damaged, []string{sum}) {
		t.Errorf("found %v, %v", found.Damaged, err)
	}
	path := filepath.Join(t.TempDir(), "b")
	must(t, os.WriteFile(path, out.Bytes(), 0o600))
	_, err = backup.Chain{Path: path}.Restore(t.Context(), filepath.Join(t.TempDir(), "home"), func(staged string) error {
		missing, err := files.Missing(t.Context(), staged, "vault.db")
		if !slices.Equal(missing, []string{sum}) {
			t.Errorf("missing: %v", missing)
		}
		return err
	})
	must(t, err)
}

func TestABackupWithoutADatabase(t *testing.T) {
	t.Parallel()
	if _, err := files.Missing(t.Context(), t.TempDir(), "vault.db"); !fault.Is(err, fault.Damaged) {
		t.Errorf("got %v", err)
	}
}
