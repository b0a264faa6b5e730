package agent

import (
	"context"
	"net/http"
	"os"

	"github.com/vecctl/vecctl/agent/edge"
	"github.com/vecctl/vecctl/agent/receive"
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
		Secrets: o.Secrets, Forward: o.Forward, Command: o.Command, Told: a.receipts().Told, Apply: a.receipts().Apply,
		Environ: os.Environ, Now: a.Now, Log: a.Log,
	})
}

// receipts are what others told us, and what comes of it.
func (a *Agent) receipts() *receive.Receipts {
	return &receive.Receipts{Records: a.store, Remote: a.remote, Tell: a.feed.Notice}
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
