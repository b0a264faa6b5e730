package bolt_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
)

var now = time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)

// row makes an acceptance; rows of different numbers differ in all that must.
func row(t testing.TB, n int) store.NewCertificate {
	t.Helper()
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], uint64(n))
	id, err := vault.NewIdentity(rand.NewChaCha8(seed), now, 2026)
	if err != nil {
		t.Fatal(err)
	}
	d := vault.Draft{
		Content: vault.Content{Title: "Diploma", Name: fmt.Sprintf("Recipient %d", n), Email: fmt.Sprintf("p%d@example.com", n), IssueDate: "2026-05-02"},
		Undated: true, Batch: "batch", Trigger: vault.BulkUpload, File: vault.File{Name: "d.pdf", SHA256: fmt.Sprintf("%064x", n)},
	}
	c, fx := vault.Accept(d, 1, id, now)
	key := d.FreezeKey()
	return store.NewCertificate{Certificate: c, Effects: fx, Freeze: &key}
}

func approve(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
	return c.Approve(vault.Verified{TailSize: 4}, []byte("the tail of it"), now)
}

// populate keeps an institution, a batch, five certificates, one of them
// approved, and a claimed job.
func populate(t testing.TB, s *bolt.Store) []vault.Certificate {
	t.Helper()
	ctx := t.Context()
	_, err := s.AddInstitution(ctx, vault.Institution{Name: "University", TimeZone: "UTC", CreatedAt: now})
	must(t, err)
	_, err = s.OpenBatch(ctx, vault.Batch{ID: "batch", Institution: 1, Name: "spring", Digest: "digest", CreatedAt: now})
	must(t, err)
	rows := make([]store.NewCertificate, 5)
	for i := range rows {
		rows[i] = row(t, i)
	}
	done, err := s.Insert(ctx, rows)
	must(t, err)
	all := make([]vault.Certificate, len(done))
	for i := range done {
		all[i] = done[i].Certificate
	}
	all[0], err = s.Change(ctx, 1, all[0].UUID, approve)
	must(t, err)
	_, err = s.Claim(ctx, store.Lane{Kind: vault.JobSign}, "worker", 1, now)
	must(t, err)
	return all
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// reads are the questions that touch everything that populate kept. Each
// returns what it found as text.
func reads(s *bolt.Store, c vault.Certificate, freeze vault.Key) map[string]func() (any, error) {
	ctx := context.Background()
	return map[string]func() (any, error){
		"by UUID":      func() (any, error) { return s.Certificate(ctx, 1, c.UUID) },
		"by reference": func() (any, error) { return s.Certificate(ctx, 1, c.Reference) },
		"by ID":        func() (any, error) { return s.ByID(ctx, c.ID) },
		"holders":      func() (any, error) { return s.KeyHolders(ctx, 1, []vault.Key{c.Key()}) },
		"frozen":       func() (any, error) { return s.FrozenDates(ctx, 1, []vault.Key{freeze}) },
		"list":         func() (any, error) { return s.List(ctx, store.Filter{Institution: 1}, 1, 9) },
		"status":       func() (any, error) { return s.List(ctx, store.Filter{Institution: 1, Status: vault.Approved}, 1, 9) },
		"e-mail":       func() (any, error) { return s.List(ctx, store.Filter{Institution: 1, Email: c.Email}, 1, 9) },
		"batch":        func() (any, error) { return s.List(ctx, store.Filter{Institution: 1, Batch: "batch"}, 1, 9) },
		"days":         func() (any, error) { return s.List(ctx, store.Filter{Institution: 1, From: "2026-05-02"}, 1, 9) },
		"search":       func() (any, error) { return s.List(ctx, store.Filter{Institution: 1, Search: "recipient"}, 1, 9) },
		"short search": func() (any, error) { return s.List(ctx, store.Filter{Institution: 1, Search: "re"}, 1, 9) },
		"tail":         func() (any, error) { return s.Tail(ctx, c.ID) },
		"events":       func() (any, error) { return s.Events(ctx, c.ID) },
		"counts":       func() (any, error) { return s.Counts(ctx, 1) },
		"referenced":   func() (any, error) { return s.BlobReferenced(ctx, c.File.SHA256) },
		"next run":     func() (any, error) { return s.NextRun(ctx, store.Lane{Kind: vault.JobSign}) },
		"queues":       func() (any, error) { return s.Queues(ctx, now) },
		"find batch":   func() (any, error) { return s.FindBatch(ctx, 1, "digest") },
		"batches": func() (any, error) {
			all, n, err := s.Batches(ctx, 1, 1, 9)
			return fmt.Sprint(all, n), err
		},
		"institutions": func() (any, error) { return s.Institutions(ctx) },
	}
}

func TestWhatWasKeptIsThereAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	s, err := bolt.Open(path, time.Second)
	must(t, err)
	c := populate(t, s)[0]
	freeze := *row(t, 0).Freeze
	before := map[string]string{}
	for name, ask := range reads(s, c, freeze) {
		got, err := ask()
		must(t, err)
		before[name] = asText(t, got)
	}
	must(t, s.Close())

	s = open(t, path)
	for name, ask := range reads(s, c, freeze) {
		got, err := ask()
		if err != nil || asText(t, got) != before[name] {
			t.Errorf("%s: %s, %v; before %s", name, asText(t, got), err, before[name])
		}
	}
	if n, err := s.RequeueOrphaned(t.Context(), nil, now); err != nil || n != 1 {
		t.Errorf("released %d, %v; want the job that was claimed before", n, err)
	}
	done, err := s.Insert(t.Context(), []store.NewCertificate{row(t, 0), row(t, 9)})
	if err != nil || !done[0].Duplicate || done[1].Duplicate || done[1].Certificate.ID != 6 {
		t.Errorf("accepted %+v, %v", done, err)
	}
}

