package mailer

import (
	"context"
	"errors"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// attempt sends one mail and decides what becomes of it: sent, tried again,
// given up, or held up by what is not its fault. This is the only place that
// decides that.
func (p *Queue) attempt(ctx context.Context, t task) store.JobResult {
	asked := p.Now()
	if wait := p.limiter.ReserveN(asked, 1).DelayFrom(asked); wait > 0 && wake.Sleep(ctx, wait) != nil {
		return p.release(t)
	}
	s := store.JobResult{Job: t.job}
	now := p.Now()
	if !now.Before(t.job.RunAt) {
		return p.release(t) // it waited here for so long that others may have it
	}
	moot := t.mail.SkipReason(t.certificate, now)
	switch {
	case t.job.Mail == 0:
		return p.createMail(ctx, t)
	case t.mail.State != vault.MailWaiting:
		return s // cancelled meanwhile, or it came back before we knew that it was sent
	case moot != "":
		s.Mail = ifWaiting(func(m vault.Mail) (vault.Mail, error) { return m.Cancel(moot, now) })
		return s
	case t.job.GivenUp():
		return p.reject(s, vault.MailFailure{Reason: "sending this mail ended the program several times", At: now})
	case p.outage.remaining(now) > 0:
		return p.release(t)
	}
	message, err := p.Compose(ctx, t.mail, t.certificate)
	if err != nil {
		return p.postpone(ctx, t, err)
	}
	conn := p.connections.get()
	err = conn.Send(ctx, message)
	p.connections.put(conn)
	trouble, ok := errors.AsType[*mail.DeliveryError](err)
	switch {
	case err == nil:
		p.endOutage()
		p.countResult("sent")
		sent := p.Now()
		s.Mail = ifWaiting(func(m vault.Mail) (vault.Mail, error) { return m.MarkSent(message.MessageID, sent), nil })
		return s
	case !ok, trouble.Class == mail.ServerUnavailable:
		return p.postpone(ctx, t, err)
	}
	p.endOutage() // the server talks to us
	why := vault.MailFailure{Code: trouble.Code, Reason: mail.Shorten(trouble.Reason), At: p.Now()}
	// What the server said may hold addresses, so it is not logged.
	p.Log.Warn("a mail was not taken", "mail", t.mail.ID, "attempt", t.job.Attempt, "code", trouble.Code)
	again, left := s.Job.Retry("code "+trouble.Code, p.Now())
	if trouble.Class == mail.Permanent || !left {
		return p.reject(s, why)
	}
	p.countResult("again")
	s.Job, s.Retry = again, true
	s.Mail = ifWaiting(func(m vault.Mail) (vault.Mail, error) { return m.MarkDelayed(message.MessageID, why), nil })
	return s
}

func (p *Queue) reject(s store.JobResult, why vault.MailFailure) store.JobResult {
	p.countResult("failed")
	s.Mail = ifWaiting(func(m vault.Mail) (vault.Mail, error) { return m.MarkRefused(why), nil })
	return s
}

// ifWaiting applies a transition to a mail that still waits and leaves any other
// as it is: it may have been cancelled, or come back already.
func ifWaiting(change func(vault.Mail) (vault.Mail, error)) func(vault.Mail) (vault.Mail, error) {
	return func(m vault.Mail) (vault.Mail, error) {
		if m.State != vault.MailWaiting {
			return m, nil
		}
		return change(m)
	}
}

// createMail queues the mail of a job that was made before there were mails.
func (p *Queue) createMail(ctx context.Context, t task) store.JobResult {
	if c := t.certificate; c.ID != 0 {
		if err := p.store.QueueMail(ctx, c.MailTo(vault.MailIssued, p.Now())); err != nil {
			return p.postpone(ctx, t, err)
		}
	}
	return store.JobResult{Job: t.job}
}

// postpone puts a mail back that is held up by something else; where that is the
// server, all others too, for a while. What the end of ctx cuts short is no outage.
func (p *Queue) postpone(ctx context.Context, t task, err error) store.JobResult {
	s := p.release(t)
	if ctx.Err() != nil {
		return s
	}
	if fault.Is(err, fault.Invalid) {
		// A template, or a setting of one institution: others' mails go on.
		s.Job = s.Job.Postponed("it cannot be written", p.Now(), composeRetryDelay)
		p.reportOutage(err)
		return s
	}
	if p.outage.start(p.Now()) > 0 {
		p.reportOutage(err)
	}
	return s
}

// composeRetryDelay is when to look again at a mail that cannot be written.
const composeRetryDelay = 5 * time.Minute

// endOutage notes that mails go out.
func (p *Queue) endOutage() {
	if p.outage.end() {
		p.reportOutage(nil)
	}
}

// commit settles a group.
func (p *Queue) commit(ctx context.Context, group []store.JobResult) error {
	outcomes, err := p.store.Complete(ctx, group)
	if err != nil {
		return err
	}
	for i, s := range group {
		if outcomes[i] != nil {
			p.Log.Warn("the result of a mail's job could not be stored", "job", s.Job.ID, "error", outcomes[i])
		}
	}
	return nil
}
