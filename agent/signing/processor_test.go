package signing_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecctl/vecctl/agent/signing"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

func TestAllThatIsDueIsDoneAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1000)
		var told atomic.Int64
		stop := start(t, q, approved, signing.Options{OnSettled: func(ids []uint64) { told.Add(int64(len(ids))) }})
		time.Sleep(time.Second)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if q.of(vault.Approved) != 1000 || told.Load() != 1000 || len(q.jobs) != 0 {
			t.Errorf("%d approved, %d told, %d jobs left", q.of(vault.Approved), told.Load(), len(q.jobs))
		}
	})
}

// While many callers wait, new documents wait too, yet no longer than ten seconds;
// they begin as soon as the callers are gone.
func TestDocumentsGiveWayToARush(t *testing.T) {
	for name, ends := range map[string]time.Duration{"ends": 3 * time.Second, "never ends": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := newQueue(20)
				begun := time.Now()
				for id, c := range q.certificates {
					c.CreatedAt = begun
					q.certificates[id] = c
				}
				stop := start(t, q, approved, signing.Options{Busy: func() bool { return time.Since(begun) < ends }})
				until := min(ends, 10*time.Second)
				time.Sleep(until - time.Second)
				synctest.Wait()
				if n := q.of(vault.Approved); n != 0 {
					t.Errorf("%d are done while callers wait", n)
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if n := q.of(vault.Approved); n != 20 {
					t.Errorf("%d of 20 are done afterwards", n)
				}
				if err := stop(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// What fails for a cause that may pass is tried three times, with pauses, then it
// fails for good; a panic counts as such a cause. Neighbours are not held up.
func TestRetriesAndPanics(t *testing.T) {
	for name, broken := range map[string]signing.Func{
		"error": func(context.Context, vault.Certificate) (store.Change, error) { return nil, errors.New("disk on fire") },
		"panic": func(context.Context, vault.Certificate) (store.Change, error) { panic("index out of range") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := newQueue(20)
				begun := time.Now()
				var mu sync.Mutex
				var tries []time.Duration
				stop := start(t, q, func(ctx context.Context, c vault.Certificate) (store.Change, error) {
					if c.ID != 7 {
						return approve, nil
					}
					mu.Lock()
					tries = append(tries, time.Since(begun).Round(time.Second))
					mu.Unlock()
					return broken(ctx, c)
				}, signing.Options{})
				time.Sleep(500 * time.Millisecond)
				synctest.Wait()
				if q.of(vault.Approved) != 19 {
					t.Errorf("%d neighbours are done at once, want 19", q.of(vault.Approved))
				}
				time.Sleep(10 * time.Minute)
				if err := stop(); err != nil {
					t.Fatal(err)
				}
				if want := []time.Duration{0, time.Second, 31 * time.Second}; !slices.Equal(tries, want) {
					t.Errorf("tried at %v, want %v", tries, want)
				}
				c := q.certificate(7)
				if c.Status != vault.Failed || c.Failure == nil || c.Failure.Code != "internal" {
					t.Fatalf("the certificate is %s: %+v", c.Status, c.Failure)
				}
				if strings.Contains(c.Failure.Reason, "fire") || strings.Contains(c.Failure.Reason, "index") {
					t.Errorf("the reason carries what is for the log: %q", c.Failure.Reason)
				}
			})
		})
	}
}

// A document at which the engine does not come to an end fails in time, keeps
// nobody else, and is not begun again while it hangs.
func TestADocumentThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(20)
		release := make(chan struct{})
		var begun atomic.Int64
		stop := start(t, q, func(_ context.Context, c vault.Certificate) (store.Change, error) {
			if c.ID == 7 {
				begun.Add(1)
				<-release
			}
			return approve, nil
		}, signing.Options{TimeLimit: 10 * time.Second})
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		c := q.certificate(7)
		if c.Status != vault.Failed || c.Failure.Code != vault.CodeTimeout || begun.Load() != 1 {
			t.Errorf("%s (%+v) after being begun %d times", c.Status, c.Failure, begun.Load())
		}
		if q.of(vault.Approved) != 19 {
			t.Errorf("%d neighbours are done", q.of(vault.Approved))
		}
		close(release)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// A full disk is not the document's fault: it costs no attempt, is told, and ends
// when there is room.
func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(3)
		var full atomic.Bool
		full.Store(true)
		var told atomic.Int64
		stop := start(t, q, func(context.Context, vault.Certificate) (store.Change, error) {
			if full.Load() {
				return nil, fault.New(fault.Full, "the disk is full")
			}
			return approve, nil
		}, signing.Options{OnError: func(err error) {
			if fault.Is(err, fault.Full) {
				told.Add(1)
			}
		}})
		time.Sleep(time.Hour) // far more often than there are attempts
		synctest.Wait()
		if q.of(vault.Processing) != 3 || told.Load() == 0 {
			t.Errorf("%d wait for room, told %d times", q.of(vault.Processing), told.Load())
		}
		full.Store(false)
		time.Sleep(5 * time.Second)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if q.of(vault.Approved) != 3 {
			t.Errorf("%d approved when there was room", q.of(vault.Approved))
		}
	})
}

