package storetest

import (
	"fmt"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// forgottenReceipts: what came before a moment goes, but for what is still to be
// worked on.
func oldInboundEvents(f *fixture) {
	for i := range 4 {
		r := webhook.InboundEvent{Identity: fmt.Sprint("id", i), At: f.tick(), Event: "e", Body: []byte("{}")}
		if i == 1 {
			r.Tasks = []webhook.InboundTask{webhook.NewInboundTask(webhook.Forward, "a", f.now)}
		}
		_, _, err := f.store.AddInboundEvent(f.Context(), r)
		f.check(err)
	}
	until := f.tick()
	_, _, err := f.store.AddInboundEvent(f.Context(), webhook.InboundEvent{Identity: "id4", At: f.now, Event: "e", Body: []byte("{}")})
	f.check(err)
	count := func(before time.Time) store.OldRecords {
		old, err := f.store.OldInboundEvents(f.Context(), before)
		f.check(err)
		return old
	}
	old := count(until)
	f.wantSame([]any{old.Count, old.Bytes > 0, old.Next.Equal(until)}, []any{3, true, true}, "what could be forgotten")
	f.wantSame(count(f.now.Add(time.Second)).Next.IsZero(), true, "there is no younger one")
	for _, want := range []int{2, 1, 0} {
		n, err := f.store.DeleteOldInboundEvents(f.Context(), until, 2)
		f.check(err)
		f.wantSame(n, want, "forgotten")
	}
	left := func() (names []string) {
		all, err := f.store.InboundEvents(f.Context(), 0, 9)
		f.check(err)
		for _, r := range all {
			names = append(names, r.Identity)
		}
		return names
	}
	f.wantSame(left(), []string{"id4", "id1"}, "what is left")
	f.wantSame(count(until).Count, 0, "what could be forgotten then")
	f.wantSame(f.tryTask("").Identity, "id1", "what is still to be done")
	n, err := f.store.DeleteOldInboundEvents(f.Context(), until, 9)
	f.check(err)
	f.wantSame(n, 1, "forgotten once it was done")
	_, isNew, err := f.store.AddInboundEvent(f.Context(), webhook.InboundEvent{Identity: "id0", At: f.tick(), Event: "e", Body: []byte("{}")})
	f.check(err)
	f.wantSame(isNew, true, "an event that was forgotten is new")
}

// eventAliases: an event is known by each of its identities, and by those with which it came
// again; all of them are forgotten with it.
func eventAliases(f *fixture) {
	add := func(ids ...string) (webhook.InboundEvent, bool) {
		r, isNew, err := f.store.AddInboundEvent(f.Context(), webhook.InboundEvent{
			Identity: ids[0], Aliases: ids[1:], At: f.tick(), Event: "e", Body: []byte("{}")})
		f.check(err)
		return r, isNew
	}
	first, isNew := add("a", "b")
	f.wantSame(isNew, true, "a new event")
	for _, ids := range [][]string{{"b"}, {"a"}, {"x", "b"}, {"y", "x"}, {"y"}} {
		same, isNew := add(ids...)
		f.wantSame([]any{same.Seq, isNew}, []any{first.Seq, false}, fmt.Sprintf("an event that comes as %v", ids))
	}
	_, isNew = add("c")
	f.wantSame(isNew, true, "another event")
	for i := range 100 {
		add("a", fmt.Sprint("more", i))
	}
	all, err := f.store.InboundEvents(f.Context(), 0, 9)
	f.check(err)
	if n := len(all[1].Aliases); n < 4 || n > 50 {
		f.Errorf("an event has %d aliases", n)
	}
	_, err = f.store.DeleteOldInboundEvents(f.Context(), f.tick(), 9)
	f.check(err)
	for _, id := range []string{"a", "b", "x", "y", "more0"} {
		_, isNew := add(id)
		f.wantSame(isNew, true, "an event that was forgotten, as "+id)
	}
}

// forgottenMails: mails that ended go, but for those that did not arrive and were
// not sent again.
func oldMails(f *fixture) {
	var about []vault.Certificate
	for range 4 {
		c, _ := f.approved(f.a, unchanged)
		about = append(about, c)
	}
	jobs := f.claim(vault.JobMail, 3)
	sent := func(m vault.Mail) (vault.Mail, error) { return m.MarkSent("1.x@y", f.now), nil }
	f.complete(store.JobResult{Job: jobs[0], Mail: sent})
	f.complete(store.JobResult{Job: jobs[1], Mail: func(m vault.Mail) (vault.Mail, error) {
		return m.MarkRefused(vault.MailFailure{Code: "5.1.1", Reason: "no such user", At: f.now}), nil
	}})
	until := f.tick()
	forget := func(before time.Time) int {
		n, err := f.store.DeleteOldMails(f.Context(), before, 9)
		f.check(err)
		return n
	}
	count := func(before time.Time) store.OldRecords {
		old, err := f.store.OldMails(f.Context(), before)
		f.check(err)
		return old
	}
	// The second was refused, the third is being sent, the fourth waits.
	old := count(until)
	f.wantSame([]any{old.Count, old.Bytes > 0, old.Next.IsZero()}, []any{1, true, true}, "what could be forgotten")
	old = count(f.now.Add(-time.Hour))
	f.wantSame([]any{old.Count, old.Bytes, old.Next.IsZero()}, []any{0, int64(0), false}, "what could be forgotten of an hour ago")
	f.wantSame(forget(f.now.Add(-time.Hour)), 0, "younger ones")
	f.wantSame(forget(until), 1, "forgotten")
	_, err := f.store.Mail(f.Context(), f.a, jobs[0].Mail)
	f.wantKind(err, fault.NotFound, "a mail that was forgotten")
	f.wantSame(f.mailsOf(store.MailFilter{Institution: f.a, Certificate: about[0].ID}), nil, "mails about its certificate")
	f.wantSame(len(f.mailsOf(store.MailFilter{Institution: f.a})), 3, "what is left")
	f.complete(store.JobResult{Job: jobs[2], Mail: sent})
	f.wantSame(forget(until), 1, "forgotten once it was sent")
	again, err := f.store.RepeatMail(f.Context(), f.a, jobs[1].Mail, func(m vault.Mail) (vault.Mail, error) { return m.Repeat("", f.tick()) })
	f.check(err)
	f.wantSame(forget(until), 1, "forgotten once it was sent again")
	left := f.mailsOf(store.MailFilter{Institution: f.a})
	if len(left) != 2 || left[0].ID != again.ID || left[1].State != vault.MailWaiting {
		f.Errorf("left are %+v", left)
	}
	f.complete(store.JobResult{Job: f.claim(vault.JobMail, 1)[0], Mail: sent})
	n, err := f.store.DeleteOldMails(f.Context(), f.tick(), 1)
	f.check(err)
	f.wantSame(n, 1, "forgotten one by one")
}
