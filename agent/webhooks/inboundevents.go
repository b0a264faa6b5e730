package webhooks

import (
	"context"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/client/remotebulk"
	"github.com/vecctl/vecctl/pkg/vault"
	vaultwebhook "github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// InboundLister are where received events are read.
type InboundLister interface {
	InboundEvents(ctx context.Context, before uint64, n int) ([]vaultwebhook.InboundEvent, error)
}

// RemoteStatusSink notes what is heard of certificates on remote vaults.
type RemoteStatusSink interface {
	// Note reports whether it was news.
	Note(remotebulk.StatusUpdate) (bool, error)
}

// How many events are listed at a time.
const (
	defaultInboundEvents = 50
	maxInboundEvents     = 1000
)

// InboundEvents are the events that others told us, as staff see them.
type InboundEvents struct {
	Store  InboundLister
	Remote RemoteStatusSink
	Notify func(adminclient.Notice)
}

// UpdateRemote notes what an event says of a certificate that this home sent to a
// remote vault.
func (r *InboundEvents) UpdateRemote(_ context.Context, e vaultwebhook.InboundEvent) error {
	p, err := webhook.Parse(e.Body)
	status := string(vault.EventType(e.Event).ResultingStatus(vault.FromVault))
	if err != nil || status == "" {
		return nil //nolint:nilerr // an event of another kind says nothing here
	}
	noted, err := r.Remote.Note(remotebulk.StatusUpdate{UUID: p.UUID, Status: status, At: p.Timestamp})
	if noted {
		r.Notify(adminclient.Notice{Level: "info", Message: "certificate " + p.UUID + " on a remote vault is " + status + " now"})
	}
	return err
}

// OnReceived shows a received event on the event stream.
func (r *InboundEvents) NotifyReceived(e vaultwebhook.InboundEvent) {
	message := "received " + e.Event
	if e.Subject != "" {
		message += " of certificate " + e.Subject
	}
	r.Notify(adminclient.Notice{Level: "info", Message: message})
}

// ReceivedEvents lists what others told us, newest first.
func (r *InboundEvents) ReceivedEvents(ctx context.Context, before uint64, n int) ([]adminclient.ReceivedEvent, error) {
	if n <= 0 {
		n = defaultInboundEvents
	}
	all, err := r.Store.InboundEvents(ctx, before, min(n, maxInboundEvents))
	if err != nil {
		return nil, err
	}
	shown := make([]adminclient.ReceivedEvent, len(all))
	for i, e := range all {
		shown[i] = adminclient.ReceivedEvent{Number: e.Seq, Identity: e.Identity, At: e.At.UTC(), Event: e.Event, UUID: e.Subject,
			Payload: e.Body, Tasks: make([]adminclient.ReceivedTask, len(e.Tasks))}
		for n, task := range e.Tasks {
			shown[i].Tasks[n] = adminclient.ReceivedTask{Kind: string(task.Kind), Status: string(task.State), Tries: task.Attempts, Error: task.Error}
		}
	}
	return shown, nil
}
