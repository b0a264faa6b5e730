package agent

import (
	"context"
	"net/http"
	"os"

	"github.com/vecctl/vecctl/agent/edge"
	"github.com/vecctl/vecctl/agent/receive"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/courier"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/hook"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// ReceiverPath is where others tell us of events.
const ReceiverPath = "/webhooks/vec"

// ReceiverOptions say what is believed of what others tell us, and what is done.
type ReceiverOptions struct {
	Secrets []string // signing secrets that are believed
	Forward []string // addresses that every event is sent on to
	Command string   // what the shell runs for every event
}

// newReceiver makes a receiver; it starts nothing.
func (a *Agent) newReceiver(o ReceiverOptions) *receive.Receiver {
	return receive.New(a.store, receive.Options{
		Secrets: o.Secrets, Forward: o.Forward, Command: o.Command, Told: a.tellReceived, Apply: a.applyReceived,
		Environ: os.Environ, Now: a.Now, Log: a.Log,
	})
}

// applyReceived notes what an event says of a certificate that this home sent to a
// remote vault.
func (a *Agent) applyReceived(_ context.Context, r hook.Received) error {
	p, err := webhook.Parse(r.Body)
	status, ok := hook.StatusAfter(vault.EventType(r.Event))
	if err != nil || !ok {
		return nil //nolint:nilerr // an event of another kind says nothing here
	}
	noted, err := a.remote.Note(courier.Heard{UUID: p.UUID, Status: status, At: p.Timestamp})
	if noted {
		a.feed.Notice(client.Notice{Level: "info", Message: "certificate " + p.UUID + " on a remote vault is " + status + " now"})
	}
	return err
}

// withReceiver answers deliveries of webhooks besides all else.
func withReceiver(r *receive.Receiver, next http.Handler) http.Handler {
	if r == nil {
		return next
	}
	mux := http.NewServeMux()
	mux.Handle("/", next)
	mux.Handle(ReceiverPath, r.Handler())
	return mux
}

// Listen runs the agent as a receiver of webhooks alone, until ctx ends.
func (a *Agent) Listen(ctx context.Context, o ServeOptions) error {
	business := a.business(o.Limits)
	receiver := a.newReceiver(o.Receiver)
	guard := edge.Perimeter{Proxies: o.Proxies, Fail: business.Fail}
	return a.serveFaces(ctx, o, guard.Around(withReceiver(receiver, http.NotFoundHandler())), receiver.Run)
}

// tellReceived shows a received event on the event stream.
func (a *Agent) tellReceived(r hook.Received) {
	message := "received " + r.Event
	if r.Subject != "" {
		message += " of certificate " + r.Subject
	}
	a.feed.Notice(client.Notice{Level: "info", Message: message})
}

// ReceivedEvents lists what others told us, newest first.
func (a *Agent) ReceivedEvents(ctx context.Context, before uint64, n int) ([]client.ReceivedEvent, error) {
	if n <= 0 {
		n = fewDeliveries
	}
	all, err := a.store.Received(ctx, before, min(n, mostDeliveries))
	if err != nil {
		return nil, err
	}
	shown := make([]client.ReceivedEvent, len(all))
	for i, r := range all {
		shown[i] = client.ReceivedEvent{Number: r.Seq, Identity: r.Identity, At: r.At.UTC(), Event: r.Event, UUID: r.Subject,
			Payload: r.Body, Tasks: make([]client.ReceivedTask, len(r.Tasks))}
		for n, task := range r.Tasks {
			shown[i].Tasks[n] = client.ReceivedTask{Kind: string(task.Kind), Status: string(task.State), Tries: task.Tries, Error: task.Error}
		}
	}
	return shown, nil
}
