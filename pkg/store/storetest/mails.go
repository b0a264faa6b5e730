package storetest

import (
	"cmp"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// mailsOf lists the mails that a filter selects, whichever way it is paged.
func (f *fixture) mailsOf(filter store.MailFilter) []vault.Mail {
	f.Helper()
	all, err := f.store.ListMails(f.Context(), filter, 1000)
	f.check(err)
	var paged []vault.Mail
	for {
		some, err := f.store.ListMails(f.Context(), filter, 2)
		f.check(err)
		paged = append(paged, some...)
		if len(some) < 2 {
			break
		}
		filter.Below = some[1].ID
	}
	f.wantSame(paged, all, "mails read two by two")
	return all
}

// approved keeps a certificate and approves it, which queues a mail.
func (f *fixture) approved(institution uint32, edit func(*vault.Draft)) (vault.Certificate, vault.Mail) {
	f.Helper()
	d := f.draft()
	edit(&d)
	c := f.change(f.insertOne(institution, d), approve(f.tick()))
	all := f.mailsOf(store.MailFilter{Institution: institution, Certificate: c.ID})
	if len(all) != 1 {
		f.Fatalf("%d mails of a new certificate", len(all))
	}
	return c, all[0]
}

func unchanged(*vault.Draft) {}

func mailsAreQueued(f *fixture) {
	f.wantSame(f.mailsOf(store.MailFilter{Institution: f.a}), nil, "mails of an empty store")
	c, m := f.approved(f.a, unchanged)
	if m.To != c.Email || m.State != vault.MailWaiting || m.Kind != vault.MailIssued || m.ID == 0 || m.JobID == 0 {
		f.Errorf("the mail is %+v", m)
	}
	other, _ := f.approved(f.b, unchanged)
	f.check(f.store.QueueMail(f.Context(), vault.NewSignInMail(f.a, "p@example.org", "https://x/s/1", f.tick())))
	all := f.mailsOf(store.MailFilter{Institution: f.a})
	if len(all) != 2 || all[0].Kind != vault.MailSignIn || all[1].ID != m.ID {
		f.Errorf("mails %+v", all)
	}
	_, err := f.store.Mail(f.Context(), f.b, m.ID)
	f.wantKind(err, fault.NotFound, "another institution's mail")
	found, err := f.store.MailsByID(f.Context(), all[0].ID, m.ID)
	f.check(err)
	f.wantSame(found, all, "by number")
	_, err = f.store.MailsByID(f.Context(), m.ID, 99)
	f.wantKind(err, fault.NotFound, "a mail that is none")
	jobs := f.claim(vault.JobMail, 10)
	slices.SortFunc(jobs, func(a, b vault.Job) int { return cmp.Compare(a.ID, b.ID) })
	if len(jobs) != 3 || jobs[0].Mail != m.ID || jobs[0].Certificate != c.ID || jobs[1].Certificate != other.ID || jobs[2].Mail != all[0].ID || jobs[2].Certificate != 0 {
		f.Errorf("jobs %+v", jobs)
	}
}

func mailsSettle(f *fixture) {
	c, m := f.approved(f.a, unchanged)
	why := vault.MailFailure{Code: "4.7.1", Reason: "later", At: f.now}
	j := f.claim(vault.JobMail, 1)[0]
	again, _ := j.Retry("later", f.tick())
	f.wantSame(f.complete(store.JobResult{Job: again, Retry: true,
		Mail: func(m vault.Mail) (vault.Mail, error) { return m.MarkDelayed("1.x@y", why), nil }}), []error{nil}, "settling")
	got, err := f.store.Mail(f.Context(), f.a, m.ID)
	f.check(err)
	f.wantSame(got, m.MarkDelayed("1.x@y", why), "a mail that waits again")
	f.now = f.now.Add(time.Hour)
	j = f.claim(vault.JobMail, 1)[0]
	refused := vault.MailFailure{Code: "5.1.1", Reason: "no such user", At: f.now}
	f.complete(store.JobResult{Job: j, Mail: func(m vault.Mail) (vault.Mail, error) { return m.MarkRefused(refused), nil }})
	if c = f.read(c); c.Undelivered == nil || c.Undelivered.Mail != m.ID || c.Undelivered.MailFailure != refused || c.Undelivered.Address != c.Email {
		f.Errorf("the certificate says %+v", c.Undelivered)
	}
	if n := f.queues()[vault.JobMail]; n != (store.QueueLength{}) {
		f.Errorf("the queue holds %+v", n)
	}
	returned := f.mailsOf(store.MailFilter{Institution: f.a, Returned: true})
	if len(returned) != 1 || returned[0].ID != m.ID || returned[0].Attempts != 2 {
		f.Errorf("returned %+v", returned)
	}
	lost := f.complete(store.JobResult{Job: j, Mail: func(m vault.Mail) (vault.Mail, error) { return m.MarkSent("x", f.now), nil }})
	f.wantKind(lost[0], fault.Conflict, "settling twice")
	if got, err := f.store.Mail(f.Context(), f.a, m.ID); err != nil || got.State != vault.MailRefused {
		f.Errorf("after a lost lease the mail is %+v, %v", got, err)
	}
}

func mailsAreCancelled(f *fixture) {
	cancel := func(m vault.Mail) (vault.Mail, error) { return m.Cancel("by staff", f.now) }
	inBatch := func(d *vault.Draft) { d.Batch = "batch-1" }
	_, first := f.approved(f.a, inBatch)
	f.approved(f.a, unchanged)
	held := f.claim(vault.JobMail, 1)[0]
	f.wantSame(held.Mail, first.ID, "the mail that is being sent")
	f.approved(f.b, inBatch)
	_, err := f.store.ChangeMail(f.Context(), first.ID, cancel)
	f.wantKind(err, fault.Illegal, "cancelling what is being sent")
	f.approved(f.a, inBatch)
	_, last := f.approved(f.a, inBatch)
	n, err := f.store.CancelMails(f.Context(), f.a, "batch-1", cancel)
	f.check(err)
	f.wantSame(n, 2, "mails that were cancelled")
	f.wantSame(f.queues()[vault.JobMail], store.QueueLength{Waiting: 2, Later: 1}, "what is left")
	f.wantSame(len(f.mailsOf(store.MailFilter{Institution: f.a, Batch: "batch-1", State: vault.MailCancelled})), 2, "cancelled")
	_, err = f.store.ChangeMail(f.Context(), last.ID, cancel)
	f.wantKind(err, fault.Illegal, "cancelling twice")
	one := f.mailsOf(store.MailFilter{Institution: f.a, State: vault.MailWaiting})[0]
	_, err = f.store.ChangeMail(f.Context(), one.ID, cancel)
	f.check(err)
	f.wantSame(f.queues()[vault.JobMail], store.QueueLength{Waiting: 1, Later: 1}, "what is left of one")
}

func mailsComeBack(f *fixture) {
	c, m := f.approved(f.a, unchanged)
	j := f.claim(vault.JobMail, 1)[0]
	f.complete(store.JobResult{Job: j, Mail: func(m vault.Mail) (vault.Mail, error) { return m.MarkSent("1.x@y", f.now), nil }})
	bounce := func(m vault.Mail) (vault.Mail, error) {
		return m.MarkBounced(vault.MailFailure{Code: "5.1.1", Reason: "unknown", At: f.now})
	}
	_, err := f.store.ChangeMail(f.Context(), m.ID, bounce)
	f.check(err)
	_, err = f.store.ChangeMail(f.Context(), m.ID, bounce)
	f.wantKind(err, fault.Illegal, "bouncing twice")
	if c = f.read(c); c.Undelivered == nil {
		f.Error("the certificate does not say that its mail came back")
	}
	repeat := func(m vault.Mail) (vault.Mail, error) { return m.Repeat("right@example.org", f.tick()) }
	_, err = f.store.RepeatMail(f.Context(), f.b, m.ID, repeat)
	f.wantKind(err, fault.NotFound, "repeating another institution's mail")
	next, err := f.store.RepeatMail(f.Context(), f.a, m.ID, repeat)
	f.check(err)
	if next.ID == m.ID || next.To != "right@example.org" || next.Resends != m.ID || next.State != vault.MailWaiting {
		f.Errorf("the repeated mail is %+v", next)
	}
	f.wantSame(f.mailsOf(store.MailFilter{Institution: f.a, Returned: true}), nil, "what came back and was not repeated")
	j = f.claim(vault.JobMail, 1)[0]
	f.complete(store.JobResult{Job: j, Mail: func(m vault.Mail) (vault.Mail, error) { return m.MarkSent("2.x@y", f.now), nil }})
	if c = f.read(c); c.Undelivered != nil {
		f.Errorf("the certificate still says %+v", c.Undelivered)
	}
	_, err = f.store.RepeatMail(f.Context(), f.a, next.ID, func(m vault.Mail) (vault.Mail, error) { return m.Repeat("not an address", f.now) })
	f.wantKind(err, fault.Invalid, "an address that is none")
}
