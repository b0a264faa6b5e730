package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// Owners of claims. Tests that need only one are worker.
const (
	worker  = "worker"
	another = "another worker"
)

// jobKind is a kind of job as the tests of leases see it.
type jobKind struct {
	name string
	// open prepares a store for jobs of the kind.
	open func(*fixture) jobSource
}

// jobSource makes jobs of one lane.
type jobSource struct {
	lane store.Lane
	add  func(n int)
	// done is the result of a job that succeeds.
	done func(store.ClaimedJob) store.JobResult
	// kept is everything that the store has of the jobs, but for who holds them.
	kept func() any
}

func jobKinds() []jobKind {
	return []jobKind{{"sign", certificateJobs}, {"mail", mailJobs}, {"webhook", deliveryJobs}, {"inbound", taskJobs}}
}

func certificateJobs(f *fixture) jobSource {
	return jobSource{
		lane: store.Lane{Kind: vault.JobSign},
		add:  func(n int) { f.insertMany(f.a, n, func(int, *vault.Draft) {}) },
		done: func(j store.ClaimedJob) store.JobResult { return store.JobResult{Job: j.Job, Change: approve(f.now)} },
		kept: func() any { return f.list(store.Filter{Institution: f.a}, 1, 100) },
	}
}

func mailJobs(f *fixture) jobSource {
	return jobSource{
		lane: store.Lane{Kind: vault.JobMail},
		add: func(n int) {
			for range n {
				f.check(f.store.QueueMail(f.Context(), vault.NewSignInMail(f.a, "p@example.org", "https://x/s/1", f.tick())))
			}
		},
		done: func(j store.ClaimedJob) store.JobResult {
			return store.JobResult{Job: j.Job, Mail: func(m vault.Mail) (vault.Mail, error) { return m.MarkSent("1.x@y", f.now), nil }}
		},
		kept: func() any { return f.mailsOf(store.MailFilter{Institution: f.a}) },
	}
}

func deliveryJobs(f *fixture) jobSource {
	e := f.endpoint(f.a, vault.EventCreated)
	f.endpoint(f.a, vault.EventCreated) // whose deliveries have a lane of their own
	return jobSource{
		lane: store.Lane{Kind: vault.JobWebhook, Institution: f.a, Endpoint: e.ID},
		add:  func(n int) { f.insertMany(f.a, n, func(int, *vault.Draft) {}) },
		done: func(j store.ClaimedJob) store.JobResult {
			return store.JobResult{Job: j.Job, Delivery: j.Delivery, Attempt: webhook.Attempt{At: f.now, Status: 200}}
		},
		kept: func() any { return f.deliveries(webhook.Filter{Institution: f.a, Endpoint: e.ID}) },
	}
}

func taskJobs(f *fixture) jobSource {
	n := 0
	return jobSource{
		lane: store.Lane{Kind: vault.JobInbound},
		add: func(jobs int) {
			for range jobs {
				n++
				e := webhook.InboundEvent{Identity: fmt.Sprint("event ", (n+1)/2), At: f.tick(), Event: "e", Body: []byte("{}"), Tasks: []webhook.InboundTask{
					webhook.NewInboundTask(webhook.Forward, "a", f.now), webhook.NewInboundTask(webhook.Run, "b", f.now.Add(-time.Nanosecond))}}
				if n == jobs && n%2 == 1 {
					e.Tasks = e.Tasks[:1]
				}
				_, _, err := f.store.AddInboundEvent(f.Context(), e)
				f.check(err)
			}
		},
		done: func(j store.ClaimedJob) store.JobResult {
			return store.JobResult{Job: j.Job, Task: j.Task, At: f.now}
		},
		kept: func() any {
			all, err := f.store.InboundEvents(f.Context(), 0, 100)
			f.check(err)
			return all
		},
	}
}

