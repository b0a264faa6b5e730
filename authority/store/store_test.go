package store

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/pkg/store/bolt"
)

var now = time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC)

func newLedger(t *testing.T) *Store {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "v.db"), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	rows, err := db.Rows(Tables()...)
	if err != nil {
		t.Fatal(err)
	}
	return New(rows, func() time.Time { return now })
}

func certification() authority.Certification {
	return authority.Certification{
		ID: "req_1", Store: "s", Domain: "mystore.com", Project: "Łódź | Shop", State: authority.Active, Badge: authority.Financial, SDKVersion: "1.9.0",
		Hash: strings.Repeat("a", 64), Key: "k", Nonce: "n", RequestedAt: now, IssuedAt: now, ExpiresAt: now.AddDate(1, 0, 0),
	}
}

// What everybody sees is the record itself, after every change.
func TestSeenIsTheRecord(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	c := certification()
	for _, change := range []func(){
		func() {}, func() { c.State, c.RevokedAt, c.Reason = authority.Revoked, now.Add(time.Hour), "it leaked" },
	} {
		change()
		if err := l.Write(t.Context(), func(w *Writer) error { return w.PutLatest(c) }); err != nil {
			t.Fatal(err)
		}
		err := l.Read(t.Context(), func(r Reader) error {
			seen, ok, err := r.Public(c.Hash)
			full, okFull, errFull := r.ByHash(c.Hash)
			seen.RequestedAt = full.RequestedAt
			if !ok || !okFull || seen != full || full != c {
				t.Errorf("seen %+v, kept %+v, want %+v", seen, full, c)
			}
			return errors.Join(err, errFull)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzSeen(f *testing.F) {
	f.Add(string(formatPublic(certification())))
	f.Add("\x00\x00")
	f.Fuzz(func(t *testing.T, row string) {
		c, err := parsePublic("h", row)
		if err != nil {
			return
		}
		again, err := parsePublic("h", string(formatPublic(c)))
		if err != nil || again != c {
			t.Errorf("%q: %+v, then %+v, %v", row, c, again, err)
		}
	})
}

// An act that fails leaves nothing behind, its entry in the audit list included.
func TestARefusedActLeavesNothing(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	refused := errors.New("no")
	act := func(outcome error) error {
		return l.Write(t.Context(), func(w *Writer) error {
			d := authority.Domain{Name: "mystore.com", Store: "s", NextCheck: now.Add(time.Minute)}
			if err := errors.Join(w.PutLatest(certification()), w.PutDomain(d), w.AppendAudit("staff", "x", "y", ""), w.QueueEvent(authority.Event{})); err != nil {
				return err
			}
			return outcome
		})
	}
	count := func() (entries, events, checks int) {
		err := l.Read(t.Context(), func(r Reader) error {
			told, err := r.Events(10)
			events = len(told)
			due, _, err2 := r.DueChecks(now.Add(time.Hour), 10)
			checks = len(due)
			return errors.Join(err, err2, r.Entries(0, func(authority.AuditEntry) (bool, error) { entries++; return false, nil }))
		})
		if err != nil {
			t.Fatal(err)
		}
		return entries, events, checks
	}
	if err := act(refused); !errors.Is(err, refused) {
		t.Fatal(err)
	}
	if a, b, c := count(); a+b+c != 0 {
		t.Errorf("%d entries, %d events, %d checks of an act that failed", a, b, c)
	}
	if err := act(nil); err != nil {
		t.Fatal(err)
	}
	if a, b, c := count(); a != 1 || b != 1 || c != 1 {
		t.Errorf("%d entries, %d events, %d checks", a, b, c)
	}
}

// The index of checks follows the domains, and is read in order of time.
func TestDueInOrder(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	put := func(name string, due time.Time) {
		t.Helper()
		if err := l.Write(t.Context(), func(w *Writer) error { return w.PutDomain(authority.Domain{Name: name, NextCheck: due}) }); err != nil {
			t.Fatal(err)
		}
	}
	put("late.com", now.Add(2*time.Hour))
	put("b.com", now.Add(-time.Minute))
	put("a.com", now)
	put("moved.com", now.Add(-time.Hour))
	put("moved.com", now.Add(time.Hour))
	put("done.com", now)
	put("done.com", time.Time{})
	err := l.Read(t.Context(), func(r Reader) error {
		names, next, err := r.DueChecks(now, 10)
		if !slices.Equal(names, []string{"b.com", "a.com"}) || !next.Equal(now.Add(time.Hour)) {
			t.Errorf("%v, then at %v", names, next)
		}
		names, next, _ = r.DueChecks(now, 1)
		if !slices.Equal(names, []string{"b.com"}) || !next.Equal(now) {
			t.Errorf("one at a time: %v, then at %v", names, next)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
