package storetest

import (
	"encoding/json"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// webhookTests are the tests of endpoints, deliveries and received events.
func webhookTests() []test {
	return []test{
		{"endpoints", endpoints},
		{"endpoints have room for five", endpointLimit},
		{"endpoints change together", endpointsTogether},
		{"deliveries come with a change", deliveriesCome},
		{"deliveries of a refused change", deliveriesOfNothing},
		{"attempts at deliveries", attempts},
		{"deliveries that change while they are tried", changedMeanwhile},
		{"deliveries of a suspended endpoint wait", suspendedEndpoint},
		{"redelivery", redelivery},
		{"lists of deliveries", deliveryLists},
		{"deliveries are forgotten", oldDeliveries},
		{"what waits is counted", countedBacklog},
		{"tests of endpoints", endpointTests},
		{"news of others", notifications},
		{"received events", inboundEvents},
		{"received events are forgotten", oldInboundEvents},
		{"received events have many identities", eventAliases},
	}
}

func (f *fixture) endpoint(institution uint32, events ...vault.EventType) webhook.Endpoint {
	f.Helper()
	id, err := vault.NewUUID(f.random, f.tick())
	f.check(err)
	address := "https://example.com/" + id
	e, err := webhook.New(id, webhook.Subscriber{Institution: institution}, webhook.Update{URL: &address, Events: events}, webhook.EncryptedSecret("sealed"), f.now)
	f.check(err)
	f.check(f.store.AddEndpoint(f.Context(), e))
	return e
}

func (f *fixture) changeEndpoint(e webhook.Endpoint, change func(webhook.Endpoint) (webhook.Endpoint, error)) webhook.Endpoint {
	f.Helper()
	got, err := f.store.ChangeEndpoint(f.Context(), e.Institution, e.ID, change)
	f.check(err)
	return got
}

// deliveryBatch is what an endpoint is to be told now.
type deliveryBatch struct {
	Endpoint webhook.Endpoint
	Due      []store.DueDelivery
	Next     time.Time // when there is more to do, where nothing is due
}

// laneTo is where deliveries to an endpoint are claimed.
func laneTo(e webhook.Endpoint) store.Lane {
	return store.Lane{Kind: vault.JobWebhook, Institution: e.Institution, Endpoint: e.ID}
}

// nextDeliveries claims deliveries, and gives them back.
func (f *fixture) nextDeliveries(e webhook.Endpoint, n int) (b deliveryBatch) {
	f.Helper()
	all, err := f.store.Endpoints(f.Context(), e.Institution)
	f.check(err)
	for _, one := range all {
		if one.ID == e.ID {
			b.Endpoint = one
		}
	}
	var back []store.JobResult
	for _, j := range f.claimFor(worker, laneTo(e), n) {
		b.Due = append(b.Due, *j.Delivery)
		back = append(back, store.JobResult{Job: j.Job, Delivery: j.Delivery, Release: true})
	}
	for _, err := range f.complete(back...) {
		f.check(err)
	}
	if len(b.Due) == 0 {
		b.Next = f.nextIn(laneTo(e))
	}
	return b
}

func (f *fixture) deliveries(filter webhook.Filter) []webhook.Delivery {
	f.Helper()
	all, err := f.store.Deliveries(f.Context(), filter, 1000)
	f.check(err)
	return all
}

// attempt tries everything that is due for an endpoint.
func (f *fixture) attempt(e webhook.Endpoint, status int) int {
	f.Helper()
	var tried []store.JobResult
	for _, j := range f.claimFor(worker, laneTo(e), 1000) {
		tried = append(tried, store.JobResult{Job: j.Job, Delivery: j.Delivery, Attempt: webhook.Attempt{At: f.now, Status: status}})
	}
	for _, err := range f.complete(tried...) {
		f.check(err)
	}
	return len(tried)
}

func endpoints(f *fixture) {
	one, two := f.endpoint(f.a, vault.EventCreated), f.endpoint(f.a, vault.EventApproved, vault.EventFailed)
	other := f.endpoint(f.b, vault.EventCreated)
	f.wantKind(f.store.AddEndpoint(f.Context(), one), fault.Conflict, "adding an endpoint twice")
	list := func(institution uint32) []webhook.Endpoint {
		all, err := f.store.Endpoints(f.Context(), institution)
		f.check(err)
		return all
	}
	f.wantSame(list(f.a), []webhook.Endpoint{one, two}, "an institution's endpoints")
	f.wantSame(list(0), []webhook.Endpoint{one, two, other}, "all endpoints")
	_, err := f.store.ChangeEndpoint(f.Context(), f.b, one.ID, func(e webhook.Endpoint) (webhook.Endpoint, error) { return e.Delete(f.now) })
	f.wantKind(err, fault.NotFound, "another institution's endpoint")
	off := false
	one = f.changeEndpoint(one, func(e webhook.Endpoint) (webhook.Endpoint, error) {
		return e.Update(webhook.Update{Active: &off}, f.tick())
	})
	if one.Active {
		f.Error("an endpoint that was switched off is active")
	}
	f.changeEndpoint(two, func(e webhook.Endpoint) (webhook.Endpoint, error) { return e.Delete(f.tick()) })
	f.wantSame(list(f.a), []webhook.Endpoint{one}, "after one was deleted")
	_, err = f.store.ChangeEndpoint(f.Context(), f.a, two.ID, func(e webhook.Endpoint) (webhook.Endpoint, error) { return e, nil })
	f.wantKind(err, fault.NotFound, "changing a deleted endpoint")
}

func endpointLimit(f *fixture) {
	var last webhook.Endpoint
	for range webhook.MaxEndpoints {
		last = f.endpoint(f.a, vault.EventCreated)
	}
	one := last
	one.ID = "9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15"
	f.wantKind(f.store.AddEndpoint(f.Context(), one), fault.Invalid, "a sixth endpoint")
	f.endpoint(f.b, vault.EventCreated) // another owner has room
	f.changeEndpoint(last, func(e webhook.Endpoint) (webhook.Endpoint, error) { return e.Delete(f.tick()) })
	f.check(f.store.AddEndpoint(f.Context(), one))
}

func deliveriesCome(f *fixture) {
	all := f.endpoint(f.a, vault.EventCreated, vault.EventApproved, vault.EventRetried, vault.EventFailed)
	some := f.endpoint(f.a, vault.EventApproved)
	f.endpoint(f.b, vault.EventApproved)
	off := f.endpoint(f.a, vault.EventCreated)
	no := false
	f.changeEndpoint(off, func(e webhook.Endpoint) (webhook.Endpoint, error) {
		return e.Update(webhook.Update{Active: &no}, f.now)
	})
	c := f.insertOne(f.a, f.draft())
	f.change(c, fail(f.tick()))
	f.change(c, retry(f.tick()))
	approved := f.change(c, approve(f.tick()))
	want := []vault.EventType{vault.EventCreated, vault.EventFailed, vault.EventRetried, vault.EventApproved}
	turn := f.nextDeliveries(all, 10)
	if len(turn.Due) != len(want) {
		f.Fatalf("%d deliveries, want %d", len(turn.Due), len(want))
	}
	seen := map[string]bool{}
	for i, due := range turn.Due {
		var p struct {
			Event, UUID   string
			WebhookID     string `json:"webhook_id"`
			ApplicationID uint64 `json:"application_id"`
			DeliveryID    string `json:"delivery_id"`
		}
		f.check(json.Unmarshal(due.Body, &p))
		if due.Event != want[i] || p.Event != string(want[i]) || p.UUID != c.UUID || p.WebhookID != all.ID ||
			p.ApplicationID != approved.ID || p.DeliveryID != due.UUID || due.State != webhook.Pending || seen[due.UUID] {
			f.Errorf("delivery %d: %+v %s", i, due.Delivery, due.Body)
		}
		seen[due.UUID] = true
	}
	if turn := f.nextDeliveries(some, 10); len(turn.Due) != 1 || turn.Due[0].Event != vault.EventApproved {
		f.Errorf("%d deliveries for the one who wants approvals", len(turn.Due))
	}
	if n := len(f.deliveries(webhook.Filter{Institution: f.a})); n != 5 {
		f.Errorf("%d deliveries in all", n)
	}
}

func deliveriesOfNothing(f *fixture) {
	e := f.endpoint(f.a, vault.EventCreated, vault.EventFailed)
	c := f.insertOne(f.a, f.draft())
	_, err := f.store.Change(f.Context(), f.a, c.UUID, retry(f.now))
	f.wantKind(err, fault.Illegal, "retrying what has not failed")
	if n := len(f.nextDeliveries(e, 10).Due); n != 1 {
		f.Errorf("%d deliveries, want that of the creation", n)
	}
}

func attempts(f *fixture) {
	e := f.endpoint(f.a, vault.EventCreated)
	f.insertOne(f.a, f.draft())
	first := f.nextDeliveries(e, 1).Due[0]
	for try := 1; try <= webhook.MaxAttempts; try++ {
		turn := f.nextDeliveries(e, 1)
		if len(turn.Due) != 1 || string(turn.Due[0].Body) != string(first.Body) {
			f.Fatalf("try %d: %d are due, or another body", try, len(turn.Due))
		}
		if n := f.attempt(e, 500); n != 1 {
			f.Fatal(n)
		}
		turn = f.nextDeliveries(e, 1)
		switch want := f.now.Add(webhook.RetryPause); {
		case len(turn.Due) != 0:
			f.Error("it is due again at once")
		case try < webhook.MaxAttempts && !turn.Next.Equal(want):
			f.Errorf("the next try is at %v, want %v", turn.Next, want)
		case try == webhook.MaxAttempts && !turn.Next.IsZero():
			f.Error("it is not given up")
		}
		f.now = f.now.Add(webhook.RetryPause)
	}
	d, err := f.store.Delivery(f.Context(), f.a, first.UUID)
	f.check(err)
	if d.State != webhook.GivenUp || len(d.Attempts) != webhook.MaxAttempts || f.nextDeliveries(e, 1).Endpoint.Failures != 1 {
		f.Errorf("%+v", d.Delivery)
	}
	_, err = f.store.Delivery(f.Context(), f.b, first.UUID)
	f.wantKind(err, fault.NotFound, "another institution's delivery")
}

// changedMeanwhile has deliveries change between the claim and the attempt.
func changedMeanwhile(f *fixture) {
	e, gone := f.endpoint(f.a, vault.EventCreated), f.endpoint(f.a, vault.EventCreated)
	f.insertOne(f.a, f.draft())
	f.attempt(e, 500)
	f.now = f.now.Add(webhook.RetryPause)
	mine, theirs := f.claimFor(worker, laneTo(e), 1)[0], f.claimFor(worker, laneTo(gone), 1)[0]
	result := func(j store.ClaimedJob, status int) store.JobResult {
		return store.JobResult{Job: j.Job, Delivery: j.Delivery, Attempt: webhook.Attempt{At: f.now, Status: status}}
	}
	if mine.Attempt != 2 {
		f.Errorf("the second attempt is %+v", mine.Job)
	}
	f.check(f.store.Redeliver(f.Context(), f.a, []string{mine.Delivery.UUID}, f.now))
	f.wantSame(len(f.claimFor(another, laneTo(e), 1)), 0, "what is being tried is not claimed again because somebody asked for it")
	f.check(f.complete(result(mine, 500))[0])
	d, err := f.store.Delivery(f.Context(), f.a, mine.Delivery.UUID)
	f.check(err)
	if d.Tries != 1 || len(d.Attempts) != 2 {
		f.Errorf("the attempt was not applied to what was asked for anew: %+v", d.Delivery)
	}
	f.changeEndpoint(gone, func(e webhook.Endpoint) (webhook.Endpoint, error) { return e.Delete(f.tick()) })
	_, err = f.store.DeleteOldDeliveries(f.Context(), f.now, 9)
	f.check(err)
	f.check(f.complete(result(theirs, 200))[0]) // it was forgotten, with its endpoint
}

func suspendedEndpoint(f *fixture) {
	e := f.endpoint(f.a, vault.EventCreated)
	f.insertMany(f.a, webhook.SuspendAfter, func(int, *vault.Draft) {})
	for range webhook.MaxAttempts {
		f.attempt(e, 500)
		f.now = f.now.Add(webhook.RetryPause)
	}
	turn := f.nextDeliveries(e, 1)
	if !turn.Endpoint.Suspended() || turn.Endpoint.Failures != webhook.SuspendAfter || turn.Endpoint.LastStatus != webhook.Failed {
		f.Fatalf("%+v", turn.Endpoint)
	}
	f.insertOne(f.a, f.draft())
	if turn := f.nextDeliveries(e, 10); len(turn.Due) != 0 || !turn.Next.IsZero() {
		f.Error("a suspended endpoint has deliveries due")
	}
	waiting := f.deliveries(webhook.Filter{Institution: f.a, Endpoint: e.ID, State: webhook.Pending})
	if len(waiting) != 1 {
		f.Fatalf("%d deliveries wait", len(waiting))
	}
	on := true
	f.changeEndpoint(e, func(e webhook.Endpoint) (webhook.Endpoint, error) {
		return e.Update(webhook.Update{Active: &on}, f.now)
	})
	if n := f.attempt(e, 204); n != 1 {
		f.Errorf("%d were due after the end of the suspension", n)
	}
	if got := f.nextDeliveries(e, 1).Endpoint; got.Failures != 0 || got.LastStatus != webhook.Success {
		f.Errorf("%+v", got)
	}
}

func redelivery(f *fixture) {
	e, gone := f.endpoint(f.a, vault.EventCreated), f.endpoint(f.a, vault.EventCreated)
	c := f.insertOne(f.a, f.draft())
	f.attempt(e, 200)
	var mine, others string
	for _, d := range f.deliveries(webhook.Filter{Institution: f.a}) {
		if d.Endpoint == e.ID {
			mine = d.UUID
		} else {
			others = d.UUID
		}
	}
	f.changeEndpoint(gone, func(e webhook.Endpoint) (webhook.Endpoint, error) { return e.Delete(f.tick()) })
	again := func(institution uint32, uuids ...string) error {
		return f.store.Redeliver(f.Context(), institution, uuids, f.now)
	}
	f.wantKind(again(f.a, mine, others), fault.Illegal, "one of a deleted endpoint")
	f.wantKind(again(f.a, mine, c.UUID), fault.NotFound, "one that is none")
	f.wantKind(again(f.b, mine), fault.NotFound, "another institution's")
	if n := len(f.nextDeliveries(e, 9).Due); n != 0 {
		f.Errorf("%d are due after a refusal", n)
	}
	f.check(again(f.a, mine))
	if n := f.attempt(e, 500); n != 1 {
		f.Errorf("%d are due", n)
	}
	d, err := f.store.Delivery(f.Context(), f.a, mine)
	f.check(err)
	if d.Tries != 1 || len(d.Attempts) != 2 || d.State != webhook.Pending {
		f.Errorf("%+v", d.Delivery)
	}
	f.check(again(f.a, mine)) // one that waits is due at once
	if n := len(f.nextDeliveries(e, 9).Due); n != 1 {
		f.Errorf("%d are due", n)
	}
}

func deliveryLists(f *fixture) {
	one, two := f.endpoint(f.a, vault.EventCreated), f.endpoint(f.a, vault.EventCreated)
	f.endpoint(f.b, vault.EventCreated)
	began := f.now
	f.insertMany(f.a, 5, func(int, *vault.Draft) {})
	half := f.tick()
	f.insertOne(f.b, f.draft())
	f.insertMany(f.a, 3, func(int, *vault.Draft) {})
	f.attempt(two, 200)
	for i, test := range []struct {
		filter webhook.Filter
		want   int
	}{
		{webhook.Filter{Institution: f.a}, 16}, {webhook.Filter{Institution: f.b}, 1},
		{webhook.Filter{Institution: f.a, Endpoint: one.ID}, 8}, {webhook.Filter{Institution: f.b, Endpoint: one.ID}, 0},
		{webhook.Filter{Institution: f.a, Endpoint: "none"}, 0},
		{webhook.Filter{Institution: f.a, State: webhook.Delivered}, 8}, {webhook.Filter{Institution: f.a, Endpoint: one.ID, State: webhook.Delivered}, 0},
		{webhook.Filter{Institution: f.a, From: half}, 6}, {webhook.Filter{Institution: f.a, To: half}, 10},
		{webhook.Filter{Institution: f.a, From: began, To: half, Endpoint: two.ID}, 5}, {webhook.Filter{Institution: f.a, From: f.now.Add(time.Hour)}, 0},
	} {
		for _, n := range []int{1, 3, 100} {
			filter, last, got := test.filter, uint64(0), 0
			for {
				page, err := f.store.Deliveries(f.Context(), filter, n)
				f.check(err)
				for _, d := range page {
					if last != 0 && d.ID >= last {
						f.Fatalf("case %d: %d after %d", i, d.ID, last)
					}
					last = d.ID
				}
				if got += len(page); len(page) < n {
					break
				}
				filter.Before = last
			}
			if got != test.want {
				f.Errorf("case %d by %d: %d deliveries, want %d", i, n, got, test.want)
			}
		}
	}
}

func oldDeliveries(f *fixture) {
	one, gone, other := f.endpoint(f.a, vault.EventCreated), f.endpoint(f.a, vault.EventCreated), f.endpoint(f.b, vault.EventCreated)
	f.insertMany(f.a, 3, func(int, *vault.Draft) {})
	f.insertOne(f.b, f.draft())
	f.attempt(one, 200)
	f.attempt(other, 200)
	f.tick()
	f.insertOne(f.a, f.draft())
	f.changeEndpoint(gone, func(e webhook.Endpoint) (webhook.Endpoint, error) { return e.Delete(f.now) })
	forget := func(n int) int {
		done, err := f.store.DeleteOldDeliveries(f.Context(), f.now, n)
		f.check(err)
		return done
	}
	count := func(before time.Time) store.OldRecords {
		old, err := f.store.OldDeliveries(f.Context(), before)
		f.check(err)
		return old
	}
	old := count(f.now)
	f.wantSame([]any{old.Count, old.Bytes > 0, old.Next.Equal(f.now)}, []any{7, true, true}, "what could be forgotten")
	old = count(f.now.Add(-time.Hour))
	f.wantSame([]any{old.Count, old.Bytes, old.Next.IsZero()}, []any{0, int64(0), false}, "what could be forgotten of an hour ago")
	if n := forget(2); n != 2 {
		f.Errorf("%d were forgotten, want 2", n)
	}
	if n := forget(100); n != 5 {
		f.Errorf("%d more were forgotten, want 5", n)
	}
	if n := forget(100); n != 0 {
		f.Errorf("%d more were forgotten, want none", n)
	}
	left := f.deliveries(webhook.Filter{Institution: f.a})
	if len(left) != 2 || f.attempt(one, 200) != 1 {
		f.Errorf("%d are left", len(left))
	}
}

func endpointTests(f *fixture) {
	e := f.endpoint(f.a, vault.EventCreated)
	try := func(status int) webhook.Delivery {
		d, body, err := webhook.TestNotification(e.Subscriber, f.tick()).DeliveryTo(e, f.now)
		f.check(err)
		d, err = f.store.RecordTest(f.Context(), d, body, webhook.Attempt{At: f.now, Status: status})
		f.check(err)
		return d
	}
	if d := try(404); d.State != webhook.GivenUp {
		f.Errorf("%+v", d)
	}
	if got := f.nextDeliveries(e, 1).Endpoint; got.Failures != 0 || got.LastStatus != webhook.Failed {
		f.Errorf("%+v", got)
	}
	d := try(200)
	if d.State != webhook.Delivered || f.nextDeliveries(e, 1).Endpoint.LastStatus != webhook.Success {
		f.Errorf("%+v", d)
	}
	f.wantKind(f.store.Redeliver(f.Context(), f.a, []string{d.UUID}, f.now), fault.Illegal, "a test again")
}

func countedBacklog(f *fixture) {
	want := func(doing string, n int, oldest time.Time) {
		f.Helper()
		got, err := f.store.Backlog(f.Context())
		f.check(err)
		if got.Waiting != n || !got.Oldest.Equal(oldest) {
			f.Errorf("%s: %+v, want %d since %v", doing, got, n, oldest)
		}
	}
	want("no endpoint", 0, time.Time{})
	one, gone, other := f.endpoint(f.a, vault.EventCreated), f.endpoint(f.a, vault.EventCreated), f.endpoint(f.b, vault.EventCreated)
	want("nothing happened", 0, time.Time{})
	f.tick()
	first := f.insertOne(f.a, f.draft()).CreatedAt
	f.tick()
	second := f.insertMany(f.b, 2, func(int, *vault.Draft) {})[0].CreatedAt
	want("two institutions", 4, first)
	f.changeEndpoint(gone, func(e webhook.Endpoint) (webhook.Endpoint, error) { return e.Delete(f.now) })
	want("one endpoint is deleted", 3, first)
	f.attempt(one, 500)
	want("one is tried again later", 3, first)
	f.now = f.now.Add(webhook.RetryPause)
	f.attempt(one, 200)
	want("one was told", 2, second)
	f.attempt(other, 200)
	want("all were told", 0, time.Time{})
}
