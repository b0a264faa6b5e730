package agent

import (
	"context"
	"net/http"
	"os"

	"github.com/vecctl/vecctl/agent/httpserver"
	"github.com/vecctl/vecctl/agent/webhooks"
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
func (a *Agent) newReceiver(o ReceiverOptions) *webhooks.Receiver {
	return webhooks.NewReceiver(a.store, webhooks.ReceiverOptions{
		Secrets: o.Secrets, Forward: o.Forward, Command: o.Command, OnReceived: a.inboundEvents().NotifyReceived, UpdateRemote: a.inboundEvents().UpdateRemote,
		Environ: os.Environ, Now: a.Now, Log: a.Log,
	})
}

// inboundEvents are what others told us, and what comes of it.
func (a *Agent) inboundEvents() *webhooks.InboundEvents {
	return &webhooks.InboundEvents{Store: a.store, Remote: a.remote, Notify: a.events.PublishNotice}
}

// withReceiver answers deliveries of webhooks besides all else.
func withReceiver(r *webhooks.Receiver, next http.Handler) http.Handler {
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
	documentedAPI := a.newAPI(o.Limits)
	receiver := a.newReceiver(o.Receiver)
	guard := httpserver.ProxyPolicy{Proxies: o.Proxies, Fail: documentedAPI.Fail}
	return a.serveListeners(ctx, o, guard.Wrap(withReceiver(receiver, http.NotFoundHandler())), receiver.Run)
}
