package storetest

import (
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
	chores := func(n int, busy bool) ([]store.DueTask, time.Time) {
		all, next, err := f.store.NextTasks(f.Context(), f.now, n, func(uint64, int) bool { return busy })
		f.check(err)
		return all, next
	}
	if all, _ := chores(9, true); len(all) != 0 {
		f.Error("what is busy is due")
	}
	all, _ := chores(9, false)
	if len(all) != 6 || all[0].Seq != kept[0].Seq || all[1].Task != 1 {
		f.Fatalf("%+v", all)
	}
	f.check(f.store.RecordTaskResult(f.Context(), kept[0].Seq, 0, "", f.now))
	f.check(f.store.RecordTaskResult(f.Context(), kept[0].Seq, 1, "no", f.now))
	f.wantKind(f.store.RecordTaskResult(f.Context(), kept[0].Seq, 0, "", f.now), fault.Conflict, "a task that has ended")
	f.wantKind(f.store.RecordTaskResult(f.Context(), 99, 0, "", f.now), fault.NotFound, "a task of nothing")
	if all, next := chores(9, false); len(all) != 4 || !next.Equal(f.now.Add(time.Second)) {
		f.Errorf("%d are due, the next one at %v", len(all), next)
	}
	f.now = f.now.Add(time.Second)
	if all, _ := chores(9, false); len(all) != 5 {
		f.Errorf("%d are due a second later", len(all))
	}
	if got := page(2, 1)[0]; got.Tasks[0].State != webhook.Delivered || got.Tasks[1].Error != "no" || got.Tasks[1].Attempts != 1 {
		f.Errorf("%+v", got)
	}
}
