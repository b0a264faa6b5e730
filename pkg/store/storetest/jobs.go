package storetest

import (
	"errors"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

func owners(jobs []vault.Job) []uint64 {
	ids := make([]uint64, len(jobs))
	for i, j := range jobs {
		ids[i] = j.Certificate
	}
	return ids
}

func (f *fixture) wantClaim(n int, want ...vault.Certificate) []vault.Job {
	f.Helper()
	jobs := f.claim(vault.JobSign, n)
	ids := make([]uint64, len(want))
	for i, c := range want {
		ids[i] = c.ID
	}
	if got := owners(jobs); !slices.Equal(got, ids) {
		f.Fatalf("claimed the jobs of certificates %v, want %v", got, ids)
	}
	return jobs
}

func (f *fixture) nextRun(kind vault.JobKind) time.Time {
	f.Helper()
	at, err := f.store.NextRun(f.Context(), store.Lane{Kind: kind})
	f.check(err)
	return at
}

func claimOrder(f *fixture) {
	if at := f.nextRun(vault.JobSign); !at.IsZero() {
		f.Errorf("with no job the next is due at %s", at)
	}
	f.wantClaim(5)
	start := f.now
	rows := make([]store.NewCertificate, 5)
	for i, seconds := range []int{4, 1, 3, 2, 60} {
		rows[i] = f.newCertificate(f.a, f.draft())
		rows[i].Effects.Jobs[0].RunAt = start.Add(time.Duration(seconds) * time.Second)
	}
	var c []vault.Certificate
	for _, done := range f.insert(rows...) {
		c = append(c, done.Certificate)
	}
	if at := f.nextRun(vault.JobSign); !at.Equal(start.Add(time.Second)) {
		f.Errorf("the next is due at %s, want %s", at, start.Add(time.Second))
	}
	f.now = start.Add(time.Second - time.Nanosecond)
	f.wantClaim(5)
	f.now = start.Add(4 * time.Second)
	if jobs := f.claim(vault.JobMail, 5); len(jobs) != 0 {
		f.Errorf("claimed %+v of another kind", jobs)
	}
	if jobs := f.claim("proc", 5); len(jobs) != 0 {
		f.Errorf("claimed %+v of a kind that does not exist", jobs)
	}
	f.wantClaim(0)
	f.wantClaim(1, c[1])
	f.wantClaim(2, c[3], c[2])
	f.wantClaim(9, c[0])
	f.wantClaim(9)
	if at := f.nextRun(vault.JobSign); !at.Equal(start.Add(time.Minute)) {
		f.Errorf("the next is due at %s, want %s", at, start.Add(time.Minute))
	}
}

// claimRoundRobin has one institution's thousand not keep another's one waiting.
func claimRoundRobin(f *fixture) {
	many := f.insertMany(f.a, 20, func(int, *vault.Draft) {})
	f.now = f.now.Add(time.Second)
	two := f.insertMany(f.b, 2, func(int, *vault.Draft) {})
	f.now = f.now.Add(time.Second)
	got := owners(f.claim(vault.JobSign, 4))
	slices.Sort(got)
	f.wantSame(got, []uint64{many[0].ID, many[1].ID, two[0].ID, two[1].ID}, "four jobs")
	third := f.insertOne(f.b, f.draft())
	f.now = f.now.Add(time.Second)
	// One at a time: after two claims at the latest it is the other's turn.
	got = append(owners(f.claim(vault.JobSign, 1)), owners(f.claim(vault.JobSign, 1))...)
	slices.Sort(got)
	f.wantSame(got, []uint64{many[2].ID, third.ID}, "two jobs, one at a time")
	f.wantSame(f.queues()[vault.JobSign], store.QueueLength{Waiting: 17, Later: 6}, "the queue")
	f.wantSame(len(f.claim(vault.JobSign, 100)), 17, "jobs that were left")
	if at, want := f.nextRun(vault.JobSign), f.now.Add(vault.RetryPolicyOf(vault.JobSign).Lease); at.After(want) || at.IsZero() {
		f.Errorf("the next is due at %s, want %s at the latest", at, want)
	}
	_, err := f.store.RequeueOrphaned(f.Context(), nil, f.now)
	f.check(err)
	f.now = f.now.Add(time.Hour)
	f.wantSame(len(f.claim(vault.JobSign, 100)), 23, "jobs that were given back")
}

func claimLeases(f *fixture) {
	c := f.insertOne(f.a, f.draft())
	lease := vault.RetryPolicyOf(vault.JobSign).Lease
	for attempt := 1; attempt <= 5; attempt++ {
		job := f.wantClaim(1, c)[0]
		if job.Attempt != attempt || !job.Claimed || !job.RunAt.Equal(f.now.Add(lease)) {
			f.Errorf("attempt %d: %+v", attempt, job)
		}
		f.wantClaim(1)
		if at := f.nextRun(vault.JobSign); !at.Equal(f.now.Add(lease)) {
			f.Errorf("the lease ends at %s, want %s", at, f.now.Add(lease))
		}
		f.now = f.now.Add(lease - time.Nanosecond)
		f.wantClaim(1)
		f.now = f.now.Add(time.Nanosecond)
	}
}

// clockSetBack has everything tried while the clock is ten years ahead, and then asks
// what is due in the present.
func clockSetBack(f *fixture) {
	e, present := f.endpoint(f.a, vault.EventCreated), f.now
	c := f.insertOne(f.a, f.draft())
	f.now = present.AddDate(10, 0, 0)
	again, ok := f.wantClaim(1, c)[0].Retry("no", f.now)
	f.wantSame(ok, true, "another attempt")
	done, err := f.store.Complete(f.Context(), []store.JobResult{{Job: again, Retry: true}})
	f.check(errors.Join(append(done, err)...))
	f.attempt(e, 500)
	r, _, err := f.store.AddInboundEvent(f.Context(), webhook.InboundEvent{Identity: "id", At: f.now, Event: "e", Body: []byte("{}"),
		Tasks: []webhook.InboundTask{webhook.NewInboundTask(webhook.Run, "true", f.now)}})
	f.check(err)
	f.wantSame(r.Seq, f.tryTask("no").Seq, "the event that was tried")
	f.wantClaim(1)

	f.now = present
	f.wantClaim(1, c)
	f.wantSame(len(f.nextDeliveries(e, 9).Due), 1, "deliveries due")
	f.wantSame(len(f.claimFor(worker, store.Lane{Kind: vault.JobInbound}, 9)), 1, "tasks due")
}

// claimSuspects kills the worker of the same two jobs until they are suspect.
func claimSuspects(f *fixture) {
	two := f.insertMany(f.a, 2, func(int, *vault.Draft) {})
	for range 3 {
		f.wantClaim(2, two...)
		_, err := f.store.RequeueOrphaned(f.Context(), nil, f.now)
		f.check(err)
		if f.claim(vault.JobSign, 0); f.nextRun(vault.JobSign).After(f.now) {
			f.now = f.nextRun(vault.JobSign)
		}
	}
	fresh := f.insertOne(f.a, f.draft())
	f.now = f.now.Add(time.Minute)
	first := f.wantClaim(9, two[0])[0]
	if !first.Suspect() || first.Attempt != 1 {
		f.Errorf("after three deaths: %+v", first)
	}
	f.wantClaim(9, two[1])
	f.wantClaim(9, fresh)
}

func completeEnds(f *fixture) {
	c := f.insertMany(f.a, 3, func(int, *vault.Draft) {})
	jobs := f.wantClaim(3, c...)
	outcomes := f.complete(
		store.JobResult{Job: jobs[0], Change: approve(f.tick())},
		store.JobResult{Job: jobs[1], Change: fail(f.tick())},
		store.JobResult{Job: jobs[2]})
	if !slices.Equal(outcomes, []error{nil, nil, nil}) {
		f.Fatalf("outcomes %v", outcomes)
	}
	for i, want := range []vault.Status{vault.Approved, vault.Failed, vault.Processing} {
		if got := f.read(c[i]).Status; got != want {
			f.Errorf("certificate %d is %s, want %s", i, got, want)
		}
	}
	f.wantSame(f.read(c[2]), c[2], "the certificate of a settlement without a change")
	if got := f.counts(f.a); got != (vault.Counts{Processing: 1, Approved: 1, Failed: 1}) {
		f.Errorf("counts %+v", got)
	}
	if tail, err := f.store.Tail(f.Context(), c[0].ID); err != nil || string(tail) != "tail of "+c[0].UUID {
		f.Errorf("tail %q, %v", tail, err)
	}
	if got := f.events(c[1]); len(got) != 2 || got[1].Type != vault.EventFailed {
		f.Errorf("events %+v", got)
	}
	f.now = f.now.Add(time.Hour)
	f.wantClaim(9)
	if got := f.queues(); got[vault.JobSign] != (store.QueueLength{}) || got[vault.JobMail] != (store.QueueLength{Waiting: 1}) {
		f.Errorf("queues %+v", got)
	}
}

func completeFences(f *fixture) {
	c := f.insertOne(f.a, f.draft())
	lost := f.wantClaim(1, c)[0]
	f.now = lost.RunAt
	mine := f.wantClaim(1, c)[0]
	refused := func(what string, s store.JobResult) {
		f.Helper()
		before := f.written(f.queues())
		f.wantKind(f.complete(s)[0], fault.Conflict, what)
		f.wantSame(f.read(c), c, what)
		if n := len(f.events(c)); n != 1 {
			f.Errorf("%s: %d events", what, n)
		}
		if after := f.written(f.queues()); after != before {
			f.Errorf("%s: queues %s, before %s", what, after, before)
		}
	}
	refused("a lost lease", store.JobResult{Job: lost, Change: approve(f.tick())})
	refused("a lost lease, again", store.JobResult{Job: lost, Retry: true})
	refused("a lost lease, untried", store.JobResult{Job: lost, Release: true})
	refused("a job that never was", store.JobResult{Job: vault.Job{ID: 1 << 60, Attempt: 1}, Change: approve(f.tick())})

	unclaimed := mine
	unclaimed.Attempt, unclaimed.Claimed = 0, false
	refused("a job as it was before the claim", store.JobResult{Job: unclaimed, Change: approve(f.tick())})

	// A lease that has ended but was given to nobody else still counts.
	f.now = mine.RunAt.Add(time.Hour)
	outcomes := f.complete(store.JobResult{Job: mine, Change: fail(f.now)}, store.JobResult{Job: mine, Change: fail(f.now)})
	if outcomes[0] != nil {
		f.Errorf("the holder is refused: %v", outcomes[0])
	}
	f.wantKind(outcomes[1], fault.Conflict, "the same job twice in one call")
	c = f.read(c)
	if got := f.events(c); len(got) != 2 {
		f.Errorf("events %+v", got)
	}
	f.wantKind(f.complete(store.JobResult{Job: mine})[0], fault.Conflict, "a settled job")
}

func completeWithRetry(f *fixture) {
	c := f.insertOne(f.a, f.draft())
	job := f.wantClaim(1, c)[0]
	waiting, ok := job.Retry("the disk was busy", f.now)
	if !ok {
		f.Fatal("no second attempt")
	}
	f.check(f.complete(store.JobResult{Job: waiting, Retry: true})[0])
	f.wantSame(f.read(c), c, "the certificate")
	if at := f.nextRun(vault.JobSign); !at.Equal(waiting.RunAt) {
		f.Errorf("due again at %s, want %s", at, waiting.RunAt)
	}
	f.wantKind(f.complete(store.JobResult{Job: job})[0], fault.Conflict, "a job that waits again")
	f.wantClaim(1)
	f.now = waiting.RunAt
	job = f.wantClaim(1, c)[0]
	if job.Attempt != 2 || job.LastError != "the disk was busy" || !job.CreatedAt.Equal(waiting.CreatedAt) {
		f.Errorf("the second attempt is %+v", job)
	}

	free := job.Postponed("stopping", f.now, 0)
	f.check(f.complete(store.JobResult{Job: free, Release: true})[0])
	f.wantKind(f.complete(store.JobResult{Job: job})[0], fault.Conflict, "a job that was given back")
	if job = f.wantClaim(1, c)[0]; job.Attempt != 2 {
		f.Errorf("an attempt that was none is counted: %+v", job)
	}
	f.check(f.complete(store.JobResult{Job: job, Change: approve(f.tick())})[0])
	if got := f.read(c).Status; got != vault.Approved {
		f.Errorf("in the end %s", got)
	}
}

// completeSome holds that a transition that is refused leaves its job as it is
// and the others of the call alone.
func completeSome(f *fixture) {
	c := f.insertMany(f.a, 4, func(int, *vault.Draft) {})
	jobs := f.wantClaim(4, c...)
	oops := errors.New("not today")
	f.change(c[2], approve(f.tick()))
	outcomes := f.complete(
		store.JobResult{Job: jobs[0], Change: approve(f.tick())},
		store.JobResult{Job: jobs[1], Change: func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c, vault.Effects{}, oops
		}},
		store.JobResult{Job: jobs[2], Change: approve(f.tick())},
		store.JobResult{Job: jobs[3], Change: approve(f.tick())})
	if outcomes[0] != nil || !errors.Is(outcomes[1], oops) || outcomes[3] != nil {
		f.Errorf("outcomes %v", outcomes)
	}
	f.wantKind(outcomes[2], fault.Illegal, "approving for a second time")
	if got := f.counts(f.a); got != (vault.Counts{Processing: 1, Approved: 3}) {
		f.Errorf("counts %+v", got)
	}
	if got := f.queues()[vault.JobSign]; got != (store.QueueLength{Later: 2}) {
		f.Errorf("queue %+v", got)
	}
	f.wantSame(f.read(c[1]), c[1], "the refused one")
	f.now = jobs[1].RunAt
	f.wantClaim(9, c[1], c[2])
}

