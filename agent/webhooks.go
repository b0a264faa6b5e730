package agent

import (
	"cmp"

	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/webhooks"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// userAgent is what requests say of this program.
func (a *Agent) userAgent() string { return "vecctl/" + cmp.Or(a.Build.Version, "0") }

// wireWebhooks makes what delivers webhooks; it starts nothing.
func (a *Agent) wireWebhooks() {
	a.webhookClient = ssrf.New(ssrf.Policy{
		AllowPrivate: a.config.Webhooks.AllowPrivate, Timeout: webhook.AttemptTimeout, MaxBody: webhook.MaxResponseRead, MaxIdle: webhooks.IdleConnections})
	a.suspensions = &webhooks.SuspensionAlarm{Store: a.store, Alarm: health.Alarm{Health: a.health, Name: "webhooks"}, Events: &a.events, Log: a.Log}
	a.dispatcher = webhooks.NewDispatcher(a.store, webhooks.DispatcherOptions{
		Owner: a.owner, Client: a.webhookClient, Secrets: a.secretStore, UserAgent: a.userAgent(),
		Now: a.Now, Log: a.Log, Suspensions: a.suspensions, Metrics: a.health,
	})
}