// A document that was being worked on when the process died several times is
// worked on alone; one that has done so too often is not begun again.
func TestSuspects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(40)
		for id, crashes := range map[uint64]int{10: 3, 20: 5, 30: 6} {
			j := q.jobs[id]
			j.Crashes = crashes
			q.jobs[id] = j
		}
		var inHand, alone atomic.Int64
		stop := start(t, q, func(_ context.Context, c vault.Certificate) (store.Change, error) {
			inHand.Add(1)
			defer inHand.Add(-1)
			time.Sleep(time.Second) // long enough for others to begin
			switch c.ID {
			case 10, 20:
				if inHand.Load() == 1 {
					alone.Add(1)
				}
			case 30:
				t.Error("a document was begun that has ended the program six times")
			}
			return approve, nil
		}, signing.Options{})
		time.Sleep(5 * time.Minute)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if alone.Load() != 2 {
			t.Errorf("%d of 2 suspects were alone", alone.Load())
		}
		if c := q.certificate(30); c.Status != vault.Failed || c.Failure.Code != vault.CodeCrashed {
			t.Errorf("it is %s: %+v", c.Status, c.Failure)
		}
		if q.of(vault.Approved) != 39 {
			t.Errorf("%d of the others are done", q.of(vault.Approved))
		}
	})
}

// At the end what is in hand is finished; what was claimed and not begun goes
// back without having cost an attempt.
func TestTheEndGivesUntriedJobsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(100)
		var begun atomic.Int64
		stop := start(t, q, func(context.Context, vault.Certificate) (store.Change, error) {
			begun.Add(1)
			time.Sleep(time.Second)
			return approve, nil
		}, signing.Options{Workers: 4})
		time.Sleep(500 * time.Millisecond)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if q.of(vault.Approved) != int(begun.Load()) || begun.Load() == 0 || begun.Load() > 8 {
			t.Errorf("%d begun, %d approved", begun.Load(), q.of(vault.Approved))
		}
		if want := 100 - int(begun.Load()); len(q.jobs) != want {
			t.Errorf("%d jobs are left, want %d", len(q.jobs), want)
		}
		for _, j := range q.jobs {
			if j.Attempt != 0 || j.Claimed || j.RunAt.After(time.Now()) {
				t.Fatalf("a job that was not begun is left as %+v", j)
			}
		}
	})
}

// Work that is done is not lost when the store fails for a while.
func TestAStoreThatFailsForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(5)
		bad := errors.New("no space left on device")
		q.settleErrors = []error{bad, bad, bad}
		var begun, told atomic.Int64
		stop := start(t, q, func(context.Context, vault.Certificate) (store.Change, error) {
			begun.Add(1)
			return approve, nil
		}, signing.Options{OnError: func(err error) {
			if errors.Is(err, bad) {
				told.Add(1)
			}
		}})
		time.Sleep(time.Minute)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if q.of(vault.Approved) != 5 || begun.Load() != 5 || told.Load() != 3 {
			t.Errorf("%d approved, %d begun, %d troubles told", q.of(vault.Approved), begun.Load(), told.Load())
		}
	})
}

// A store that fails for good does not keep the end waiting.
func TestTheEndWithAStoreThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(5)
		q.settleErrors = slices.Repeat([]error{errors.New("gone")}, 1000)
		stop := start(t, q, approved, signing.Options{})
		time.Sleep(10 * time.Second)
		begun := time.Now()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("the end took %v", took)
		}
		if q.of(vault.Approved) != 0 {
			t.Error("something was approved that is not stored")
		}
	})
}

// A certificate that is no longer processing has nothing left to do.
func TestAJobWhoseCertificateIsSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1)
		q.certificates[1] = vault.Certificate{ID: 1, Status: vault.Revoked}
		stop := start(t, q, func(context.Context, vault.Certificate) (store.Change, error) {
			t.Error("it was worked on")
			return approve, nil
		}, signing.Options{})
		time.Sleep(time.Second)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if len(q.jobs) != 0 || q.of(vault.Revoked) != 1 {
			t.Errorf("jobs %v", q.jobs)
		}
	})
}
