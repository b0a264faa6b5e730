// Package mailer sends the mails that wait in the store, handles bounces, and
// writes the digests for staff.
package mailer

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// Store is what is needed of the store.
type Store interface {
	Claim(ctx context.Context, kind vault.JobKind, n int, now time.Time) ([]vault.Job, error)
	Complete(ctx context.Context, settlements []store.JobResult) ([]error, error)
	NextRun(ctx context.Context, kind vault.JobKind) (time.Time, error)
	ByID(ctx context.Context, ids ...uint64) ([]vault.Certificate, error)
	MailsByID(ctx context.Context, ids ...uint64) ([]vault.Mail, error)
	QueueMail(ctx context.Context, m vault.Mail) error
}

// Transport takes mails to where they go. It is for one caller at a time.
type Transport interface {
	// Send hands a mail over; a *bolt.DeliveryError says who is to blame when it is not
	// taken, any other error is the carrier's own.
	Send(ctx context.Context, m mail.Message) error
	Close()
}

// QueueOptions are what a post needs besides the queue.
type QueueOptions struct {
	// Compose makes a mail. An error holds the mail up; it is no fault of the mail.
	Compose func(ctx context.Context, m vault.Mail, c vault.Certificate) (mail.Message, error)
	// NewTransport makes a carrier for each of Lines senders.
	NewTransport func() Transport
	Connections  int
	PerMinute    int // how many mails may leave in a minute; 0 is any number
	Now          func() time.Time
	Log          *slog.Logger
	// OnOutage is told when mails are held up, and with nil when they go out again.
	// It must not block.
	OnOutage func(error)
	// Result, where set, is told how each attempt at a mail ended: "sent", "failed" when it was
	// refused for good, "again" when it is tried once more. It must not block.
	CountResult func(string)
}

// Queue is the claim loop and its senders.
type Queue struct {
	QueueOptions
	store     Store
	wake      wake.Signal
	inFlight  atomic.Int64 // mails that are claimed and not settled
	outage    outage
	rateLimit rateLimit
}

// Sizes and times of the loop.
const (
	claimGroup = 64
	// idlePoll bounds how late a mail is seen whose moment nobody announced.
	idlePoll = 2 * time.Second
	// storeRetryDelay is the pause when the store fails, a full disk for one.
	storeRetryDelay = 2 * time.Second
	// idleConnection is how long a connection is kept for the next mail.
	idleConnection = 20 * time.Second
)

// NewQueue makes a post; it starts nothing.
func NewQueue(queue Store, o QueueOptions) *Queue {
	return &Queue{QueueOptions: o, store: queue, wake: wake.New(), rateLimit: newRateLimit(o.PerMinute)}
}

// Wake says that there may be new mails.
func (p *Queue) Wake() { p.wake.Notify() }

type task struct {
	job         vault.Job
	mail        vault.Mail
	certificate vault.Certificate // empty for mail about none
}

// Run sends until ctx ends. Then what is in hand is finished and settled, and
// what was claimed but not begun goes back to the queue.
func (p *Queue) Run(ctx context.Context) error {
	tasks := make(chan task)
	done := make(chan store.JobResult, claimGroup)
	var senders, settler sync.WaitGroup
	for range max(p.Connections, 1) {
		senders.Go(func() { p.send(ctx, tasks, done) })
	}
	settler.Go(func() { p.settle(ctx, done) })
	p.claimLoop(ctx, tasks, done)
	close(tasks)
	senders.Wait()
	close(done)
	settler.Wait()
	return nil
}

// claimLoop claims jobs and hands their mails to the senders until ctx ends.
func (p *Queue) claimLoop(ctx context.Context, tasks chan<- task, done chan<- store.JobResult) {
	for ctx.Err() == nil {
		if wait := p.outage.remaining(p.Now()); wait > 0 {
			wake.Sleep(ctx, wait) // new mails do not make a server well
			continue
		}
		claimed, err := p.claim(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			p.reportOutage(fmt.Errorf("claiming mails: %w", err))
			wake.Sleep(ctx, storeRetryDelay)
		case len(claimed) == 0:
			p.wake.Wait(ctx, p.untilNext(ctx))
		default:
			for _, t := range claimed {
				p.dispatch(ctx, t, tasks, done)
			}
		}
	}
}

// dispatch gives a mail to a sender when its turn has come.
func (p *Queue) dispatch(ctx context.Context, t task, tasks chan<- task, done chan<- store.JobResult) {
	if wait := p.rateLimit.wait(p.Now()); wait > 0 {
		wake.Sleep(ctx, wait)
	}
	select {
	case <-ctx.Done():
		done <- p.release(t)
	case tasks <- t:
	}
}

// release is a claimed job that goes back to the queue as if it had not been claimed.
func (p *Queue) release(t task) store.JobResult {
	return store.JobResult{Job: t.job.Postponed(t.job.LastError, p.Now()), Release: true}
}

func (p *Queue) claim(ctx context.Context) ([]task, error) {
	n := claimGroup
	if p.PerMinute > 0 {
		n = min(n, p.PerMinute)
	}
	// Counted from before the claim on, so that Drain sees no moment between.
	p.inFlight.Add(1)
	defer p.inFlight.Add(-1)
	jobs, err := p.store.Claim(ctx, vault.JobNotify, n, p.Now())
	if err != nil || len(jobs) == 0 {
		return nil, err
	}
	p.inFlight.Add(int64(len(jobs)))
	// Claimed is claimed: the look-ups must not be cut short.
	claimed, err := p.loadMails(context.WithoutCancel(ctx), jobs)
	if err != nil {
		p.inFlight.Add(-int64(len(jobs)))
	}
	return claimed, err
}

// mailboxPollInterval reads the mails of jobs and the certificates that they are about.
func (p *Queue) loadMails(ctx context.Context, jobs []vault.Job) ([]task, error) {
	claimed := make([]task, len(jobs))
	var mailIDs, ids []uint64
	for i, j := range jobs {
		claimed[i].job = j
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

// untilNext is how long it is until a mail is due.
func (p *Queue) untilNext(ctx context.Context) time.Duration {
	if next, err := p.store.NextRun(ctx, vault.JobNotify); err == nil && !next.IsZero() {
		return min(max(next.Sub(p.Now()), time.Millisecond), idlePoll)
	}
	return idlePoll
}

// Drain waits until nothing is due, nothing goes out at present, or ctx ends.
func (p *Queue) Drain(ctx context.Context) {
	const look = 10 * time.Millisecond
	for ctx.Err() == nil && p.outage.remaining(p.Now()) == 0 {
		// The queue first: what is claimed in between counts as being worked on.
		next, err := p.store.NextRun(ctx, vault.JobNotify)
		idle := err == nil && (next.IsZero() || next.After(p.Now()))
		if err != nil || idle && p.inFlight.Load() == 0 {
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
