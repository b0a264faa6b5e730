package store

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/vecctl/vecctl/authority"
)

// A certification is read and judged once, and again after each change.
func TestWhatWasSeenIsRemembered(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	c := certification()
	put := func() {
		t.Helper()
		if err := l.Write(t.Context(), func(w *Writer) error { return w.PutLatest(c) }); err != nil {
			t.Fatal(err)
		}
	}
	judged := 0
	see := func() authority.Certification {
		t.Helper()
		seen, ok, err := l.Public(t.Context(), c.Hash, func(authority.Certification) error { judged++; return nil })
		if err != nil || !ok {
			t.Fatalf("%t, %v", ok, err)
		}
		return seen
	}
	put()
	for range 3 {
		if seen := see(); seen.State != authority.Active || seen.Project != c.Project {
			t.Errorf("seen %+v", seen)
		}
	}
	if judged != 1 {
		t.Errorf("judged %d times, want once", judged)
	}
	c.State, c.Reason = authority.Revoked, "it leaked"
	put()
	if seen := see(); seen.State != authority.Revoked || seen.Reason != c.Reason || judged != 2 {
		t.Errorf("after the change %+v, judged %d times", seen, judged)
	}
}

// What the judge refuses is not remembered, and neither is what is not there.
func TestWhatWasRefusedIsNotRemembered(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	c := certification()
	refusal := errors.New("a forgery")
	see := func(judgement error) (bool, error) {
		_, ok, err := l.Public(t.Context(), c.Hash, func(authority.Certification) error { return judgement })
		return ok, err
	}
	if ok, err := see(nil); ok || err != nil {
		t.Errorf("of nothing: %t, %v", ok, err)
	}
	if err := l.Write(t.Context(), func(w *Writer) error { return w.PutLatest(c) }); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if ok, err := see(refusal); ok || !errors.Is(err, refusal) {
			t.Errorf("refused: %t, %v", ok, err)
		}
	}
	if ok, err := see(nil); !ok || err != nil {
		t.Errorf("accepted: %t, %v", ok, err)
	}
	if ok, _ := see(refusal); !ok {
		t.Error("what was accepted is judged again")
	}
	if _, ok, err := l.Public(t.Context(), strings.ToUpper(c.Hash), func(authority.Certification) error { return nil }); ok || err != nil {
		t.Errorf("in capitals: %t, %v", ok, err)
	}
}

// A question after a change was committed never shows what was before it.
func TestARevocationIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	var readers sync.WaitGroup
	defer readers.Wait()
	done := make(chan struct{})
	defer close(done)
	c := certification()
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					_, _, _ = l.Public(t.Context(), c.Hash, func(authority.Certification) error { return nil })
				}
			}
		})
	}
	for i := range 100 {
		now := c
		now.Reason = fmt.Sprint(i)
		if err := l.Write(t.Context(), func(w *Writer) error { return w.PutLatest(now) }); err != nil {
			t.Fatal(err)
		}
		seen, ok, err := l.Public(t.Context(), c.Hash, func(authority.Certification) error { return nil })
		if err != nil || !ok || seen.Reason != now.Reason {
			t.Fatalf("seen %q, want %q (%t, %v)", seen.Reason, now.Reason, ok, err)
		}
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	t.Parallel()
	var r rowCache
	for i := range maxCachedRows + 100 {
		r.put(hashKey{byte(i), byte(i >> 8), byte(i >> 16)}, "row", 0)
	}
	if len(r.rows) != maxCachedRows {
		t.Errorf("%d rows, want %d", len(r.rows), maxCachedRows)
	}
}
