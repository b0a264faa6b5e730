package webhooks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/events"
	"github.com/vecctl/vecctl/agent/worker"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/store"
	vaultwebhook "github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// InboundStore is what is needed of the store.
type InboundStore interface {
	store.Queue
	AddInboundEvent(ctx context.Context, r vaultwebhook.InboundEvent) (vaultwebhook.InboundEvent, bool, error)
}

// ReceiverOptions say what is believed and what is done.
type ReceiverOptions struct {
	Secrets []string     // signing secrets that are believed
	Forward []string     // addresses that every event is sent on to
	Command string       // what the shell runs for every event; "" for nothing
	Remote  RemoteStatus // nil for no updates of remote certificates
	Events  *events.Bus  // staff are told there of every new event
	// Remember is how long received events are kept at least; 0 is for ever.
	Remember time.Duration
	// CommandTime is how long a command may take; 0 means DefaultCommandTime.
	CommandTime time.Duration
	Environ     func() []string // of commands; nil for none
	UserAgent   string          // what requests say of who sends events on
	// Owner is who claims what is to be done: another one after each start of the process.
	Owner string
	Now   func() time.Time
	Log   *slog.Logger
}

// RemoteStatus keeps the states of certificates on remote vaults.
type RemoteStatus interface {
	// Update records what an event says of a certificate on a remote vault. It may be
	// called again for the same event.
	Update(ctx context.Context, e vaultwebhook.InboundEvent) error
}

// DefaultCommandTime is how long a command may take.
const DefaultCommandTime = 30 * time.Second

// Receiver takes webhooks.
type Receiver struct {
	ReceiverOptions
	store  InboundStore
	client *ssrf.Client
	loop   *worker.Loop[store.ClaimedJob, store.JobResult]
}

// NewReceiver makes a receiver; it starts nothing.
func NewReceiver(journal InboundStore, o ReceiverOptions) *Receiver {
	if o.CommandTime == 0 {
		o.CommandTime = DefaultCommandTime
	}
	r := &Receiver{ReceiverOptions: o, store: journal, client: newForwardClient()}
	r.loop = worker.New(worker.Options[store.ClaimedJob, store.JobResult]{
		Claim: r.claim, NextRun: r.nextRun, Do: r.do, Release: r.release, Commit: r.commit, OnError: r.reportError, Now: o.Now,
		Workers: inboundWorkers, MaxGroup: inboundClaimSize, Idle: inboundIdlePoll, AfterError: inboundRetryDelay,
	})
	return r
}

// Handler answers deliveries: what is told twice is kept once.
func (r *Receiver) Handler() http.Handler {
	return webhook.Handler(webhook.Verifier{Secrets: r.Secrets, Now: r.Now}, func(ctx context.Context, d webhook.Delivery) error {
		if r.isForgotten(d.Payload.Timestamp) {
			r.Log.Warn("a received webhook is older than the received events that are kept", "event", d.Payload.Event, "of", d.Payload.Timestamp)
			return webhook.ErrTooOld
		}
		// Once it is being kept, a sender that goes changes nothing.
		kept, isNew, err := r.store.AddInboundEvent(context.WithoutCancel(ctx), r.eventOf(d))
		switch {
		case err != nil:
			r.Log.Error("a received webhook cannot be stored", "event", d.Payload.Event, "error", err)
			return err
		case !isNew:
			r.Log.Debug("a webhook came again", "event", kept.Event, "number", kept.Seq)
			return nil
		}
		r.tellStaff(kept)
		r.Wake()
		return nil
	})
}

// tellStaff shows a received event on the event stream.
func (r *Receiver) tellStaff(e vaultwebhook.InboundEvent) {
	message := "received " + e.Event
	if e.Subject != "" {
		message += " of certificate " + e.Subject
	}
	r.Events.PublishNotice(adminclient.Notice{Level: "info", Message: message})
}

func (r *Receiver) eventOf(d webhook.Delivery) vaultwebhook.InboundEvent {
	now := r.Now()
	ids := eventIDs(d)
	e := vaultwebhook.InboundEvent{Identity: ids[0], Aliases: ids[1:], At: now, Event: d.Payload.Event, Subject: d.Payload.UUID, Body: d.Body, Headers: deliveryHeaders(d.Header)}
	for _, address := range r.Forward {
		e.Tasks = append(e.Tasks, vaultwebhook.NewInboundTask(vaultwebhook.Forward, address, now))
	}
	if r.Command != "" {
		e.Tasks = append(e.Tasks, vaultwebhook.NewInboundTask(vaultwebhook.Run, r.Command, now))
	}
	if r.Remote != nil && d.Payload.UUID != "" {
		e.Tasks = append(e.Tasks, vaultwebhook.NewInboundTask(vaultwebhook.Apply, "", now))
	}
	return e
}

// deliveryHeaders are the headers of webhooks: X-Webhook-* and webhook-*.
func deliveryHeaders(h http.Header) map[string][]string {
	kept := map[string][]string{}
	for name, values := range h {
		if strings.HasPrefix(name, "X-Webhook-") || strings.HasPrefix(name, "Webhook-") {
			kept[name] = values
		}
	}
	return kept
}

// eventIDs are a delivery's identities, of a length that an index takes.
func eventIDs(d webhook.Delivery) []string {
	const longest = 100
	ids := d.Identities()
	for i, id := range ids {
		if len(id) > longest {
			sum := sha256.Sum256([]byte(id))
			ids[i] = "long:" + hex.EncodeToString(sum[:])
		}
	}
	return ids
}

// isForgotten reports whether an event is so old that it may have come before and been
// deleted since. The time is part of the body, which is signed; a sender that gives none
// sets no bound.
func (r *Receiver) isForgotten(at time.Time) bool {
	return r.Remember > 0 && !at.IsZero() && r.Now().Sub(at) > r.Remember-webhook.DefaultTolerance
}

// Wake says that there may be something to do.
func (r *Receiver) Wake() { r.loop.Wake() }

// Run does what is due until ctx ends. What is broken off then is done again later.
func (r *Receiver) Run(ctx context.Context) error {
	r.loop.Run(ctx)
	return nil
}
