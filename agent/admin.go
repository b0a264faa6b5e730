package agent

import (
	"github.com/vecctl/vecctl/agent/admin"
)

// newAdmin makes what staff see and do.
func (a *Agent) newAdmin() *admin.Service {
	return admin.New(admin.Options{
		Home: a.Home, Store: a.store, Blobs: a.blobs, Documents: a.exporter, Badges: a.badges, Institutions: a.institutions, Uploads: a.uploads, Applications: a.Applications, Batches: a.batches, Mails: a.mailQueue, Composer: a.newComposer(),
		Dispatcher: a.dispatcher, Suspensions: a.suspensions, WebhookClient: a.webhookClient, AllowPrivateWebhooks: a.config.Webhooks.AllowPrivate,
		Secrets: a.secretStore, Erasures: a.erasures, Preserve: a.preserve, Authority: a.certAuthority.ring, Retention: a.cleaner, Logs: a.comparison,
		Health: a.health, Disk: a.disk, Events: &a.events, DropFolder: &a.dropFolder, Work: a.work(), Relay: a.config.Relay.URL,
		Now: a.Now, Random: a.Random, Log: a.Log,
	})
}
