package client_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/clienttest"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/zipstream"
)

// archiveVault is a vault with finished certificates that has a call for many documents.
type archiveVault struct {
	documents int
	skipped   map[int]bool

	mu    sync.Mutex
	cuts  []int // bytes after which the next answers break off
	sent  int   // documents
	calls int
}

func (*archiveVault) reference(i int) string { return fmt.Sprintf("VEC-IC-2026%013X", i) }
func (v *archiveVault) name(i int) string    { return fmt.Sprintf("p%d-%s.pdf", i, v.reference(i)) }
func (*archiveVault) content(i int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "document %d\n", i), 20+i%30)
}

func (v *archiveVault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/download") {
		total := map[string]int{"processing": 2, "revoked": 1}[r.URL.Query().Get("status")]
		data := ""
		if total > 0 {
			data = fmt.Sprintf(`{"uuid": "u", "status": {"value": %q}}`, r.URL.Query().Get("status"))
		}
		fmt.Fprintf(w, `{"data": [%s], "meta": {"current_page": 1, "last_page": 1, "total": %d}}`, data, total)
		return
	}
	v.mu.Lock()
	v.calls++
	cut := -1
	if len(v.cuts) > 0 {
		cut, v.cuts = v.cuts[0], v.cuts[1:]
	}
	v.mu.Unlock()
	from := v.documents
	if after := r.URL.Query().Get("after"); after != "" {
		if _, err := fmt.Sscanf(after, "VEC-IC-2026%X", &from); err != nil {
			panic(err)
		}
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set(client.TotalHeader, fmt.Sprint(from))
	z := zipstream.NewWriter(&cutWriter{w, cut})
	defer z.Discard()
	for i := from - 1; i >= 0; i-- {
		name, content := v.name(i), v.content(i)
		if v.skipped[i] {
			name, content = v.reference(i)+client.SkippedSuffix, []byte("damaged\n")
		}
		if z.Add(zipstream.Entry{Name: name, Size: int64(len(content)), CRC32: crc32.ChecksumIEEE(content)}, bytes.NewReader(content)) != nil {
			panic(http.ErrAbortHandler)
		}
		v.mu.Lock()
		v.sent++
		v.mu.Unlock()
	}
	if z.Close() != nil {
		panic(http.ErrAbortHandler)
	}
}

// cutWriter breaks off after some bytes; negative is never.
type cutWriter struct {
	http.ResponseWriter
	left int
}

func (w *cutWriter) Write(p []byte) (int, error) {
	if w.left >= 0 {
		if w.left -= len(p); w.left < 0 {
			_, _ = w.ResponseWriter.Write(p[:len(p)+w.left])
			return 0, io.ErrShortWrite
		}
	}
	return w.ResponseWriter.Write(p)
}

