// Package receive takes the webhooks that others send: it keeps each event once,
// with what is to be done with it, before it says so, and does that afterwards.
package receive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"time"

	"github.com/vecctl/vecctl/pkg/bell"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault/hook"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// Journal is what is needed of the store.
type Journal interface {
	Receive(ctx context.Context, r hook.Received) (hook.Received, bool, error)
	NextChores(ctx context.Context, now time.Time, n int, busy func(seq uint64, task int) bool) ([]store.Chore, time.Time, error)
	KeepTask(ctx context.Context, seq uint64, task int, failure string, now time.Time) error
}

// Options say what is believed and what is done.
type Options struct {
	Secrets []string // signing secrets that are believed
	Forward []string // addresses that every event is sent on to
	Command string   // what the shell runs for every event; "" for nothing
	// Apply notes what an event says of a certificate that was sent to a remote vault.
	// It may be called again for the same event.
	Apply func(ctx context.Context, r hook.Received) error
	// Told is told of every new event, after it was kept. It must not block.
	Told func(hook.Received)
	// CommandTime is how long a command may take; 0 means DefaultCommandTime.
	CommandTime time.Duration
	Environ     func() []string // of commands; nil for none
	Now         func() time.Time
	Log         *slog.Logger
}

// DefaultCommandTime is how long a command may take.
const DefaultCommandTime = 30 * time.Second

// Receiver takes webhooks.
type Receiver struct {
	Options
	journal Journal
	client  *http.Client
	wake    bell.Bell
	hands   hands
}

// New makes a receiver; it starts nothing.
func New(journal Journal, o Options) *Receiver {
	if o.CommandTime == 0 {
		o.CommandTime = DefaultCommandTime
	}
	return &Receiver{Options: o, journal: journal, client: forwarder(), wake: bell.New(), hands: newHands()}
}

// Handler answers deliveries: whatever is told twice is kept once.
func (r *Receiver) Handler() http.Handler {
	return webhook.Handler(webhook.Verifier{Secrets: r.Secrets, Now: r.Now}, func(ctx context.Context, d webhook.Delivery) error {
		// Once it is being kept, a sender that goes changes nothing.
		kept, isNew, err := r.journal.Receive(context.WithoutCancel(ctx), r.eventOf(d))
		switch {
		case err != nil:
			r.Log.Error("a webhook cannot be kept", "event", d.Payload.Event, "error", err)
			return err
		case !isNew:
			r.Log.Debug("a webhook came again", "event", kept.Event, "number", kept.Seq)
			return nil
		}
		if r.Told != nil {
			r.Told(kept)
		}
		r.Wake()
		return nil
	})
}

func (r *Receiver) eventOf(d webhook.Delivery) hook.Received {
	now := r.Now()
	e := hook.Received{Identity: identityOf(d), At: now, Event: d.Payload.Event, Subject: d.Payload.UUID, Body: d.Body}
	for _, address := range r.Forward {
		e.Tasks = append(e.Tasks, hook.NewTask(hook.Forward, address, now))
	}
	if r.Command != "" {
		e.Tasks = append(e.Tasks, hook.NewTask(hook.Run, r.Command, now))
	}
	if r.Apply != nil && d.Payload.UUID != "" {
		e.Tasks = append(e.Tasks, hook.NewTask(hook.Apply, "", now))
	}
	return e
}

// identityOf is a delivery's identity, of a length that an index takes.
func identityOf(d webhook.Delivery) string {
	const longest = 100
	id := d.Identity()
	if len(id) > longest {
		sum := sha256.Sum256([]byte(id))
		return "long:" + hex.EncodeToString(sum[:])
	}
	return id
}

// Wake says that there may be something to do.
func (r *Receiver) Wake() { r.wake.Ring() }