func requeueOrphaned(f *fixture) {
	free := func(want int) {
		f.Helper()
		if n, err := f.store.RequeueOrphaned(f.Context(), nil, f.now); err != nil || n != want {
			f.Errorf("released %d, %v; want %d", n, err, want)
		}
	}
	free(0)
	c := f.insertMany(f.a, 3, func(int, *vault.Draft) {})
	free(0)
	jobs := f.wantClaim(2, c[0], c[1])
	f.tick()
	free(2)
	free(0)
	f.wantKind(f.complete(store.JobResult{Job: jobs[0], Change: approve(f.now)})[0], fault.Conflict, "a job that was released")
	for _, j := range f.wantClaim(9, c[2], c[0], c[1]) {
		want := 0
		if j.Certificate != c[2].ID {
			want = 1
		}
		if j.Attempt != 1 || j.Crashes != want {
			f.Errorf("%+v, want %d crashes", j, want)
		}
	}
}

func queues(f *fixture) {
	if got := f.queues(); len(got) != 0 {
		f.Errorf("of an empty store %+v", got)
	}
	c := f.insertMany(f.a, 4, func(int, *vault.Draft) {})
	f.insertOne(f.b, f.draft())
	f.change(c[3], approve(f.tick()))
	jobs := f.claim(vault.JobSign, 2)
	waiting, _ := jobs[1].Retry("busy", f.now)
	f.check(f.complete(store.JobResult{Job: waiting, Retry: true})[0])
	if got := f.queues(); len(got) != 2 || got[vault.JobSign] != (store.QueueLength{Waiting: 3, Later: 2}) || got[vault.JobMail] != (store.QueueLength{Waiting: 1}) {
		f.Errorf("queues %+v", got)
	}
	f.now = waiting.RunAt
	if got := f.queues()[vault.JobSign]; got != (store.QueueLength{Waiting: 4, Later: 1}) {
		f.Errorf("queue %+v", got)
	}
}

func claimAfterSetBack(f *fixture) {
	f.now = f.now.Add(time.Hour)
	before := f.insertOne(f.a, f.draft())
	f.claim(vault.JobMail, 1) // the store is told the time
	f.now = f.now.Add(-time.Hour)
	f.insertMany(f.a, 2, func(int, *vault.Draft) {})
	jobs := f.claim(vault.JobSign, 100)
	if len(jobs) != 3 {
		f.Fatalf("claimed %d jobs, want 3", len(jobs))
	}
	for _, j := range jobs {
		back := store.JobResult{Job: j.Postponed("later", f.now, time.Second), Release: true}
		if j.Certificate == before.ID {
			back.Job = j.Postponed("at once", f.now.Add(time.Hour), 0) // as before the clock was set back
		}
		f.check(f.complete(back)[0])
	}
	if jobs = f.claim(vault.JobSign, 100); len(jobs) != 1 || jobs[0].Certificate != before.ID {
		f.Errorf("claimed %+v, want the job of certificate %d", jobs, before.ID)
	}
}