// leaseTests are what stores promise about claims, of every kind of job.
func leaseTests() (tests []test) {
	for _, one := range []struct {
		name string
		run  func(*fixture, jobSource)
	}{
		{"two owners never have the same", claimedOnce},
		{"many claim at once", claimedByMany},
		{"a lease ends", leaseEnds},
		{"a lease that is lost in part", leaseLostInPart},
		{"a lease is given back", leaseReleased},
		{"a lease outlasts its process", leaseOutlasts},
		{"leases of owners that are gone", leasesOrphaned},
		{"claims with a context that has ended", claimsInEndedContext},
		{"claims that are interrupted", claimsInterrupted},
	} {
		for _, kind := range jobKinds() {
			tests = append(tests, test{one.name + ", " + kind.name, func(f *fixture) { one.run(f, kind.open(f)) }})
		}
	}
	return append(tests, test{"all kinds complete in one transaction", completeAllKinds},
		test{"leases of one endpoint do not hide another's deliveries", lanesOfEndpoints})
}

func (f *fixture) claimFor(owner string, lane store.Lane, n int) []store.ClaimedJob {
	f.Helper()
	claimed, err := f.store.Claim(f.Context(), lane, owner, n, f.now)
	f.check(err)
	until := f.now.Add(vault.RetryPolicyOf(lane.Kind).Lease)
	for _, j := range claimed {
		if j.Kind != lane.Kind || j.Owner != owner || !j.Claimed || !j.RunAt.Equal(until) || (j.Delivery != nil) != (j.Kind == vault.JobWebhook) ||
			(j.Task != nil) != (j.Kind == vault.JobInbound) {
			f.Errorf("claimed %+v of %+v for %q until %s", j, lane, owner, until)
		}
	}
	return claimed
}

// mustClaim claims up to 100 and wants so many.
func (f *fixture) mustClaim(owner string, s jobSource, want int) []store.ClaimedJob {
	f.Helper()
	claimed := f.claimFor(owner, s.lane, 100)
	if len(claimed) != want {
		f.Fatalf("%s claimed %d jobs, want %d", owner, len(claimed), want)
	}
	return claimed
}

// results are those of jobs that succeed.
func (s jobSource) results(jobs []store.ClaimedJob) []store.JobResult {
	all := make([]store.JobResult, len(jobs))
	for i, j := range jobs {
		all[i] = s.done(j)
	}
	return all
}

// mustComplete completes jobs with success.
func (f *fixture) mustComplete(s jobSource, jobs []store.ClaimedJob) {
	f.Helper()
	for i, err := range f.complete(s.results(jobs)...) {
		if err != nil {
			f.Fatalf("job %d could not be completed: %v", i, err)
		}
	}
}

// lost wants jobs to be lost to their owner: nothing that it says of them counts.
func (f *fixture) lost(s jobSource, jobs []store.ClaimedJob) {
	f.Helper()
	before := f.written(s.kept())
	for _, j := range jobs {
		done, back := s.done(j), s.release(j)
		for _, err := range f.complete(done, back) {
			f.wantKind(err, fault.Conflict, "a lost lease")
		}
	}
	f.wantSame(s.kept(), asWritten(before), "what is kept after completing what was lost")
}

// asWritten is JSON that is written as it is.
type asWritten string

func (w asWritten) MarshalJSON() ([]byte, error) { return []byte(w), nil }

// release is the result of a job that was not tried.
func (s jobSource) release(j store.ClaimedJob) store.JobResult {
	back := s.done(j)
	back.Change, back.Mail, back.Release = nil, nil, true
	back.Job = j.Postponed("", j.CreatedAt, 0)
	if j.Delivery != nil || j.Task != nil {
		back.Job = j.Job
	}
	return back
}

// names are what tells jobs apart.
func names(jobs []store.ClaimedJob) []string {
	all := make([]string, len(jobs))
	for i, j := range jobs {
		if all[i] = fmt.Sprint(j.ID); j.Task != nil {
			all[i] += fmt.Sprint(" ", j.Task.Index)
		}
	}
	slices.Sort(all)
	return all
}

func (f *fixture) nextIn(lane store.Lane) time.Time {
	f.Helper()
	at, err := f.store.NextRun(f.Context(), lane)
	f.check(err)
	return at
}