// wantSaved reads what was saved, and fails unless it is whole.
func (v *archiveVault) wantSaved(t *testing.T, out string) {
	t.Helper()
	got := map[string][]byte{}
	if strings.HasSuffix(out, ".zip") {
		z, err := zip.OpenReader(out)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			if got[f.Name], err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		}
		if len(got) != len(z.File) {
			t.Errorf("%d entries have %d names", len(z.File), len(got))
		}
	} else {
		entries, err := os.ReadDir(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if got[e.Name()], err = os.ReadFile(filepath.Join(out, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(got) != v.documents {
		t.Errorf("%s has %d files, want %d", out, len(got), v.documents)
	}
	for i := range v.documents {
		if v.skipped[i] {
			if got[v.reference(i)+client.SkippedSuffix] == nil {
				t.Errorf("nothing says that document %d was skipped", i)
			}
		} else if !bytes.Equal(got[v.name(i)], v.content(i)) {
			t.Errorf("document %d: %.40q", i, got[v.name(i)])
		}
	}
	left, err := filepath.Glob(out + ".*")
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}

func noSleep(context.Context, time.Duration) error { return nil }

func saverOf(t *testing.T, h http.Handler) *client.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	api, err := client.New(server.URL, clienttest.Token, server.Client().Transport)
	if err != nil {
		t.Fatal(err)
	}
	policy := client.RetryTransient()
	policy.Sleep = noSleep
	return api.WithRetries(policy)
}

// TestSaveBrokenOff continues where the connection broke, within one run.
func TestSaveBrokenOff(t *testing.T) {
	t.Parallel()
	for _, out := range []string{"x.zip", "folder"} {
		v := &archiveVault{documents: 300, skipped: map[int]bool{7: true, 200: true}}
		cuts := []int{0, 10, 20_000, 100, 333, 55_555, 12_345, 3, 9_999}
		v.cuts = cuts
		api, out := saverOf(t, v), filepath.Join(t.TempDir(), out)
		r, err := api.Save(t.Context(), client.Filter{Batch: "b"}, out, func(client.Progress) {})
		if err != nil {
			t.Fatal(err)
		}
		if r.Downloaded != 298 || r.Total != 300 || len(r.Skipped) != 2 || r.Skipped[0].Reason != "damaged" || r.Processing != 2 || r.Revoked != 1 || r.Complete() {
			t.Errorf("the report: %+v", r)
		}
		if v.sent > v.documents+len(cuts) {
			t.Errorf("%d documents were sent, of %d", v.sent, v.documents)
		}
		v.wantSaved(t, out)
	}
}

// TestSaveInterrupted interrupts run after run; the last one has everything.
func TestSaveInterrupted(t *testing.T) {
	t.Parallel()
	for _, out := range []string{"x.zip", "folder"} {
		v := &archiveVault{documents: 700, skipped: map[int]bool{650: true}}
		api, out := saverOf(t, v), filepath.Join(t.TempDir(), out)
		for runs := 0; ; runs++ {
			ctx, stop := context.WithCancel(t.Context())
			seen := 0
			r, err := api.Save(ctx, client.Filter{Search: "p"}, out, func(at client.Progress) {
				if at.Total != v.documents {
					t.Fatalf("progress: %+v", at)
				}
				if seen++; seen == 150 {
					stop()
				}
			})
			stop()
			if err == nil {
				if r.Total != 700 || r.Downloaded+r.Unchanged != 699 || len(r.Skipped) != 1 || runs < 3 {
					t.Errorf("after %d interruptions: %+v", runs, r)
				}
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if _, err := api.Save(t.Context(), client.Filter{Search: "other"}, out, func(client.Progress) {}); !fault.Is(err, fault.Invalid) {
				t.Errorf("another download into the same place: %v", err)
			}
		}
		if v.calls > 6 {
			t.Errorf("%d calls", v.calls)
		}
		v.wantSaved(t, out)
	}
}

// TestSaveAgain finds what is there already, and replaces what is not as it should be.
func TestSaveAgain(t *testing.T) {
	t.Parallel()
	v := &archiveVault{documents: 5}
	api, out := saverOf(t, v), filepath.Join(t.TempDir(), "folder")
	save := func() client.SaveReport {
		t.Helper()
		r, err := api.Save(t.Context(), client.Filter{}, out, func(client.Progress) {})
		if err != nil {
			t.Fatal(err)
		}
		v.wantSaved(t, out)
		return r
	}
	save()
	damaged := bytes.ToUpper(v.content(3))
	if err := errors.Join(os.WriteFile(filepath.Join(out, v.name(3)), damaged, 0o600), os.Remove(filepath.Join(out, v.name(1)))); err != nil {
		t.Fatal(err)
	}
	if r := save(); r.Downloaded != 2 || r.Unchanged != 3 {
		t.Errorf("again: %+v", r)
	}
	v.skipped = map[int]bool{4: true}
	if err := os.Remove(filepath.Join(out, v.name(4))); err != nil {
		t.Fatal(err)
	}
	save()
	v.skipped = nil
	if r := save(); r.Downloaded != 1 || r.Unchanged != 4 { // and the note is gone
		t.Errorf("once it can be read: %+v", r)
	}
}

// TestSaveOneByOne downloads from vaults that have no call for many documents.
func TestSaveOneByOne(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) *clienttest.Server{"guide": clienttest.Guide, "reference": clienttest.Reference} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			var want []string
			for i := range 230 {
				email := fmt.Sprintf("p%d@example.com", i)
				s.Issue(vault.Content{Title: "Diploma", Name: "Ann", Email: email, IssueDate: "2026-06-01"})
				want = append(want, s.Reference(email)+".pdf")
			}
			api, err := client.New(s.URL, clienttest.Token, http.DefaultTransport)
			if err != nil {
				t.Fatal(err)
			}
			for _, out := range []string{filepath.Join(t.TempDir(), "x.zip"), filepath.Join(t.TempDir(), "folder")} {
				ctx, stop := context.WithCancel(t.Context())
				_, err := api.Save(ctx, client.Filter{Search: "p"}, out, func(at client.Progress) {
					if at.Done == 170 {
						stop()
					}
				})
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				r, err := api.Save(t.Context(), client.Filter{Search: "p"}, out, func(client.Progress) {})
				if err != nil || r.Total != 230 || r.Unchanged != 170 || r.Downloaded != 60 {
					t.Errorf("%s: %+v %v", out, r, err)
				}
				var names []string
				if z, err := zip.OpenReader(out); err == nil {
					for _, f := range z.File {
						names = append(names, f.Name)
					}
					z.Close()
				} else {
					files, err := os.ReadDir(out)
					if err != nil {
						t.Fatal(err)
					}
					for _, f := range files {
						names = append(names, f.Name())
					}
				}
				slices.Sort(names)
				slices.Sort(want)
				if !slices.Equal(names, want) {
					t.Errorf("%s: %d names", out, len(names))
				}
			}
			if _, err := api.Save(t.Context(), client.Filter{Search: "nobody"}, filepath.Join(t.TempDir(), "n.zip"), func(client.Progress) {}); !fault.Is(err, fault.NotFound) {
				t.Errorf("nothing that matches: %v", err)
			}
			// A vault that does not say what belongs to a batch must not deliver everything.
			if _, err := api.Save(t.Context(), client.Filter{Batch: "b"}, filepath.Join(t.TempDir(), "n.zip"), func(client.Progress) {}); err == nil {
				t.Error("a batch of a vault that does not know batches")
			}
		})
	}
}

// TestArchiveNames takes no file name from a vault that leads out of the folder.
func TestArchiveNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"../../x-VEC-IC-20260000000000001.pdf": "VEC-IC-20260000000000001.pdf", `..\x-VEC-IC-20260000000000001.pdf`: "VEC-IC-20260000000000001.pdf",
		".x-VEC-IC-20260000000000001.pdf": "VEC-IC-20260000000000001.pdf", "ann.pdf": "", "../VEC-IC-1.skipped.txt": "",
	} {
		out := filepath.Join(t.TempDir(), "a", "b")
		api := saverOf(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/zip")
			z := zipstream.NewWriter(w)
			if err := errors.Join(z.Add(zipstream.Entry{Name: name, Size: 1, CRC32: crc32.ChecksumIEEE([]byte("x"))}, strings.NewReader("x")), z.Close()); err != nil {
				t.Error(err)
			}
		}))
		_, err := api.Save(t.Context(), client.Filter{}, out, func(client.Progress) {})
		if want == "" {
			if err == nil {
				t.Errorf("%s was taken", name)
			}
			continue
		}
		if _, err := os.Stat(filepath.Join(out, want)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
