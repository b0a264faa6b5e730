package retention

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// records counts what is asked of it.
type records struct {
	mu     sync.Mutex
	old    map[string]int // how many records of a kind are old
	asked  map[string][]time.Time
	looked map[string][]time.Time // that was counted
	next   time.Time              // when the first younger record was made
	audit  []audit.Action
	fail   error
}

func (r *records) forget(what string, before time.Time, n int) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[what] = append(r.asked[what], before)
	if r.fail != nil {
		return 0, r.fail
	}
	n = min(n, r.old[what])
	r.old[what] -= n
	return n, nil
}

func (r *records) DeleteOldDeliveries(_ context.Context, before time.Time, n int) (int, error) {
	return r.forget("deliveries", before, n)
}

func (r *records) DeleteOldInboundEvents(_ context.Context, before time.Time, n int) (int, error) {
	return r.forget("received", before, n)
}

func (r *records) DeleteOldMails(_ context.Context, before time.Time, n int) (int, error) {
	return r.forget("mails", before, n)
}

func (r *records) count(what string, before time.Time) (store.OldRecords, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looked[what] = append(r.looked[what], before)
	if r.fail != nil {
		return store.OldRecords{Count: 1}, nil // it fails when it is to be removed
	}
	return store.OldRecords{Count: r.old[what], Bytes: int64(100 * r.old[what]), Next: r.next}, nil
}

func (r *records) OldDeliveries(_ context.Context, before time.Time) (store.OldRecords, error) {
	return r.count("deliveries", before)
}

func (r *records) OldInboundEvents(_ context.Context, before time.Time) (store.OldRecords, error) {
	return r.count("received", before)
}

func (r *records) OldMails(_ context.Context, before time.Time) (store.OldRecords, error) {
	return r.count("mails", before)
}

func (r *records) OldEvidence(_ context.Context, before time.Time) (store.OldRecords, error) {
	return r.count("evidence", before)
}

// RecordAction keeps what was written down.
func (r *records) RecordAction(ctx context.Context) error {
	if p := audit.FromContext(ctx); p.Unrecorded() {
		r.audit = append(r.audit, p.Action)
		p.MarkRecorded()
	}
	return nil
}

func (r *records) DeleteOldEvidence(_ context.Context, before time.Time, n int) (int, error) {
	return r.forget("evidence", before, n)
}

// looks returns for which moments a kind was counted, and how many kinds were.
func (r *records) looks(what string) (before []time.Time, kinds int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.looked[what]), len(r.looked)
}

func newKeeper(limits Limits) (*Cleaner, *records, *bytes.Buffer) {
	r, log := &records{old: map[string]int{}, asked: map[string][]time.Time{}, looked: map[string][]time.Time{}}, &bytes.Buffer{}
	return &Cleaner{Store: r, Limits: limits, Evidence: r, Now: time.Now, Log: slog.New(slog.NewTextHandler(log, nil))}, r, log
}

// Once a day, not in a command that runs for moments, and never what has no limit.
func TestOnceADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, r, _ := newKeeper(Limits{Deliveries: 30 * day})
		start := time.Now()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- k.Run(ctx) }()
		time.Sleep(startDelay - time.Second)
		synctest.Wait()
		if _, kinds := r.looks(""); kinds > 0 {
			t.Error("it began at once")
		}
		time.Sleep(72 * time.Hour)
		synctest.Wait()
		looks, kinds := r.looks("deliveries")
		if len(looks) != 3 || kinds != 1 {
			t.Fatalf("in three days it asked %d times, for %d kinds", len(looks), kinds)
		}
		if want := start.Add(startDelay - 30*day); !looks[0].Equal(want) {
			t.Errorf("forgot what was made before %v, want %v", looks[0], want)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A clock that was wrong and is set back does not keep it from looking.
func TestAClockThatIsSet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, r, _ := newKeeper(Limits{Mails: day})
		var wrong atomic.Int64
		wrong.Store(int64(1000 * day))
		k.Now = func() time.Time { return time.Now().Add(time.Duration(wrong.Load())) }
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- k.Run(ctx) }()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		wrong.Store(0)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		stop()
		<-ended
		if looks, _ := r.looks("mails"); len(looks) != 2 {
			t.Errorf("it looked %d times", len(looks))
		}
	})
}

