package signing_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecctl/vecctl/agent/signing"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Documents that hang keep a goroutine each, so a process ends itself before there
// are many of them; nothing that waits is lost.
func TestTooManyDocumentsThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(200)
		release := make(chan struct{})
		var mu sync.Mutex
		hanging := 0
		ended := make(chan error, 1)
		p := signing.New(q, func(_ context.Context, c vault.Certificate) (store.Change, error) {
			if c.ID%2 == 0 {
				return approve, nil
			}
			mu.Lock()
			hanging++
			mu.Unlock()
			<-release
			return nil, errors.New("released")
		}, signing.Options{Workers: 4, TimeLimit: time.Second, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		go func() { ended <- p.Run(t.Context()) }()
		err := <-ended
		message, _ := fault.Message(err)
		if !strings.Contains(message, "hang") || !strings.Contains(message, "started again") {
			t.Errorf("it ended with %v", err)
		}
		mu.Lock()
		if hanging > 12 {
			t.Errorf("%d documents hang", hanging)
		}
		mu.Unlock()
		if left := len(q.jobs); left+q.of(vault.Approved) != 200 {
			t.Errorf("%d jobs are left, %d are done", left, q.of(vault.Approved))
		}
		close(release)
	})
}

// A document that hangs does not keep the end waiting, and costs no attempt.
func TestTheEndWithADocumentThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(10)
		release := make(chan struct{})
		stop := start(t, q, func(_ context.Context, c vault.Certificate) (store.Change, error) {
			if c.ID == 3 {
				<-release
			}
			return approve, nil
		}, signing.Options{})
		time.Sleep(time.Second)
		begun := time.Now()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > 8*time.Second {
			t.Errorf("the end took %v", took)
		}
		if j := q.jobs[3]; len(q.jobs) != 1 || j.Attempt != 0 || j.Claimed {
			t.Errorf("left: %+v", q.jobs)
		}
		close(release)
	})
}

// What an attempt did is told by its outcome, whatever the work calls it.
func TestAttemptsAreObserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(4)
		var mu sync.Mutex
		seen := map[signing.Result]int{}
		full := true
		stop := start(t, q, func(_ context.Context, c vault.Certificate) (store.Change, error) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case c.ID == 2:
				return func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
					return c.Fail(vault.Failure{Code: "encrypted", Reason: "it has a password"}, time.Now())
				}, nil
			case c.ID == 3:
				return nil, errors.New("broken")
			case c.ID == 4 && full:
				full = false
				return nil, fault.New(fault.Full, "the disk is full")
			}
			return approve, nil
		}, signing.Options{Observe: func(r signing.Result, took time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			seen[r]++
		}})
		time.Sleep(10 * time.Minute)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		want := map[signing.Result]int{signing.Approved: 2, signing.Failed: 2, signing.Retried: 2, signing.Held: 1}
		for r, n := range want {
			if seen[r] != n {
				t.Errorf("%s was told %d times, want %d", r, seen[r], n)
			}
		}
	})
}

// deadly is the environment variable that makes the test binary work on a store
// in which one document ends the process.
const deadly = "PROCESS_TEST_STORE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(deadly); dir != "" {
		if err := workOn(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const victim = "Person 5"

// workOn is what an agent does at its start and then, until nothing is left.
func workOn(dir string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	db, err := bolt.Open(filepath.Join(dir, "vault.db"), time.Second)
	if err != nil {
		return err
	}
	if _, err := db.RequeueOrphaned(ctx, nil, time.Now()); err != nil {
		return err
	}
	p := signing.New(db, func(_ context.Context, c vault.Certificate) (store.Change, error) {
		if c.Name == victim {
			os.Exit(3) // as a crash, or the system's memory killer, would end it
		}
		return approve, nil
	}, signing.Options{Workers: 2, Now: time.Now, Log: slog.New(slog.DiscardHandler), OnSettled: func([]uint64) {
		if counts, err := db.Counts(ctx, 1); err == nil && counts.Of(vault.Processing) == 0 {
			cancel()
		}
	}})
	return errors.Join(p.Run(ctx), db.Close())
}

// A document that ends the process is set aside after some deaths, three of them
// on its own; its neighbours are done and not blamed.
func TestADocumentThatEndsTheProcess(t *testing.T) {
	dir := t.TempDir()
	acceptMany(t, filepath.Join(dir, "vault.db"), 40)
	deaths := 0
	for ; ; deaths++ {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), deadly+"="+dir)
		out, err := cmd.CombinedOutput()
		if err == nil {
			break
		}
		if code := cmd.ProcessState.ExitCode(); code != 3 || deaths > 6 {
			t.Fatalf("death %d: exit code %d: %s", deaths, code, out)
		}
	}
	db, err := bolt.Open(filepath.Join(dir, "vault.db"), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	page, err := db.List(t.Context(), store.Filter{Institution: 1}, 1, 100)
	if err != nil || len(page.Certificates) != 40 {
		t.Fatal(len(page.Certificates), err)
	}
	for _, c := range page.Certificates {
		if c.Name == victim {
			if c.Status != vault.Failed || c.Failure.Code != vault.CodeCrashed {
				t.Errorf("the document at fault is %s: %+v", c.Status, c.Failure)
			}
		} else if c.Status != vault.Approved {
			t.Errorf("%s is %s: %+v", c.Name, c.Status, c.Failure)
		}
	}
	if deaths != 6 {
		t.Errorf("it was set aside after %d deaths", deaths)
	}
}

func acceptMany(t *testing.T, path string, n int) {
	t.Helper()
	db, err := bolt.Open(path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	i, err := db.AddInstitution(t.Context(), vault.Institution{Name: "X", TimeZone: "UTC", CreatedAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.NewChaCha8([32]byte{1})
	rows := make([]store.NewCertificate, n)
	for k := range rows {
		id, err := vault.NewIdentity(random, time.Now(), 2026)
		if err != nil {
			t.Fatal(err)
		}
		c, effects := vault.Accept(vault.Draft{
			Content: vault.Content{Title: "Diploma", Name: fmt.Sprintf("Person %d", k), Email: fmt.Sprintf("p%d@example.org", k), IssueDate: "2026-05-02"},
			Trigger: vault.BulkUpload, File: vault.File{Name: "d.pdf", Format: "pdf", Size: 1, SHA256: strings.Repeat("ab", 32)},
		}, i.ID, id, time.Now())
		rows[k] = store.NewCertificate{Certificate: c, Effects: effects}
	}
	if _, err := db.Insert(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
}