func claimedOnce(f *fixture, s jobSource) {
	f.mustClaim(worker, s, 0)
	if at := f.nextIn(s.lane); !at.IsZero() {
		f.Errorf("without a job the next is due at %s", at)
	}
	s.add(5)
	f.tick()
	if at := f.nextIn(s.lane); at.After(f.now) || at.IsZero() {
		f.Errorf("what is due is due at %s", at)
	}
	if none := f.claimFor(worker, s.lane, 0); len(none) != 0 {
		f.Errorf("claimed %d of none", len(none))
	}
	mine := f.claimFor(worker, s.lane, 3)
	theirs := f.mustClaim(another, s, 2)
	all := slices.Concat(names(mine), names(theirs))
	slices.Sort(all)
	if len(mine) != 3 || len(slices.Compact(slices.Clone(all))) != 5 {
		f.Errorf("claimed were %v", all)
	}
	for _, owner := range []string{worker, another} {
		f.mustClaim(owner, s, 0)
	}
	if at, want := f.nextIn(s.lane), mine[0].RunAt; !at.Equal(want) {
		f.Errorf("the next is due at %s, want the end of the leases, %s", at, want)
	}
	f.mustComplete(s, mine)
	f.mustComplete(s, theirs)
	f.lost(s, mine) // they have ended
	f.now = f.now.AddDate(1, 0, 0)
	f.mustClaim(worker, s, 0)
}

func claimedByMany(f *fixture, s jobSource) {
	const jobs, claimers = 60, 12
	s.add(jobs)
	f.tick()
	var mu sync.Mutex
	var all []string
	var work sync.WaitGroup
	for i := range claimers {
		work.Go(func() {
			owner := fmt.Sprint("worker ", i)
			for {
				claimed, err := f.store.Claim(f.Context(), s.lane, owner, 4, f.now)
				if err != nil || len(claimed) == 0 {
					f.checkInGoroutine(err)
					return
				}
				outcomes, err := f.store.Complete(f.Context(), s.results(claimed))
				f.checkInGoroutine(errors.Join(append(outcomes, err)...))
				mu.Lock()
				all = append(all, names(claimed)...)
				mu.Unlock()
			}
		})
	}
	work.Wait()
	if slices.Sort(all); len(all) != jobs || len(slices.Compact(all)) != jobs {
		f.Errorf("%d jobs were claimed %d times", len(slices.Compact(all)), len(all))
	}
}

// checkInGoroutine is check for goroutines.
func (f *fixture) checkInGoroutine(err error) {
	f.Helper()
	if err != nil {
		f.Error(err)
	}
}

func leaseEnds(f *fixture, s jobSource) {
	s.add(2)
	f.tick()
	mine := f.mustClaim(worker, s, 2)
	f.now = mine[0].RunAt.Add(-time.Nanosecond)
	f.mustClaim(another, s, 0)
	f.now = mine[0].RunAt
	theirs := f.mustClaim(another, s, 2)
	f.wantSame(names(theirs), names(mine), "what was claimed again")
	f.lost(s, mine)
	f.mustClaim(worker, s, 0)
	f.mustComplete(s, theirs)

	// A lease that has ended and was given to nobody else still counts.
	s.add(2)
	f.tick()
	mine = f.mustClaim(worker, s, 2)
	f.now = f.now.AddDate(0, 0, 1)
	f.mustComplete(s, mine)
	f.mustClaim(another, s, 0)

	// The same owner's next claim is another one.
	s.add(2)
	f.tick()
	mine = f.mustClaim(worker, s, 2)
	f.now = mine[0].RunAt
	again := f.mustClaim(worker, s, 2)
	f.lost(s, mine)
	outcomes := f.complete(append(s.results(again), s.done(again[0]))...)
	if outcomes[0] != nil || outcomes[1] != nil {
		f.Errorf("completing: %v", outcomes)
	}
	f.wantKind(outcomes[2], fault.Conflict, "the same job twice in one call")
}

func leaseLostInPart(f *fixture, s jobSource) {
	s.add(6)
	f.tick()
	mine := f.mustClaim(worker, s, 6)
	f.now = mine[0].RunAt
	theirs := f.claimFor(another, s.lane, 2)
	var left, taken []store.ClaimedJob
	for _, j := range mine {
		if slices.Contains(names(theirs), names([]store.ClaimedJob{j})[0]) {
			taken = append(taken, j)
		} else {
			left = append(left, j)
		}
	}
	if len(taken) != 2 {
		f.Fatalf("%d were taken", len(taken))
	}
	f.lost(s, taken)
	f.mustComplete(s, left[:2])
	f.mustComplete(s, theirs)
	f.lost(s, slices.Concat(taken, left[:2]))
	rest := f.mustClaim(another, s, 2)
	f.lost(s, left[2:])
	f.mustComplete(s, rest)
}

