package agent

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"sync"

	"github.com/vecctl/vecctl/agent/deliver"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/outbound"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/hook"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// hooks is what the agent needs to tell others of events.
type hooks struct {
	private bool // private addresses may be told too
	client  *outbound.Client
	sender  *deliver.Sender

	mu      sync.Mutex
	secrets *home.Secrets // nil until they are needed
}

// prepareHooks reads the settings of webhooks.
func (a *Agent) prepareHooks(config home.Config) error {
	text, err := a.setting(config, "webhooks.allow_private")
	if err != nil {
		return err
	}
	a.hooks.private, _ = strconv.ParseBool(text) // checked already; "" is false
	return nil
}

// wireHooks makes the sender; it starts nothing.
func (a *Agent) wireHooks() {
	a.hooks.client = outbound.New(outbound.Rules{
		Private: a.hooks.private, Timeout: hook.AttemptTime, Body: hook.ReadAnswer, Idle: deliver.Idle})
	version := a.Build.Version
	if version == "" {
		version = "0"
	}
	a.hooks.sender = deliver.New(a.store, deliver.Options{
		Client: a.hooks.client, Open: a.openSecret, Agent: "vecctl/" + version,
		Now: a.Now, Log: a.Log, Ended: a.checkHooks,
	})
}

// wakeHooks tells the sender whenever something was committed, until ctx ends.
func (a *Agent) wakeHooks(ctx context.Context) error {
	news := a.feed.follow()
	defer news.stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-news.ready:
			_, _ = news.take() // nothing is to gather
			a.hooks.sender.Wake()
		}
	}
}

// secretsBox loads the key of secrets. It is made where there is none and none was
// needed yet.
func (a *Agent) secretsBox(mayMake bool) (*home.Secrets, error) {
	a.hooks.mu.Lock()
	defer a.hooks.mu.Unlock()
	if a.hooks.secrets != nil {
		return a.hooks.secrets, nil
	}
	s, err := a.Home.Secrets(a.Random, a.Now(), mayMake)
	if err == nil {
		a.hooks.secrets = s
	}
	return s, err
}

func (a *Agent) openSecret(endpoint string, sealed hook.Sealed) (string, error) {
	box, err := a.secretsBox(false)
	if err != nil {
		return "", err
	}
	return box.Open(endpoint, sealed)
}

// newSecret draws a signing secret in the form of Standard Webhooks, and seals it.
func (a *Agent) newSecret(endpoint string, mayMake bool) (string, hook.Sealed, error) {
	box, err := a.secretsBox(mayMake)
	if err != nil {
		return "", nil, err
	}
	var bits [32]byte
	if _, err := io.ReadFull(a.Random, bits[:]); err != nil {
		return "", nil, fmt.Errorf("drawing a signing secret: %w", err)
	}
	secret := webhook.SecretPrefix + base64.StdEncoding.EncodeToString(bits[:])
	sealed, err := box.Seal(endpoint, secret)
	return secret, sealed, err
}

// CreateWebhook makes a webhook; the answer alone has its signing secret.
func (a *Agent) CreateWebhook(ctx context.Context, e client.WebhookEdit) (client.Webhook, error) {
	all, err := a.store.Endpoints(ctx, 0)
	if err != nil {
		return client.Webhook{}, err
	}
	if err := a.checkTarget(e.URL); err != nil {
		return client.Webhook{}, err
	}
	id, err := vault.NewUUID(a.Random, a.Now())
	if err != nil {
		return client.Webhook{}, err
	}
	owner := hook.Owner{Institution: a.Institution().ID, Store: e.Store}
	// Checked with a stand-in first, so that a refusal leaves no key behind.
	made, err := hook.New(id, owner, editOf(e), nil, a.Now())
	if err != nil {
		return client.Webhook{}, err
	}
	secret, sealed, err := a.newSecret(id, len(all) == 0)
	if err != nil {
		return client.Webhook{}, err
	}
	made.Secret = sealed
	if err := a.store.AddEndpoint(ctx, made); err != nil {
		return client.Webhook{}, err
	}
	a.hooks.sender.Wake()
	shown := shapeWebhook(made)
	shown.Secret = secret
	return shown, nil
}

