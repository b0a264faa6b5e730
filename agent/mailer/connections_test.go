package mailer_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecctl/vecctl/agent/mailer"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// mailJobs is a store that has mails to send, and nothing else.
type mailJobs struct {
	mailer.Store
	mu       sync.Mutex
	jobs     []vault.Job
	released []uint64
}

func (q *mailJobs) add(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for range n {
		q.jobs = append(q.jobs, vault.Job{ID: uint64(len(q.jobs) + 1), Kind: vault.JobMail, Mail: 1})
	}
}

func (q *mailJobs) Claim(_ context.Context, _ store.Lane, owner string, n int, now time.Time) (claimed []store.ClaimedJob, _ error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(claimed) < n && len(q.jobs) > 0 {
		claimed, q.jobs = append(claimed, store.ClaimedJob{Job: q.jobs[0].Claim(owner, now)}), q.jobs[1:]
	}
	return claimed, nil
}

func (q *mailJobs) NextRun(context.Context, store.Lane) (time.Time, error) {
	return time.Time{}, nil
}

func (q *mailJobs) MailsByID(_ context.Context, ids ...uint64) ([]vault.Mail, error) {
	return slices.Repeat([]vault.Mail{{ID: 1, State: vault.MailWaiting, To: "a@example.org"}}, len(ids)), nil
}

func (q *mailJobs) ByID(context.Context, ...uint64) ([]vault.Certificate, error) { return nil, nil }

func (q *mailJobs) Complete(_ context.Context, all []store.JobResult) ([]error, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, one := range all {
		if one.Release {
			q.released = append(q.released, one.Job.ID)
		}
	}
	return make([]error, len(all)), nil
}

// transports notes what is done with connections.
type transports struct {
	mu    sync.Mutex
	takes time.Duration // a mail; 0 is a second
	begun time.Time
	made  int
	log   []string
}

type transport struct {
	*transports
	number int
}

func (s *transports) open() mailer.Transport {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	return &transport{transports: s, number: s.made}
}

func (l *transport) note(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log = append(l.log, fmt.Sprintf("%v %s %d", time.Since(l.begun), what, l.number))
}

func (l *transport) Send(context.Context, mail.Message) error {
	time.Sleep(cmp.Or(l.takes, time.Second))
	l.note("send")
	return nil
}

func (l *transport) Close() {
	l.note("close")
	time.Sleep(time.Minute) // a server that takes its time
}

// startQueue sends mails over the transports; the result ends that and waits.
func startQueue(t *testing.T, jobs *mailJobs, lines *transports, o mailer.QueueOptions) (p *mailer.Queue, stop func()) {
	t.Helper()
	o.NewTransport, o.Now, o.Log = lines.open, time.Now, slog.New(slog.DiscardHandler)
	o.Compose = func(context.Context, vault.Mail, vault.Certificate) (mail.Message, error) { return mail.Message{}, nil }
	p = mailer.NewQueue(jobs, o)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	return p, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// A connection is kept for the next mail, and closed when none comes for a while, or at the
// end.
func TestConnectionsAreKeptForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		jobs, lines := &mailJobs{}, &transports{begun: time.Now()}
		p, stop := startQueue(t, jobs, lines, mailer.QueueOptions{Connections: 2})
		send := func(n int) {
			jobs.add(n)
			p.Wake()
			time.Sleep(10 * time.Second)
		}
		send(1)
		send(1)
		send(2)
		time.Sleep(90 * time.Second) // at 41 s both were closed
		send(2)
		stop()
		if took := time.Since(lines.begun); took != 3*time.Minute+10*time.Second {
			t.Errorf("it ended after %v: the connections were not closed at once", took)
		}
		slices.Sort(lines.log)
		want := "11s send 1, 1s send 1, 21s send 1, 21s send 2, 2m10s close 3, 2m10s close 4, 2m1s send 3, 2m1s send 4, 41s close 1, 41s close 2"
		if got := strings.Join(lines.log, ", "); got != want {
			t.Errorf("got\n%s, want\n%s", got, want)
		}
	})
}

// Mails are spread evenly, whichever connection they take; the end does not wait for their
// turns.
func TestMailsAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		jobs, lines := &mailJobs{}, &transports{begun: time.Now()}
		jobs.add(20)
		_, stop := startQueue(t, jobs, lines, mailer.QueueOptions{Connections: 4, PerMinute: 6})
		time.Sleep(45 * time.Second)
		var sent []string
		lines.mu.Lock()
		for _, line := range lines.log {
			sent = append(sent, strings.Fields(line)[0])
		}
		lines.mu.Unlock()
		if got := strings.Join(sent, " "); got != "1s 11s 21s 31s 41s" {
			t.Errorf("sent after %s", got)
		}
		stop()
		if took := time.Since(lines.begun); took > 2*time.Minute {
			t.Errorf("it ended after %v", took)
		}
	})
}

// A mail that waits for a connection until its lease is over is given back, since another
// process may send it.
func TestAMailThatWaitedTooLongIsNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		jobs, lines := &mailJobs{}, &transports{begun: time.Now(), takes: 20 * time.Minute}
		jobs.add(2)
		_, stop := startQueue(t, jobs, lines, mailer.QueueOptions{Connections: 1})
		time.Sleep(time.Hour)
		stop()
		synctest.Wait() // until the connection is closed
		if len(jobs.released) != 1 || jobs.released[0] != 2 || lines.log[0] != "20m0s send 1" || len(lines.log) != 2 {
			t.Errorf("given back: %v; %v", jobs.released, lines.log)
		}
	})
}
