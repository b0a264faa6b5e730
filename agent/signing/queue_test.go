package signing_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/signing"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// store is a store's queue in memory.
type queue struct {
	store.Queue
	mu           sync.Mutex
	jobs         map[uint64]vault.Job
	certificates map[uint64]vault.Certificate
	settled      []store.JobResult
	settleErrors []error // of the next calls
}

func newQueue(n int) *queue {
	q := &queue{jobs: map[uint64]vault.Job{}, certificates: map[uint64]vault.Certificate{}}
	for id := uint64(1); id <= uint64(n); id++ {
		q.jobs[id] = vault.Job{ID: id, Kind: vault.JobSign, Certificate: id, RunAt: time.Now(), CreatedAt: time.Now()}
		q.certificates[id] = vault.Certificate{ID: id, Status: vault.Processing}
	}
	return q
}

func (q *queue) Claim(ctx context.Context, _ store.Lane, owner string, n int, now time.Time) ([]store.ClaimedJob, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var due []vault.Job
	for _, j := range q.jobs {
		if !j.RunAt.After(now) {
			due = append(due, j)
		}
	}
	slices.SortFunc(due, func(a, b vault.Job) int { return int(a.ID) - int(b.ID) })
	var claimed []store.ClaimedJob
	for _, j := range due[:min(n, len(due))] {
		if j.Suspect() && len(claimed) > 0 {
			break
		}
		j = j.Claim(owner, now)
		q.jobs[j.ID] = j
		claimed = append(claimed, store.ClaimedJob{Job: j})
		if j.Suspect() {
			break
		}
	}
	return claimed, nil
}

func (q *queue) Complete(_ context.Context, all []store.JobResult) ([]error, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.settleErrors) > 0 {
		err := q.settleErrors[0]
		q.settleErrors = q.settleErrors[1:]
		if err != nil {
			return nil, err
		}
	}
	errs := make([]error, len(all))
	for i, s := range all {
		q.settled = append(q.settled, s)
		switch {
		case s.Release:
			s.Job.Attempt--
			q.jobs[s.Job.ID] = s.Job
		case s.Retry:
			q.jobs[s.Job.ID] = s.Job
		default:
			delete(q.jobs, s.Job.ID)
			if s.Change != nil {
				c, _, err := s.Change(q.certificates[s.Job.Certificate])
				errs[i] = err
				q.certificates[s.Job.Certificate] = c
			}
		}
	}
	return errs, nil
}

func (q *queue) ByID(_ context.Context, ids ...uint64) ([]vault.Certificate, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	found := make([]vault.Certificate, len(ids))
	for i, id := range ids {
		found[i] = q.certificates[id]
	}
	return found, nil
}

func (q *queue) NextRun(context.Context, store.Lane) (next time.Time, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, j := range q.jobs {
		if next.IsZero() || j.RunAt.Before(next) {
			next = j.RunAt
		}
	}
	return next, nil
}

func (q *queue) of(s vault.Status) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, c := range q.certificates {
		if c.Status == s {
			n++
		}
	}
	return n
}

func (q *queue) certificate(id uint64) vault.Certificate {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.certificates[id]
}

func approve(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
	return c.Approve(vault.Verified{SHA256: "v"}, []byte("tail"), time.Now())
}

func approved(context.Context, vault.Certificate) (store.Change, error) { return approve, nil }

// start runs a processor in the test's bubble; the result stops it and waits.
func start(t *testing.T, q *queue, work signing.Func, o signing.Options) (stop func() error) {
	t.Helper()
	o.Now, o.Log = time.Now, slog.New(slog.DiscardHandler)
	if o.Workers == 0 {
		o.Workers = 4
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- signing.New(q, work, o).Run(ctx) }()
	return func() error {
		cancel()
		return <-ended
	}
}
