// Package mailer sends the mails that wait in the store, handles bounces, and
// writes the digests for staff.
package mailer

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"github.com/vecctl/vecctl/agent/worker"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// Store is what is needed of the store.
type Store interface {
	store.Queue
	ByID(ctx context.Context, ids ...uint64) ([]vault.Certificate, error)
	MailsByID(ctx context.Context, ids ...uint64) ([]vault.Mail, error)
	QueueMail(ctx context.Context, m vault.Mail) error
}

// Transport takes mails to where they go. It is for one caller at a time.
type Transport interface {
	// Send sends a mail. Where it is not taken, a *mail.DeliveryError says who is to blame;
	// any other error is the transport's own.
	Send(ctx context.Context, m mail.Message) error
	Close()
}

// QueueOptions are what a queue needs besides the store.
type QueueOptions struct {
	// Owner is who claims mails: another one after each start of the process.
	Owner string
	// Compose makes a mail. An error holds the mail up; it is no fault of the mail.
	Compose func(ctx context.Context, m vault.Mail, c vault.Certificate) (mail.Message, error)
	// NewTransport makes a transport. There are at most as many as Connections.
	NewTransport func() Transport
	Connections  int
	PerMinute    int // how many mails may leave in a minute; 0 is any number
	Now          func() time.Time
	Log          *slog.Logger
	// OnOutage is told when mails are held up, and with nil when they go out again.
	// It must not block.
	OnOutage func(error)
	// CountResult, where set, is told how each attempt at a mail ended: "sent", "failed" when it
	// was refused for good, "again" when it is tried once more. It must not block.
	CountResult func(string)
}

// Queue sends the mails that wait in the store.
type Queue struct {
	QueueOptions
	store       Store
	loop        *worker.Loop[task, store.JobResult]
	connections connections
	outage      outage
	limiter     *rate.Limiter
}

// Sizes and times of the loop.
const (
	claimGroup = 64
	// idlePoll bounds how late a mail is seen whose moment nobody announced.
	idlePoll = 2 * time.Second
	// storeRetryDelay is the pause when the store fails, a full disk for one.
	storeRetryDelay = 2 * time.Second
)

// NewQueue makes a queue; it starts nothing.
func NewQueue(queue Store, o QueueOptions) *Queue {
	p := &Queue{QueueOptions: o, store: queue, connections: connections{open: o.NewTransport}, limiter: newLimiter(o.PerMinute)}
	p.loop = worker.New(worker.Options[task, store.JobResult]{
		Claim: p.claim, NextRun: p.nextRun, Do: p.attempt, Release: p.release, Commit: p.commit, Alone: task.suspect,
		OnError: p.reportOutage, Now: o.Now, Workers: o.Connections, MaxGroup: claimGroup,
		// No lingering: as few mails as possible are sent and not noted as sent when the
		// process dies.
		Idle: idlePoll, AfterError: storeRetryDelay,
	})
	return p
}

// Wake says that there may be new mails.
func (p *Queue) Wake() { p.loop.Wake() }

// task is a job with what it is about.
type task struct {
	job         vault.Job
	mail        vault.Mail
	certificate vault.Certificate // empty for mail about none
}

// suspect reports whether the task may end the program.
func (t task) suspect() bool { return t.job.Suspect() }

// Run sends until ctx ends. Then what is in work is finished and settled, and
// what was claimed but not begun goes back to the queue.
func (p *Queue) Run(ctx context.Context) error {
	p.loop.Run(ctx)
	p.connections.close()
	return nil
}

// release is a claimed job that goes back to the queue as if it had not been claimed.
func (p *Queue) release(t task) store.JobResult {
	return store.JobResult{Job: t.job.Postponed(t.job.LastError, p.Now(), 0), Release: true}
}

// claim claims mails, unless none can go out at present: new mails do not make a server
// well.
func (p *Queue) claim(ctx context.Context) ([]task, error) {
	if p.outage.remaining(p.Now()) > 0 {
		return nil, nil
	}
	n := claimGroup
	if p.PerMinute > 0 {
		n = min(n, p.PerMinute)
	}
	jobs, err := p.store.Claim(ctx, store.Lane{Kind: vault.JobMail}, p.Owner, n, p.Now())
	if err != nil {
		return nil, fmt.Errorf("claiming mails: %w", err)
	}
	if len(jobs) == 0 {
		return nil, nil
	}
	// The jobs are claimed now: the look-ups must not be cut short.
	return p.loadMails(context.WithoutCancel(ctx), jobs)
}

// loadMails reads the mails of jobs, and the certificates that they are about.
func (p *Queue) loadMails(ctx context.Context, jobs []store.ClaimedJob) ([]task, error) {
	claimed := make([]task, len(jobs))
	var mailIDs, ids []uint64
	for i, j := range jobs {
		claimed[i].job = j.Job
		if j.Mail != 0 {
			mailIDs = append(mailIDs, j.Mail)
		}
		if j.Certificate != 0 {
			ids = append(ids, j.Certificate)
		}
	}
	mails, err := p.store.MailsByID(ctx, mailIDs...)
	if err != nil {
		return nil, fmt.Errorf("reading claimed mails: %w", err)
	}
	certificates, err := p.store.ByID(ctx, ids...)
	if err != nil {
		return nil, fmt.Errorf("reading certificates of claimed mails: %w", err)
	}
	for i, j := range jobs {
		if j.Mail != 0 {
			claimed[i].mail, mails = mails[0], mails[1:]
		}
		if j.Certificate != 0 {
			claimed[i].certificate, certificates = certificates[0], certificates[1:]
		}
	}
	return claimed, nil
}

// nextRun is when to look for mails again.
func (p *Queue) nextRun(ctx context.Context) (time.Time, error) {
	now := p.Now()
	if wait := p.outage.remaining(now); wait > 0 {
		return now.Add(wait), nil
	}
	return p.store.NextRun(ctx, store.Lane{Kind: vault.JobMail})
}

// Drain waits until nothing is due and nothing is being sent, until an outage begins, or until
// ctx ends.
func (p *Queue) Drain(ctx context.Context) {
	const look = 10 * time.Millisecond
	for ctx.Err() == nil && p.outage.remaining(p.Now()) == 0 {
		// The queue first: what is claimed in between counts as being worked on.
		next, err := p.store.NextRun(ctx, store.Lane{Kind: vault.JobMail})
		idle := err == nil && (next.IsZero() || next.After(p.Now()))
		if err != nil || idle && !p.loop.Busy() {
			return
		}
		wake.Sleep(ctx, look)
	}
}

func (p *Queue) countResult(what string) {
	if p.CountResult != nil {
		p.CountResult(what)
	}
}

func (p *Queue) reportOutage(err error) {
	if p.OnOutage != nil {
		p.OnOutage(err)
	}
}
