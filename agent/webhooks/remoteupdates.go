package webhooks

import (
	"context"

	"github.com/vecctl/vecctl/agent/events"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/client/remotebulk"
	"github.com/vecctl/vecctl/pkg/vault"
	vaultwebhook "github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/wake"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// RemoteUpdates records the states of certificates on remote vaults, and tells staff.
type RemoteUpdates struct {
	Registry *remotebulk.Registry
	Events   *events.Bus
	// News and Revocations are woken when a vault tells of a certificate, and of a revoked one.
	News, Revocations wake.All
}

// Update implements RemoteStatus.
func (u *RemoteUpdates) Update(_ context.Context, e vaultwebhook.InboundEvent) error {
	p, err := webhook.Parse(e.Body)
	status := string(vault.EventType(e.Event).ResultingStatus(vault.FromVault))
	if err != nil || status == "" {
		return nil //nolint:nilerr // an event of another kind says nothing here
	}
	u.News.Wake()
	if status == string(vault.Revoked) {
		u.Revocations.Wake()
	}
	isNew, err := u.Registry.Note(remotebulk.StatusUpdate{UUID: p.UUID, Status: status, At: p.Timestamp})
	if isNew {
		u.Events.PublishNotice(adminclient.Notice{Level: "info", Message: "certificate " + p.UUID + " on a remote vault is " + status + " now"})
	}
	return err
}
