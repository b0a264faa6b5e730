package agent

import (
	"cmp"
	"context"

	"github.com/vecctl/vecctl/agent/admin"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/webhooks"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// wireWebhooks makes the sender, and what staff do to webhooks; it starts nothing.
func (a *Agent) wireWebhooks() {
	client := ssrf.New(ssrf.Policy{
		AllowPrivate: a.config.Webhooks.AllowPrivate, Timeout: webhook.AttemptTimeout, MaxBody: webhook.MaxResponseRead, MaxIdle: webhooks.IdleConnections})
	sealer := &admin.SecretSealer{Random: a.Random, Cipher: func(mayMake bool) (admin.SecretCipher, error) { return a.secretStore.Open(mayMake) }}
	a.dispatcher = webhooks.NewDispatcher(a.store, webhooks.DispatcherOptions{
		Client: client, OpenSecret: sealer.Open, UserAgent: "vecctl/" + cmp.Or(a.Build.Version, "0"),
		Now: a.Now, Log: a.Log, Attempted: func(ctx context.Context) { a.webhookAdmin.CheckSuspended(ctx) },
		CountResult: a.health.CountDelivery,
	})
	a.webhookAdmin = admin.NewWebhooks(admin.WebhooksOptions{
		EndpointStore: a.store, DeliveryStore: a.store, Dispatcher: a.dispatcher, Secrets: sealer, Client: client, AllowPrivate: a.config.Webhooks.AllowPrivate,
		Institution: a.currentID, SuspendedAlarm: health.Alarm{Health: a.health, Name: "webhooks"}, Notify: a.events.PublishNotice,
		Now: a.Now, Random: a.Random, Log: a.Log,
	})
}

// wakeDispatcher tells the sender whenever something was committed, until ctx ends.
func (a *Agent) wakeDispatcher(ctx context.Context) error {
	news := a.events.Subscribe()
	defer news.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-news.Ready():
			_, _ = news.Take() // nothing is to gather
			a.dispatcher.Wake()
		}
	}
}