func asText(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	must(t, err)
	return string(b)
}

func TestTheFileIsForItsOwnerOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no permission bits")
	}
	path := filepath.Join(t.TempDir(), "vault.db")
	for range 2 {
		s, err := bolt.Open(path, time.Second)
		must(t, err)
		info, err := os.Stat(path)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, want 0600", info.Mode().Perm())
		}
		must(t, s.Close())
		must(t, os.Chmod(path, 0o664))
	}
}

// edit changes a closed store's file.
func edit(t *testing.T, path string, change func(tx *bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	must(t, err)
	must(t, db.Update(change))
	must(t, db.Close())
}

func TestANewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	s, err := bolt.Open(path, time.Second)
	must(t, err)
	must(t, s.Close())
	edit(t, path, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("meta")).Put([]byte("schema"), binary.BigEndian.AppendUint64(nil, 99))
	})
	before, err := os.ReadFile(path)
	must(t, err)
	_, err = bolt.Open(path, time.Second)
	message, _ := fault.Message(err)
	if !fault.Is(err, fault.Illegal) || !strings.Contains(message, "newer vecctl") || !strings.Contains(message, "99") {
		t.Errorf("error %v", err)
	}
	after, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(before, after) {
		t.Error("the refused file was changed")
	}
}

func TestAFileWithoutASchemaIsRefused(t *testing.T) {
	for name, change := range map[string]func(tx *bbolt.Tx) error{
		"another program's": func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucket([]byte("users"))
			return err
		},
		"one whose version is cut off": func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucket([]byte("meta"))
			if err != nil {
				return err
			}
			return b.Put([]byte("schema"), []byte{0, 1})
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "vault.db")
			edit(t, path, change)
			wantDamaged(t, name, openAndClose(path))
		})
	}
}

func openAndClose(path string) error {
	s, err := bolt.Open(path, time.Second)
	if err != nil {
		return err
	}
	return s.Close()
}

func TestOneProcessHoldsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	first, err := bolt.Open(path, time.Second)
	must(t, err)
	start := time.Now()
	_, err = bolt.Open(path, 60*time.Millisecond)
	if message, _ := fault.Message(err); !fault.Is(err, fault.Locked) || !strings.Contains(message, "another process") {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took < 50*time.Millisecond || took > 2*time.Minute {
		t.Errorf("gave up after %s", took)
	}
	if _, err := bolt.Open(path, 0); !fault.Is(err, fault.Locked) {
		t.Errorf("without waiting: %v", err)
	}

	opened := make(chan error)
	go func() {
		opened <- func() error {
			s, err := bolt.Open(path, time.Minute)
			if err != nil {
				return err
			}
			return s.Close()
		}()
	}()
	must(t, first.Close())
	if err := <-opened; err != nil {
		t.Errorf("after the first let go: %v", err)
	}
}

func TestAPlaceThatCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "missing", "vault.db")} {
		if err := openAndClose(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", path, err)
		}
	}
}
