package admin

import (
	"context"
	"net/url"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// CreateWebhook makes a webhook; the answer alone has its signing secret.
func (h *Webhooks) CreateWebhook(ctx context.Context, e adminclient.WebhookEdit) (adminclient.Webhook, error) {
	all, err := h.EndpointStore.Endpoints(ctx, 0)
	if err != nil {
		return adminclient.Webhook{}, err
	}
	if err := h.checkTarget(e.URL); err != nil {
		return adminclient.Webhook{}, err
	}
	id, err := vault.NewUUID(h.Random, h.Now())
	if err != nil {
		return adminclient.Webhook{}, err
	}
	owner := webhook.Subscriber{Institution: h.Institution(), Store: e.Store}
	// Checked with a stand-in first, so that a refusal leaves no key behind.
	made, err := webhook.New(id, owner, webhookUpdate(e), nil, h.Now())
	if err != nil {
		return adminclient.Webhook{}, err
	}
	secret, sealed, err := h.Secrets.generate(id, len(all) == 0)
	if err != nil {
		return adminclient.Webhook{}, err
	}
	made.Secret = sealed
	if err := h.EndpointStore.AddEndpoint(ctx, made); err != nil {
		return adminclient.Webhook{}, err
	}
	h.Dispatcher.Wake()
	shown := webhookToAPI(made)
	shown.Secret = secret
	return shown, nil
}

// checkTarget refuses an address that would never be called.
func (h *Webhooks) checkTarget(address *string) error {
	if address == nil {
		return nil
	}
	u, err := url.Parse(*address)
	if err != nil || u.Host == "" {
		return nil // the domain says what is wrong with it
	}
	if err := h.Client.Check(u); err != nil {
		message, _ := fault.Message(err)
		// Said only where the setting would help.
		if !h.AllowPrivate && ssrf.New(ssrf.Policy{AllowPrivate: true}).Check(u) == nil {
			message += "; addresses of your own network are called only with the setting webhooks.allow_private"
		}
		return fault.InvalidFields([]fault.Field{{Name: "url", Message: message}})
	}
	return nil
}

func webhookUpdate(e adminclient.WebhookEdit) webhook.Update {
	edit := webhook.Update{URL: e.URL, Active: e.IsActive}
	for _, name := range e.Events {
		edit.Events = append(edit.Events, vault.EventType(name))
	}
	return edit
}

// Webhooks lists the institution's webhooks.
func (h *Webhooks) Webhooks(ctx context.Context) ([]adminclient.Webhook, error) {
	all, err := h.EndpointStore.Endpoints(ctx, h.Institution())
	if err != nil {
		return nil, err
	}
	shown := make([]adminclient.Webhook, len(all))
	for i, e := range all {
		shown[i] = webhookToAPI(e)
	}
	return shown, nil
}

func (h *Webhooks) changeWebhook(ctx context.Context, id string, change func(webhook.Endpoint) (webhook.Endpoint, error)) (adminclient.Webhook, error) {
	changed, err := h.EndpointStore.ChangeEndpoint(ctx, h.Institution(), id, change)
	if err != nil {
		return adminclient.Webhook{}, err
	}
	h.Dispatcher.Wake()
	h.CheckSuspended(ctx)
	return webhookToAPI(changed), nil
}

// UpdateWebhook changes a webhook.
func (h *Webhooks) UpdateWebhook(ctx context.Context, id string, e adminclient.WebhookEdit) (adminclient.Webhook, error) {
	if err := h.checkTarget(e.URL); err != nil {
		return adminclient.Webhook{}, err
	}
	return h.changeWebhook(ctx, id, func(old webhook.Endpoint) (webhook.Endpoint, error) { return old.Update(webhookUpdate(e), h.Now()) })
}

// DeleteWebhook ends a webhook.
func (h *Webhooks) DeleteWebhook(ctx context.Context, id string) (adminclient.Webhook, error) {
	return h.changeWebhook(ctx, id, func(old webhook.Endpoint) (webhook.Endpoint, error) { return old.Delete(h.Now()) })
}

// RotateWebhook makes a new signing secret. Where the old one cannot be read any
// more, it does not sign along.
func (h *Webhooks) RotateWebhook(ctx context.Context, id string) (adminclient.Webhook, error) {
	secret, sealed, err := h.Secrets.generate(id, true)
	if err != nil {
		return adminclient.Webhook{}, err
	}
	shown, err := h.changeWebhook(ctx, id, func(old webhook.Endpoint) (webhook.Endpoint, error) {
		_, lost := h.Secrets.Open(id, old.Secret)
		next, err := old.RotateSecret(sealed, h.Now())
		if lost != nil {
			next.OldSecret = nil
		}
		return next, err
	})
	shown.Secret = secret
	return shown, err
}

// TestWebhook makes one attempt at a test delivery, and keeps it.
func (h *Webhooks) TestWebhook(ctx context.Context, id string) (adminclient.WebhookDelivery, error) {
	all, err := h.EndpointStore.Endpoints(ctx, h.Institution())
	if err != nil {
		return adminclient.WebhookDelivery{}, err
	}
	for _, e := range all {
		if e.ID != id {
			continue
		}
		d, body, err := webhook.TestNotification(e.Subscriber, h.Now()).DeliveryTo(e, h.Now())
		if err != nil {
			return adminclient.WebhookDelivery{}, err
		}
		attempt, err := h.Dispatcher.Try(ctx, e, d, body)
		if err != nil {
			return adminclient.WebhookDelivery{}, err
		}
		kept, err := h.DeliveryStore.RecordTest(ctx, d, body, attempt)
		h.Dispatcher.Wake()
		h.CheckSuspended(ctx)
		return deliveryToAPI(kept, nil), err
	}
	return adminclient.WebhookDelivery{}, fault.New(fault.NotFound, "Webhook not found.")
}
