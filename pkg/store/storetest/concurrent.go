package storetest

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

const (
	acceptors = 16
	workers   = 16
	each      = 40 // rows of one acceptor that nobody else has
	contested = 20 // rows that all acceptors have
)

// manyAtOnce lets acceptors and workers loose on one store: nothing is lost
// and nothing is done twice.
func manyAtOnce(f *fixture) {
	rows := make([][]store.NewCertificate, acceptors)
	shared := make([]vault.Draft, contested)
	for i := range shared {
		shared[i] = f.draft()
	}
	for i := range rows {
		for range each {
			rows[i] = append(rows[i], f.newCertificate(f.a, f.draft()))
		}
		for _, d := range shared {
			rows[i] = append(rows[i], f.newCertificate(f.a, d))
		}
	}
	const total = acceptors*each + contested
	r := &race{fixture: f, claims: map[uint64]int{}}
	var all sync.WaitGroup
	for i := range acceptors {
		all.Go(func() { r.insert(rows[i]) })
	}
	for range workers {
		all.Go(func() { r.work(total) })
	}
	all.Wait()
	if f.Failed() {
		return
	}

	if n := r.accepted.Load(); n != total {
		f.Errorf("%d were accepted, want %d", n, total)
	}
	if n := r.duplicates.Load(); n != (acceptors-1)*contested {
		f.Errorf("%d were duplicates, want %d", n, (acceptors-1)*contested)
	}
	if got := f.counts(f.a); got != (vault.Counts{Approved: total}) {
		f.Errorf("counts %+v, want %d approved", got, total)
	}
	if got := f.queues(); got[vault.JobSign] != (store.QueueLength{}) || got[vault.JobMail] != (store.QueueLength{Waiting: total}) {
		f.Errorf("queues %+v", got)
	}
	for id, n := range r.claims {
		if n != 1 {
			f.Errorf("job %d was claimed %d times", id, n)
		}
	}
	p := f.list(store.Filter{Institution: f.a}, 1, 2*total)
	if len(p.Certificates) != total {
		f.Fatalf("%d are listed, want %d", len(p.Certificates), total)
	}
	for _, c := range p.Certificates {
		tail, err := f.store.Tail(f.Context(), c.ID)
		if events := f.events(c); len(events) != 2 || err != nil || string(tail) != "tail of "+c.UUID {
			f.Errorf("certificate %d: %d events, tail %q, %v", c.ID, len(events), tail, err)
		}
	}
}

type race struct {
	*fixture
	accepted, duplicates, settled atomic.Int64
	mu                            sync.Mutex
	claims                        map[uint64]int
}

// insert accepts rows in groups of 7; once in a while with one that is refused.
func (r *race) insert(rows []store.NewCertificate) {
	for start := 0; start < len(rows); start += 7 {
		group := rows[start:min(start+7, len(rows))]
		if start > 0 && start%14 == 0 {
			bad := group[0]
			bad.Certificate.UUID, bad.Certificate.Email = rows[0].Certificate.UUID, "bad@example.com"
			if _, err := r.store.Insert(r.Context(), []store.NewCertificate{bad}); !fault.Is(err, fault.Conflict) {
				r.Errorf("an identity that is taken: %v", err)
			}
		}
		done, err := r.store.Insert(r.Context(), group)
		if err != nil {
			r.Error(err)
			return
		}
		for _, d := range done {
			if d.Duplicate {
				r.duplicates.Add(1)
			} else {
				r.accepted.Add(1)
			}
		}
	}
}

// work claims and settles until all are done.
func (r *race) work(total int64) {
	for r.settled.Load() < total && !r.Failed() {
		jobs, err := r.store.Claim(r.Context(), store.Lane{Kind: vault.JobSign}, worker, 5, r.now)
		if err != nil {
			r.Error(err)
			return
		}
		settlements := make([]store.JobResult, len(jobs))
		r.mu.Lock()
		for i, j := range jobs {
			r.claims[j.ID]++
			settlements[i] = store.JobResult{Job: j.Job, Change: approve(r.now)}
		}
		r.mu.Unlock()
		if len(jobs) == 0 {
			if _, err := r.store.List(r.Context(), store.Filter{Institution: r.a, Search: "person"}, 1, 5); err != nil {
				r.Error(err)
				return
			}
			continue
		}
		outcomes, err := r.store.Complete(r.Context(), settlements)
		if err := errors.Join(append(outcomes, err)...); err != nil {
			r.Error(err)
			return
		}
		r.settled.Add(int64(len(jobs)))
	}
}