func leaseReleased(f *fixture, s jobSource) {
	s.add(3)
	f.tick()
	before := s.kept()
	mine := f.mustClaim(worker, s, 3)
	for _, err := range f.complete(s.release(mine[0]), s.release(mine[1])) {
		f.check(err)
	}
	f.wantSame(s.kept(), before, "what is kept after a release")
	f.lost(s, mine[:2])
	theirs := f.mustClaim(another, s, 2)
	f.wantSame(names(theirs), names(mine[:2]), "what is claimed after a release")
	for _, j := range theirs {
		if j.Attempt != 1 {
			f.Errorf("a release counted as an attempt: %+v", j.Job)
		}
	}
	f.mustComplete(s, mine[2:])
	f.mustComplete(s, theirs)
}

func leaseOutlasts(f *fixture, s jobSource) {
	s.add(4)
	f.tick()
	mine := f.claimFor(worker, s.lane, 2)
	f.reopen()
	theirs := f.mustClaim(another, s, 2)
	f.now = mine[0].RunAt
	f.reopen()
	f.mustComplete(s, mine[:1])
	again := f.mustClaim(another, s, 3) // one that was lost, and its own
	f.lost(s, slices.Concat(mine, theirs))
	f.mustComplete(s, again)
}

func leasesOrphaned(f *fixture, s jobSource) {
	requeue := func(want int, alive ...string) {
		f.Helper()
		if n, err := f.store.RequeueOrphaned(f.Context(), alive, f.now); err != nil || n != want {
			f.Errorf("%d were given back, %v; want %d", n, err, want)
		}
	}
	requeue(0)
	s.add(5)
	f.tick()
	requeue(0)
	mine, theirs := f.claimFor(worker, s.lane, 2), f.mustClaim(another, s, 3)
	requeue(0, worker, another, "a third")
	requeue(2, another)
	f.lost(s, mine)
	again := f.mustClaim("a third", s, 2)
	f.wantSame(names(again), names(mine), "what is claimed again")
	f.lost(s, mine) // although the same is claimed, at the same moment, by somebody else
	for _, j := range again {
		if j.Attempt != 1 {
			f.Errorf("what another process had claimed counted as an attempt: %+v", j.Job)
		}
	}
	f.mustComplete(s, theirs)
	requeue(2)
	requeue(0)
	f.lost(s, again)
	f.mustComplete(s, f.mustClaim(worker, s, 2))
}

func claimsInEndedContext(f *fixture, s jobSource) {
	s.add(2)
	f.tick()
	ended, end := context.WithCancel(f.Context())
	end()
	mine := f.claimFor(worker, s.lane, 1)
	before := f.written(s.kept())
	_, err := f.store.Claim(ended, s.lane, another, 1, f.now)
	_, err2 := f.store.Complete(ended, s.results(mine))
	_, err3 := f.store.NextRun(ended, s.lane)
	_, err4 := f.store.RequeueOrphaned(ended, nil, f.now)
	for i, err := range []error{err, err2, err3, err4} {
		if !errors.Is(err, context.Canceled) {
			f.Errorf("call %d: %v", i+1, err)
		}
	}
	f.wantSame(s.kept(), asWritten(before), "what is kept")
	f.mustComplete(s, f.mustClaim(another, s, 1))
	f.mustComplete(s, mine)
}

