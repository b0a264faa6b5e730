package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

func notifications(f *fixture) {
	e := f.endpoint(f.a, "certification.revoked")
	id := "0197f6a0-0000-7000-8000-000000000001"
	address := "https://shop.example.com/"
	shop, err := webhook.New(id, webhook.Subscriber{Institution: f.a, Store: "shop"},
		webhook.Update{URL: &address, Events: []vault.EventType{"certification.revoked"}}, webhook.EncryptedSecret("s"), f.now)
	f.check(err)
	f.check(f.store.AddEndpoint(f.Context(), shop))
	body := []byte(`{"event":"certification.revoked"}`)
	f.check(f.store.Publish(f.Context(), webhook.RenderedNotification(shop.Subscriber, "certification.revoked", "mystore.com", f.now, 1, body), f.now))
	if turn := f.nextDeliveries(shop, 9); len(turn.Due) != 1 || string(turn.Due[0].Body) != string(body) {
		f.Errorf("%+v", turn)
	}
	if turn := f.nextDeliveries(e, 9); len(turn.Due) != 0 {
		f.Error("a store's event was told to another")
	}
}

// tryTask tries the one task that is due, and returns its event.
func (f *fixture) tryTask(failure string) webhook.InboundEvent {
	f.Helper()
	due := f.claimFor(worker, store.Lane{Kind: vault.JobInbound}, 9)
	if len(due) != 1 {
		f.Fatalf("%d tasks are due, want 1", len(due))
	}
	f.check(f.complete(store.JobResult{Job: due[0].Job, Task: due[0].Task, Failure: failure, At: f.now})[0])
	return due[0].Task.InboundEvent
}

func inboundEvents(f *fixture) {
	var kept []webhook.InboundEvent
	for i := range 3 {
		r, isNew, err := f.store.AddInboundEvent(f.Context(), webhook.InboundEvent{
			Identity: fmt.Sprint("id", i), At: f.tick(), Event: "e", Body: []byte("{}"),
			Tasks: []webhook.InboundTask{webhook.NewInboundTask(webhook.Forward, "a", f.now), webhook.NewInboundTask(webhook.Run, "b", f.now)},
		})
		f.check(err)
		if !isNew {
			f.Fatal("a new event is known already")
		}
		kept = append(kept, r)
	}
	twin, isNew, err := f.store.AddInboundEvent(f.Context(), webhook.InboundEvent{Identity: "id1", Event: "other", At: f.tick()})
	f.check(err)
	f.wantSame(twin, kept[1], "an event that comes again")
	if isNew {
		f.Error("an event that comes again is new")
	}
	page := func(before uint64, n int) []webhook.InboundEvent {
		all, err := f.store.InboundEvents(f.Context(), before, n)
		f.check(err)
		return all
	}
	f.wantSame(page(0, 9), []webhook.InboundEvent{kept[2], kept[1], kept[0]}, "all")
	f.wantSame(page(kept[2].Seq, 1), []webhook.InboundEvent{kept[1]}, "one before another")
	f.wantSame(page(kept[2].Seq+9, 1), []webhook.InboundEvent{kept[2]}, "before one that is not there")
	lane := store.Lane{Kind: vault.JobInbound}
	all := f.claimFor(worker, lane, 9)
	if len(all) != 6 || all[0].Task.Seq != kept[0].Seq || all[1].Task.Index != 1 || all[1].Attempt != 1 {
		f.Fatalf("%+v", all)
	}
	result := func(n int, failure string) store.JobResult {
		return store.JobResult{Job: all[n].Job, Task: all[n].Task, Failure: failure, At: f.now}
	}
	outcomes := f.complete(result(0, ""), result(1, "no"), result(0, ""))
	f.check(errors.Join(outcomes[:2]...))
	f.wantKind(outcomes[2], fault.Conflict, "a task that has ended")
	for n := 2; n < 6; n++ {
		back := result(n, "")
		back.Release = true
		f.check(f.complete(back)[0])
	}
	f.wantSame(len(f.claimFor(worker, lane, 9)), 4, "tasks due")
	if at := f.nextIn(lane); !at.Equal(f.now.Add(time.Second)) {
		f.Errorf("the next one is due at %v", at)
	}
	f.now = f.now.Add(time.Second)
	if again := f.claimFor(worker, lane, 9); len(again) != 1 || again[0].Attempt != 2 || again[0].Task.Tasks[1].Error != "no" {
		f.Errorf("a second later are due %+v", again)
	}
	if got := page(2, 1)[0]; got.Tasks[0].State != webhook.Delivered || got.Tasks[1].Error != "no" || got.Tasks[1].Attempts != 1 {
		f.Errorf("%+v", got)
	}
}
