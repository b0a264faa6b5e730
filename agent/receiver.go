package agent

import (
	"context"
	"net/http"
	"os"

	"github.com/vecctl/vecctl/agent/webhooks"
	"github.com/vecctl/vecctl/pkg/wake"
)

// ReceiverPath is where others tell us of events.
const ReceiverPath = "/webhooks/vec"

// newReceiver makes a receiver; it starts nothing.
func (a *Agent) newReceiver() *webhooks.Receiver {
	o, updates := a.config.Receiver, &webhooks.RemoteUpdates{Registry: a.remote, Events: &a.events}
	if a.relay != nil {
		updates.News, updates.Revocations = wake.All{a.relay.News()}, wake.All{a.relay.Revocations()}
	}
	return webhooks.NewReceiver(a.store, webhooks.ReceiverOptions{
		Secrets: o.Secrets, Forward: o.Forward, Command: o.Command,
		Remote: updates, Events: &a.events,
		Remember: a.config.Retention.Received, Owner: a.owner, UserAgent: a.userAgent(), Environ: os.Environ, Now: a.Now, Log: a.Log,
	})
}

// Listen runs the agent as a receiver of webhooks alone, until ctx ends. ready is called
// as in Serve.
func (a *Agent) Listen(ctx context.Context, ready func(staff, public string)) error {
	receiver := a.newReceiver()
	mux := http.NewServeMux()
	mux.Handle(ReceiverPath, receiver.Handler())
	return a.serveListeners(ctx, ready, a.proxyPolicy(a.api.Fail)(mux), receiver.Run)
}