// claimsInterrupted ends contexts while calls are under way: each call either did nothing and
// says so, or did everything.
func claimsInterrupted(f *fixture, s jobSource) {
	const jobs = 40
	s.add(jobs)
	f.tick()
	var mine []store.ClaimedJob
	for i := range jobs {
		ctx, end := context.WithCancel(f.Context())
		go end()
		if i%4 == 0 {
			end()
		}
		claimed, err := f.store.Claim(ctx, s.lane, worker, 1, f.now)
		if err != nil && !errors.Is(err, context.Canceled) {
			f.Fatal(err)
		}
		if (err == nil) != (len(claimed) == 1) {
			f.Fatalf("claimed %d, %v", len(claimed), err)
		}
		mine = append(mine, claimed...)
	}
	rest := f.mustClaim(another, s, jobs-len(mine))
	for i, j := range append(mine, rest...) {
		ctx, end := context.WithCancel(f.Context())
		go end()
		if i%4 == 0 {
			end()
		}
		outcomes, err := f.store.Complete(ctx, []store.JobResult{s.done(j)})
		again := f.complete(s.done(j))
		switch {
		case err == nil && outcomes[0] == nil:
			f.wantKind(again[0], fault.Conflict, "a job that was completed")
		case errors.Is(err, context.Canceled):
			f.check(again[0])
		default:
			f.Fatal(outcomes, err)
		}
	}
	f.now = f.now.AddDate(1, 0, 0)
	f.mustClaim(worker, s, 0)
}

func completeAllKinds(f *fixture) {
	var sources []jobSource
	for _, kind := range jobKinds() {
		sources = append(sources, kind.open(f))
	}
	var all, lost []store.JobResult
	for _, s := range sources {
		s.add(2)
		f.tick()
		jobs := f.claimFor(worker, s.lane, 2)
		if len(jobs) != 2 {
			f.Fatalf("%d jobs of %+v", len(jobs), s.lane)
		}
		all = append(all, s.done(jobs[0]))
		lost = append(lost, s.done(jobs[1]))
		f.check(f.complete(s.done(jobs[1]))[0])
	}
	outcomes := f.complete(slices.Concat(all, lost)...)
	for i, err := range outcomes[:len(all)] {
		if err != nil {
			f.Errorf("kind %d: %v", i, err)
		}
	}
	for _, err := range outcomes[len(all):] {
		f.wantKind(err, fault.Conflict, "a job that was completed before")
	}
}

func lanesOfEndpoints(f *fixture) {
	one, two := f.endpoint(f.a, vault.EventCreated), f.endpoint(f.a, vault.EventCreated)
	f.insertMany(f.a, 3, func(int, *vault.Draft) {})
	f.tick()
	lane := func(e webhook.Endpoint) store.Lane {
		return store.Lane{Kind: vault.JobWebhook, Institution: e.Institution, Endpoint: e.ID}
	}
	mine := f.claimFor(worker, lane(one), 9)
	theirs := f.claimFor(another, lane(two), 2)
	if len(mine) != 3 || len(theirs) != 2 {
		f.Fatalf("claimed %d and %d", len(mine), len(theirs))
	}
	for _, j := range slices.Concat(mine, theirs) {
		if j.Endpoint == nil || j.Endpoint.ID != j.Delivery.Delivery.Endpoint || j.Institution != f.a {
			f.Errorf("claimed for %+v: %+v", j.Endpoint, j.Delivery)
		}
	}
	if at := f.nextIn(lane(two)); at.After(f.now) {
		f.Errorf("what is due to the second is due at %s", at)
	}
	if at := f.nextIn(lane(one)); !at.Equal(mine[0].RunAt) {
		f.Errorf("what is due to the first is due at %s", at)
	}
	off := false
	f.changeEndpoint(two, func(e webhook.Endpoint) (webhook.Endpoint, error) {
		return e.Update(webhook.Update{Active: &off}, f.now)
	})
	if none := f.claimFor(worker, lane(two), 9); len(none) != 0 || !f.nextIn(lane(two)).IsZero() {
		f.Errorf("claimed %d of an endpoint that takes none", len(none))
	}
	for _, err := range f.complete(store.JobResult{Job: theirs[0].Job, Delivery: theirs[0].Delivery, Attempt: webhook.Attempt{At: f.now, Status: 200}}) {
		f.check(err) // what is being tried meanwhile is tried to its end
	}
	_, err := f.store.Claim(f.Context(), store.Lane{Kind: vault.JobWebhook, Institution: f.b, Endpoint: one.ID}, worker, 1, f.now)
	f.wantKind(err, fault.NotFound, "another institution's endpoint")
}
