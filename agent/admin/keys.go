package admin

import (
	"context"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// EndpointSecretStore are what is needed of the store.
type EndpointSecretStore interface {
	Endpoints(ctx context.Context, institution uint32) ([]webhook.Endpoint, error)
	ChangeEndpoints(ctx context.Context, change func(webhook.Endpoint) (webhook.Endpoint, error)) error
}

// SecretStore has the keys with which secrets are encrypted.
type SecretStore interface {
	// Keys tells the keys, the newest first; none before any was needed.
	Keys(needed bool) ([]adminclient.Key, error)
	// Rotate puts a new key before the others. One is made where there is none and
	// none was needed yet, which mayMake says.
	Rotate(mayMake bool) error
	// Reseal encrypts a secret with the newest key.
	Reseal(place string, sealed []byte) ([]byte, error)
}

// Keys is where staff look after keys.
type Keys struct {
	Endpoints EndpointSecretStore
	Secrets   SecretStore
	Signing   func() []adminclient.Key // what institutions sign with
	Authority func() []adminclient.Key // what the authority hashes with
	Now       func() time.Time

	rotating sync.Mutex
}

// Keys tells all keys and secrets that the home keeps, without what they are.
func (d *Keys) Keys(ctx context.Context) ([]adminclient.Key, error) {
	keys := append(d.Signing(), d.Authority()...)
	all, err := d.Endpoints.Endpoints(ctx, 0)
	if err != nil {
		return nil, err
	}
	secrets, err := d.Secrets.Keys(len(all) > 0)
	if err != nil {
		return nil, err
	}
	keys = append(keys, secrets...)
	for _, e := range all {
		keys = append(keys, d.webhookKeys(e)...)
	}
	return keys, nil
}

// webhookKeys tells the signing secrets of a webhook.
func (d *Keys) webhookKeys(e webhook.Endpoint) []adminclient.Key {
	keys := []adminclient.Key{{What: adminclient.WebhookSecret, ID: e.ID, Of: e.URL, State: adminclient.KeyCurrent, CreatedAt: client.TimeOrNull(e.SecretCreatedAt().UTC())}}
	if len(e.SigningSecrets(d.Now())) > 1 {
		keys = append(keys, adminclient.Key{What: adminclient.WebhookSecret, ID: e.ID, Of: e.URL, State: adminclient.KeySignsAlong, ExpiresAt: client.TimeOrNull(e.OldUntil.UTC())})
	}
	return keys
}

// RotateSecretsKey encrypts all secrets of the home with a new key. The file with
// the new key and those before it is durable before the first secret is encrypted
// with it, and all secrets change in one transaction: whatever moment it is ended at,
// each of them can be opened.
func (d *Keys) RotateSecretsKey(ctx context.Context) (adminclient.Key, error) {
	d.rotating.Lock()
	defer d.rotating.Unlock()
	all, err := d.Endpoints.Endpoints(ctx, 0)
	if err != nil {
		return adminclient.Key{}, err
	}
	if err := d.Secrets.Rotate(len(all) == 0); err != nil {
		return adminclient.Key{}, err
	}
	if err := d.reencryptSecrets(ctx); err != nil {
		return adminclient.Key{}, err
	}
	keys, err := d.Secrets.Keys(true)
	if err != nil {
		return adminclient.Key{}, err
	}
	return keys[0], nil
}

// reencryptSecrets encrypts all secrets with the newest key. One that none of the keys opens
// stays as it is: its webhook says so, and gets a new one when it is rotated.
func (d *Keys) reencryptSecrets(ctx context.Context) error {
	return d.Endpoints.ChangeEndpoints(ctx, func(e webhook.Endpoint) (webhook.Endpoint, error) {
		return e.ReencryptSecrets(func(sealed webhook.EncryptedSecret) (webhook.EncryptedSecret, error) {
			anew, err := d.Secrets.Reseal(e.ID, sealed)
			if err != nil {
				return sealed, nil //nolint:nilerr // it cannot be opened now, and could not before
			}
			return anew, nil
		})
	})
}

// FinishRotation encrypts what a rotation that was cut short has left behind.
func (d *Keys) FinishRotation(ctx context.Context) error {
	all, err := d.Endpoints.Endpoints(ctx, 0)
	if err != nil || len(all) == 0 {
		return err
	}
	keys, err := d.Secrets.Keys(true)
	if err != nil || len(keys) == 1 {
		return nil //nolint:nilerr // who needs the key will say that it is missing
	}
	for _, e := range all {
		if anew, err := d.Secrets.Reseal(e.ID, e.Secret); err == nil && string(anew) != string(e.Secret) {
			return d.reencryptSecrets(ctx)
		}
	}
	return nil
}