// checkTarget refuses an address that would never be called.
func (a *Agent) checkTarget(address *string) error {
	if address == nil {
		return nil
	}
	u, err := url.Parse(*address)
	if err != nil || u.Host == "" {
		return nil // the domain says what is wrong with it
	}
	if err := a.hooks.client.Check(u); err != nil {
		message, _ := fault.Message(err)
		// Said only where the setting would help.
		if !a.hooks.private && outbound.New(outbound.Rules{Private: true}).Check(u) == nil {
			message += "; addresses of your own network are called only with the setting webhooks.allow_private"
		}
		return fault.InvalidFields([]fault.Field{{Name: "url", Message: message}})
	}
	return nil
}

func editOf(e client.WebhookEdit) hook.Edit {
	edit := hook.Edit{URL: e.URL, Active: e.IsActive}
	for _, name := range e.Events {
		edit.Events = append(edit.Events, vault.EventType(name))
	}
	return edit
}

// Webhooks lists the institution's webhooks.
func (a *Agent) Webhooks(ctx context.Context) ([]client.Webhook, error) {
	all, err := a.store.Endpoints(ctx, a.Institution().ID)
	if err != nil {
		return nil, err
	}
	shown := make([]client.Webhook, len(all))
	for i, e := range all {
		shown[i] = shapeWebhook(e)
	}
	return shown, nil
}

func (a *Agent) changeWebhook(ctx context.Context, id string, change func(hook.Endpoint) (hook.Endpoint, error)) (client.Webhook, error) {
	changed, err := a.store.ChangeEndpoint(ctx, a.Institution().ID, id, change)
	if err != nil {
		return client.Webhook{}, err
	}
	a.hooks.sender.Wake()
	a.checkHooks()
	return shapeWebhook(changed), nil
}

// UpdateWebhook changes a webhook.
func (a *Agent) UpdateWebhook(ctx context.Context, id string, e client.WebhookEdit) (client.Webhook, error) {
	if err := a.checkTarget(e.URL); err != nil {
		return client.Webhook{}, err
	}
	return a.changeWebhook(ctx, id, func(old hook.Endpoint) (hook.Endpoint, error) { return old.Update(editOf(e), a.Now()) })
}

// DeleteWebhook ends a webhook.
func (a *Agent) DeleteWebhook(ctx context.Context, id string) (client.Webhook, error) {
	return a.changeWebhook(ctx, id, func(old hook.Endpoint) (hook.Endpoint, error) { return old.Delete(a.Now()) })
}

// RotateWebhook makes a new signing secret. Where the old one cannot be read any
// more, it does not sign along.
func (a *Agent) RotateWebhook(ctx context.Context, id string) (client.Webhook, error) {
	secret, sealed, err := a.newSecret(id, true)
	if err != nil {
		return client.Webhook{}, err
	}
	shown, err := a.changeWebhook(ctx, id, func(old hook.Endpoint) (hook.Endpoint, error) {
		_, lost := a.openSecret(id, old.Secret)
		next, err := old.Rotate(sealed, a.Now())
		if lost != nil {
			next.OldSecret = nil
		}
		return next, err
	})
	shown.Secret = secret
	return shown, err
}

// TestWebhook makes one attempt at a test delivery, and keeps it.
func (a *Agent) TestWebhook(ctx context.Context, id string) (client.WebhookDelivery, error) {
	all, err := a.store.Endpoints(ctx, a.Institution().ID)
	if err != nil {
		return client.WebhookDelivery{}, err
	}
	for _, e := range all {
		if e.ID != id {
			continue
		}
		d, body, err := hook.TestNews(e.Owner, a.Now()).To(e, a.Now())
		if err != nil {
			return client.WebhookDelivery{}, err
		}
		attempt, err := a.hooks.sender.Try(ctx, e, d, body)
		if err != nil {
			return client.WebhookDelivery{}, err
		}
		kept, err := a.store.KeepTest(ctx, d, body, attempt)
		a.hooks.sender.Wake()
		a.checkHooks()
		return shapeDelivery(kept, nil), err
	}
	return client.WebhookDelivery{}, fault.New(fault.NotFound, "Webhook not found.")
}