func TestManyAreForgottenInGroups(t *testing.T) {
	t.Parallel()
	k, r, log := newKeeper(Limits{Received: day, Mails: day})
	r.old["received"] = 2*batchSize + 5
	k.CleanDue(t.Context())
	if len(r.asked["received"]) != 3 || r.old["received"] != 0 || !strings.Contains(log.String(), `what="received events" number=2005`) {
		t.Errorf("%d calls, %d left; %s", len(r.asked["received"]), r.old["received"], log)
	}
	r.fail = errors.New("no")
	k.CleanDue(t.Context())
	if n := strings.Count(log.String(), "level=ERROR"); n != 2 {
		t.Errorf("one failure keeps it from the next: %s", log)
	}
}

// lay writes files of ages in days below a folder.
func lay(t *testing.T, root string, files map[string]int) {
	t.Helper()
	for name, age := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		at := time.Now().Add(-time.Duration(age)*day - time.Hour)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	// A folder is as old as what was last put into it.
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		at := time.Now().Add(-1000 * day)
		return os.Chtimes(path, at, at)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func left(t *testing.T, root string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, path)
		names = append(names, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestOldFiles(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	lay(t, root, map[string]int{
		"mail/1.eml": 31, "mail/2.eml": 29, "mail/.tmp-3.eml": 99, "mail/notes.txt": 99, "mail/kept/4.eml": 99,
		"verified/b/x.pdf": 31, "verified/b/report.csv": 99, "verified/b/rejected.csv": 99, "verified/c/y.pdf": 29, "verified/b/.z.part": 99,
		// Files are dropped with the time of their making.
		"failed/old.pdf": 400, "failed/old.pdf.reason.txt": 31, "failed/new.pdf": 400, "failed/new.pdf.reason.txt": 29,
		"failed/alone.pdf": 400, "failed/mended.csv": 1, "failed/mended.csv.reason.txt": 31,
		"failed/2026-01-01-m/a.pdf": 400, "failed/2026-01-01-m/a.pdf.reason.txt": 31, "failed/2026-01-01-m/rejected.csv": 31,
		"failed/2026-01-02-m/b.pdf": 400, "failed/2026-01-02-m/rejected.csv": 2,
		"failed/institution-2/old.pdf": 400, "failed/institution-2/old.pdf.reason.txt": 31, "failed/institution-2/new.pdf": 400, "failed/institution-2/new.pdf.reason.txt": 29,
	})
	k, _, log := newKeeper(Limits{Mails: 30 * day, Verified: 30 * day, Refused: 30 * day})
	k.Folders = Folders{Mail: filepath.Join(root, "mail"), Verified: filepath.Join(root, "verified"), Refused: filepath.Join(root, "failed")}
	k.CleanDue(t.Context())
	want := []string{
		"failed/2026-01-02-m/b.pdf", "failed/2026-01-02-m/rejected.csv",
		"failed/alone.pdf", "failed/institution-2/new.pdf", "failed/institution-2/new.pdf.reason.txt", "failed/mended.csv", "failed/mended.csv.reason.txt", "failed/new.pdf", "failed/new.pdf.reason.txt",
		"mail/.tmp-3.eml", "mail/2.eml", "mail/kept/4.eml", "mail/notes.txt",
		"verified/b/.z.part", "verified/b/rejected.csv", "verified/b/report.csv", "verified/c/y.pdf",
	}
	if got := left(t, root); !slices.Equal(got, want) {
		t.Errorf("left are\n%q, want\n%q", got, want)
	}
	if strings.Contains(log.String(), "ERROR") {
		t.Error(log)
	}
}

// Folders that were never made, and links that lead elsewhere.
func TestFoldersThatAreNone(t *testing.T) {
	t.Parallel()
	root, elsewhere := t.TempDir(), t.TempDir()
	lay(t, elsewhere, map[string]int{"x.pdf": 99, "y.eml": 99})
	if err := os.MkdirAll(filepath.Join(root, "verified"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(root, "verified", "b")); err != nil {
		t.Skip("no links here:", err)
	}
	k, _, log := newKeeper(Limits{Mails: day, Verified: day, Refused: day})
	k.Folders = Folders{Mail: filepath.Join(root, "mail"), Verified: filepath.Join(root, "verified"), Refused: filepath.Join(root, "failed")}
	k.CleanDue(t.Context())
	if got := left(t, elsewhere); len(got) != 2 || strings.Contains(log.String(), "ERROR") {
		t.Errorf("left are %q; %s", got, log)
	}
}
