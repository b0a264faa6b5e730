package webhooks

import (
	"context"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/client/remotebulk"
	"github.com/vecctl/vecctl/pkg/vault"
	vaultwebhook "github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// RemoteStatusSink notes what is heard of certificates on remote vaults.
type RemoteStatusSink interface {
	// Note reports whether it was news.
	Note(remotebulk.StatusUpdate) (bool, error)
}

// InboundEvents tell staff and the registry of remote certificates about events that were
// received.
type InboundEvents struct {
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
