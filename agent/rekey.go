package agent

import (
	"context"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

// Keys tells all keys and secrets that the home keeps, without what they are.
func (a *Agent) Keys(ctx context.Context) ([]client.Key, error) {
	keys := a.seats.Keys()
	for _, k := range a.certifier.ring.Keys() {
		state := client.KeyVerifies
		if k.Current {
			state = client.KeyCurrent
		}
		keys = append(keys, client.Key{What: client.AuthorityKey, ID: k.ID, State: state, CreatedAt: client.TimeOrNull(k.Made)})
	}
	all, err := a.store.Endpoints(ctx, 0)
	if err != nil {
		return nil, err
	}
	secrets, err := a.secretsKeys(len(all) > 0)
	if err != nil {
		return nil, err
	}
	keys = append(keys, secrets...)
	for _, e := range all {
		keys = append(keys, a.webhookKeys(e)...)
	}
	return keys, nil
}

// secretsKeys tells the keys with which secrets are encrypted. Before any was needed
// there is none.
func (a *Agent) secretsKeys(needed bool) ([]client.Key, error) {
	there, err := a.Home.HasSecrets()
	if err != nil || !there && !needed {
		return nil, err
	}
	box, err := a.secretsBox(false)
	if err != nil {
		return nil, err
	}
	var keys []client.Key
	for i, k := range box.Keys() {
		state := client.KeyOpens
		if i == 0 {
			state = client.KeyCurrent
		}
		keys = append(keys, client.Key{What: client.SecretsKey, ID: k.ID, State: state, CreatedAt: client.TimeOrNull(k.Made)})
	}
	return keys, nil
}

// webhookKeys tells the signing secrets of a webhook.
func (a *Agent) webhookKeys(e hook.Endpoint) []client.Key {
	keys := []client.Key{{What: client.WebhookSecret, ID: e.ID, Of: e.URL, State: client.KeyCurrent, CreatedAt: client.TimeOrNull(e.SecretMade().UTC())}}
	if len(e.Secrets(a.Now())) > 1 {
		keys = append(keys, client.Key{What: client.WebhookSecret, ID: e.ID, Of: e.URL, State: client.KeySignsAlong, ExpiresAt: client.TimeOrNull(e.OldUntil.UTC())})
	}
	return keys
}

// RotateSecretsKey encrypts all secrets of the home with a new key. The file with
// the new key and those before it is durable before the first secret is encrypted
// with it, and all secrets change in one transaction: whatever moment it is ended at,
// each of them can be opened.
func (a *Agent) RotateSecretsKey(ctx context.Context) (client.Key, error) {
	a.rekeying.Lock()
	defer a.rekeying.Unlock()
	all, err := a.store.Endpoints(ctx, 0)
	if err != nil {
		return client.Key{}, err
	}
	box, err := a.secretsBox(len(all) == 0)
	if err != nil {
		return client.Key{}, err
	}
	if box, err = box.Rotate(a.Home, a.Now()); err != nil {
		return client.Key{}, err
	}
	a.secrets.mu.Lock()
	a.secrets.box = box
	a.secrets.mu.Unlock()
	if err := a.reseal(ctx); err != nil {
		return client.Key{}, err
	}
	keys, err := a.secretsKeys(true)
	if err != nil {
		return client.Key{}, err
	}
	return keys[0], nil
}

// reseal encrypts all secrets with the newest key. One that none of the keys opens
// stays as it is: its webhook says so, and gets a new one when it is rotated.
func (a *Agent) reseal(ctx context.Context) error {
	box, err := a.secretsBox(false)
	if err != nil {
		return err
	}
	return a.store.ChangeEndpoints(ctx, func(e hook.Endpoint) (hook.Endpoint, error) {
		return e.Reseal(func(sealed hook.Sealed) (hook.Sealed, error) {
			anew, err := box.Reseal(e.ID, sealed)
			if err != nil {
				return sealed, nil //nolint:nilerr // it cannot be opened now, and could not before
			}
			return anew, nil
		})
	})
}

// finishRotation encrypts what a rotation that was cut short has left behind.
func (a *Agent) finishRotation(ctx context.Context) error {
	all, err := a.store.Endpoints(ctx, 0)
	if err != nil || len(all) == 0 {
		return err
	}
	box, err := a.secretsBox(false)
	if err != nil || len(box.Keys()) == 1 {
		return nil //nolint:nilerr // who needs the key will say that it is missing
	}
	for _, e := range all {
		if anew, err := box.Reseal(e.ID, e.Secret); err == nil && string(anew) != string(e.Secret) {
			return a.reseal(ctx)
		}
	}
	return nil
}
