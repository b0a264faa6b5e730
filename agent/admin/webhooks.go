package admin

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/vault"
	vaultwebhook "github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// CreateWebhook makes a webhook; the answer alone has its signing secret.
func (s *Service) CreateWebhook(ctx context.Context, e adminclient.WebhookEdit) (adminclient.Webhook, error) {
	all, err := s.store.Endpoints(ctx, 0)
	if err != nil {
		return adminclient.Webhook{}, err
	}
	if err := s.checkTarget(ctx, e.URL); err != nil {
		return adminclient.Webhook{}, err
	}
	id, err := vault.NewUUID(s.random, s.now())
	if err != nil {
		return adminclient.Webhook{}, err
	}
	owner := vaultwebhook.Subscriber{Institution: s.institutionID(ctx), Store: e.Store}
	// Checked with a stand-in first, so that a refusal leaves no key behind.
	made, err := vaultwebhook.New(id, owner, webhookUpdate(e), nil, s.now())
	if err != nil {
		return adminclient.Webhook{}, err
	}
	secret, sealed, err := s.newSigningSecret(id, len(all) == 0)
	if err != nil {
		return adminclient.Webhook{}, err
	}
	made.Secret = sealed
	if err := s.store.AddEndpoint(ctx, made); err != nil {
		return adminclient.Webhook{}, err
	}
	s.dispatcher.Wake()
	shown := webhookToAPI(made)
	shown.Secret = secret
	return shown, nil
}

// checkTarget refuses an address that would never be called.
func (s *Service) checkTarget(ctx context.Context, address *string) error {
	if address == nil {
		return nil
	}
	u, err := url.Parse(*address)
	if err != nil || u.Host == "" {
		return nil // the domain says what is wrong with it
	}
	if err := s.webhookClient.Check(u); err != nil {
		message, _ := fault.Message(err)
		// Said only where the setting would help.
		if !s.allowPrivateWebhooks && ssrf.New(ssrf.Policy{AllowPrivate: true}).Check(u) == nil {
			message += "; addresses of your own network are called only with the setting webhooks.allow_private"
		}
		return fault.InvalidFields([]fault.Field{{Name: "url", Message: message}})
	}
	if err := s.webhookClient.CheckName(ctx, u); err != nil {
		message, _ := fault.Message(err)
		return fault.InvalidFields([]fault.Field{{Name: "url", Message: message}})
	}
	return nil
}

func webhookUpdate(e adminclient.WebhookEdit) vaultwebhook.Update {
	edit := vaultwebhook.Update{URL: e.URL, Active: e.IsActive}
	for _, name := range e.Events {
		edit.Events = append(edit.Events, vault.EventType(name))
	}
	return edit
}

// Webhooks lists the institution's webhooks.
func (s *Service) Webhooks(ctx context.Context) ([]adminclient.Webhook, error) {
	all, err := s.store.Endpoints(ctx, s.institutionID(ctx))
	if err != nil {
		return nil, err
	}
	shown := make([]adminclient.Webhook, len(all))
	for i, e := range all {
		shown[i] = webhookToAPI(e)
	}
	return shown, nil
}

func (s *Service) changeWebhook(ctx context.Context, id string, change func(vaultwebhook.Endpoint) (vaultwebhook.Endpoint, error)) (adminclient.Webhook, error) {
	changed, err := s.store.ChangeEndpoint(ctx, s.institutionID(ctx), id, change)
	if err != nil {
		return adminclient.Webhook{}, err
	}
	s.dispatcher.Wake()
	s.suspensions.Check(ctx)
	return webhookToAPI(changed), nil
}

// UpdateWebhook changes a webhook.
func (s *Service) UpdateWebhook(ctx context.Context, id string, e adminclient.WebhookEdit) (adminclient.Webhook, error) {
	if err := s.checkTarget(ctx, e.URL); err != nil {
		return adminclient.Webhook{}, err
	}
	return s.changeWebhook(ctx, id, func(old vaultwebhook.Endpoint) (vaultwebhook.Endpoint, error) {
		return old.Update(webhookUpdate(e), s.now())
	})
}

// DeleteWebhook ends a webhook.
func (s *Service) DeleteWebhook(ctx context.Context, id string) (adminclient.Webhook, error) {
	return s.changeWebhook(ctx, id, func(old vaultwebhook.Endpoint) (vaultwebhook.Endpoint, error) { return old.Delete(s.now()) })
}

// RotateWebhook makes a new signing secret. Where the old one cannot be read any
// more, it does not sign along.
func (s *Service) RotateWebhook(ctx context.Context, id string) (adminclient.Webhook, error) {
	secret, sealed, err := s.newSigningSecret(id, true)
	if err != nil {
		return adminclient.Webhook{}, err
	}
	shown, err := s.changeWebhook(ctx, id, func(old vaultwebhook.Endpoint) (vaultwebhook.Endpoint, error) {
		_, lost := s.secrets.Open(id, old.Secret)
		next, err := old.RotateSecret(sealed, s.now())
		if lost != nil {
			next.OldSecret = nil
		}
		return next, err
	})
	shown.Secret = secret
	return shown, err
}

// TestWebhook makes one attempt at a test delivery, and keeps it.
func (s *Service) TestWebhook(ctx context.Context, id string) (adminclient.WebhookDelivery, error) {
	all, err := s.store.Endpoints(ctx, s.institutionID(ctx))
	if err != nil {
		return adminclient.WebhookDelivery{}, err
	}
	for _, e := range all {
		if e.ID != id {
			continue
		}
		d, body, err := vaultwebhook.TestNotification(e.Subscriber, s.now()).DeliveryTo(e, s.now())
		if err != nil {
			return adminclient.WebhookDelivery{}, err
		}
		attempt, err := s.dispatcher.Try(ctx, e, d, body)
		if err != nil {
			return adminclient.WebhookDelivery{}, err
		}
		kept, err := s.store.RecordTest(ctx, d, body, attempt)
		s.dispatcher.Wake()
		s.suspensions.Check(ctx)
		return deliveryToAPI(kept, nil), err
	}
	return adminclient.WebhookDelivery{}, fault.New(fault.NotFound, "Webhook not found.")
}

// newSigningSecret makes a signing secret in the form of Standard Webhooks, and
// encrypts it.
func (s *Service) newSigningSecret(endpoint string, mayMakeKey bool) (string, vaultwebhook.EncryptedSecret, error) {
	var bits [32]byte
	if _, err := io.ReadFull(s.random, bits[:]); err != nil {
		return "", nil, fmt.Errorf("drawing a signing secret: %w", err)
	}
	secret := webhook.SecretPrefix + base64.StdEncoding.EncodeToString(bits[:])
	sealed, err := s.secrets.Seal(endpoint, secret, mayMakeKey)
	return secret, sealed, err
}

func webhookToAPI(e vaultwebhook.Endpoint) adminclient.Webhook {
	shown := adminclient.Webhook{
		ID: e.ID, URL: e.URL, IsActive: e.Active, Store: e.Store, LastDeliveryStatus: string(e.LastStatus),
		LastDeliveryAt: client.TimeOrNull(e.LastAt), ConsecutiveFailures: e.Failures,
		SuspendedAt: client.TimeOrNull(e.SuspendedAt), OldSecretUntil: client.TimeOrNull(e.OldUntil), CreatedAt: e.CreatedAt.UTC(),
	}
	for _, name := range e.Events {
		shown.Events = append(shown.Events, string(name))
	}
	return shown
}
