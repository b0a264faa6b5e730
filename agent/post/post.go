// Package post sends the mails that wait in the store: it claims their jobs,
// hands each mail to a mail server or writes it into a folder, and keeps what
// became of it together with the job's end.
package post

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/pkg/bell"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Queue is what is needed of the store.
type Queue interface {
	Claim(ctx context.Context, kind vault.JobKind, n int, now time.Time) ([]vault.Job, error)
	Settle(ctx context.Context, settlements []store.Settlement) ([]error, error)
	NextRun(ctx context.Context, kind vault.JobKind) (time.Time, error)
	ByID(ctx context.Context, ids ...uint64) ([]vault.Certificate, error)
	MailsByID(ctx context.Context, ids ...uint64) ([]vault.Mail, error)
	QueueMail(ctx context.Context, m vault.Mail) error
}

// Carrier takes mails to where they go. It is for one caller at a time.
type Carrier interface {
	// Send hands a mail over; a *mail.DeliveryError says who is to blame when it is not
	// taken, any other error is the carrier's own.
	Send(ctx context.Context, m mail.Message) error
	Close()
}

// Options are what a post needs besides the queue.
type Options struct {
	// Write makes a mail. An error holds the mail up; it is no fault of the mail.
	Write func(ctx context.Context, m vault.Mail, c vault.Certificate) (mail.Message, error)
	// NewCarrier makes a carrier for each of Lines senders.
	NewCarrier func() Carrier
	Lines      int
	PerMinute  int // how many mails may leave in a minute; 0 is any number
	Now        func() time.Time
	Log        *slog.Logger
	// Trouble is told when mails are held up, and with nil when they go out again.
	// It must not block.
	Trouble func(error)
	// Result, where set, is told how each attempt at a mail ended: "sent", "failed" when it was
	// refused for good, "again" when it is tried once more. It must not block.
	Result func(string)
}

// Post is the claim loop and its senders.
type Post struct {
	Options
	queue   Queue
	wake    bell.Bell
	working atomic.Int64 // mails that are claimed and not settled
	held    holdUp
	pace    pace
}

// Sizes and times of the loop.
const (
	claimGroup = 64
	// idlePoll bounds how late a mail is seen whose moment nobody announced.
	idlePoll = 2 * time.Second
	// afterError is the pause when the store fails, a full disk for one.
	afterError = 2 * time.Second
	// idleLine is how long a connection is kept for the next mail.
	idleLine = 20 * time.Second
)

// New makes a post; it starts nothing.
func New(queue Queue, o Options) *Post {
	return &Post{Options: o, queue: queue, wake: bell.New(), pace: newPace(o.PerMinute)}
}

// Wake says that there may be new mails.
func (p *Post) Wake() { p.wake.Ring() }

type task struct {
	job         vault.Job
	mail        vault.Mail
	certificate vault.Certificate // empty for mail about none
}

// Run sends until ctx ends. Then what is in hand is finished and settled, and
// what was claimed but not begun goes back to the queue.
func (p *Post) Run(ctx context.Context) error {
	tasks := make(chan task)
	done := make(chan store.Settlement, claimGroup)
	var senders, settler sync.WaitGroup
	for range max(p.Lines, 1) {
		senders.Go(func() { p.send(ctx, tasks, done) })
	}
	settler.Go(func() { p.settle(ctx, done) })
	p.feed(ctx, tasks, done)
	close(tasks)
	senders.Wait()
	close(done)
	settler.Wait()
	return nil
}

// feed claims jobs and hands their mails to the senders until ctx ends.
func (p *Post) feed(ctx context.Context, tasks chan<- task, done chan<- store.Settlement) {
	for ctx.Err() == nil {
		if wait := p.held.left(p.Now()); wait > 0 {
			bell.Pause(ctx, wait) // new mails do not make a server well
			continue
		}
		claimed, err := p.claim(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			p.trouble(fmt.Errorf("claiming mails: %w", err))
			bell.Pause(ctx, afterError)
		case len(claimed) == 0:
			p.wake.Wait(ctx, p.untilNext(ctx))
		default:
			for _, t := range claimed {
				p.hand(ctx, t, tasks, done)
			}
		}
	}
}

// hand gives a mail to a sender when its turn has come.
func (p *Post) hand(ctx context.Context, t task, tasks chan<- task, done chan<- store.Settlement) {
	if wait := p.pace.wait(p.Now()); wait > 0 {
		bell.Pause(ctx, wait)
	}
	select {
	case <-ctx.Done():
		done <- p.back(t)
	case tasks <- t:
	}
}

// back is a claimed job that goes back to the queue as if it had not been claimed.
func (p *Post) back(t task) store.Settlement {
	return store.Settlement{Job: t.job.Postponed(t.job.LastError, p.Now()), Untried: true}
}

func (p *Post) claim(ctx context.Context) ([]task, error) {
	n := claimGroup
	if p.PerMinute > 0 {
		n = min(n, p.PerMinute)
	}
	// Counted from before the claim on, so that Drain sees no moment between.
	p.working.Add(1)
	defer p.working.Add(-1)
	jobs, err := p.queue.Claim(ctx, vault.JobNotify, n, p.Now())
	if err != nil || len(jobs) == 0 {
		return nil, err
	}
	p.working.Add(int64(len(jobs)))
	// Claimed is claimed: the look-ups must not be cut short.
	claimed, err := p.look(context.WithoutCancel(ctx), jobs)
	if err != nil {
		p.working.Add(-int64(len(jobs)))
	}
	return claimed, err
}

// look reads the mails of jobs and the certificates that they are about.
func (p *Post) look(ctx context.Context, jobs []vault.Job) ([]task, error) {
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
	mails, err := p.queue.MailsByID(ctx, mailIDs...)
	if err != nil {
		return nil, fmt.Errorf("reading claimed mails: %w", err)
	}
	certificates, err := p.queue.ByID(ctx, ids...)
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
func (p *Post) untilNext(ctx context.Context) time.Duration {
	if next, err := p.queue.NextRun(ctx, vault.JobNotify); err == nil && !next.IsZero() {
		return min(max(next.Sub(p.Now()), time.Millisecond), idlePoll)
	}
	return idlePoll
}

// Drain waits until nothing is due, nothing goes out at present, or ctx ends.
func (p *Post) Drain(ctx context.Context) {
	const look = 10 * time.Millisecond
	for ctx.Err() == nil && p.held.left(p.Now()) == 0 {
		// The queue first: what is claimed in between counts as being worked on.
		next, err := p.queue.NextRun(ctx, vault.JobNotify)
		idle := err == nil && (next.IsZero() || next.After(p.Now()))
		if err != nil || idle && p.working.Load() == 0 {
			return
		}
		bell.Pause(ctx, look)
	}
}

func (p *Post) result(what string) {
	if p.Result != nil {
		p.Result(what)
	}
}

func (p *Post) trouble(err error) {
	if p.Trouble != nil {
		p.Trouble(err)
	}
}
