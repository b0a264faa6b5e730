package admin

import (
	"context"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/openbadge"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// Keys lists all keys and secrets that the home keeps, without their values.
func (s *Service) Keys(ctx context.Context) ([]adminclient.Key, error) {
	keys, err := s.institutions.Keys()
	if err != nil {
		return nil, err
	}
	keys = append(keys, s.authorityKeys()...)
	for _, one := range s.institutions.All() {
		own, err := s.credentialKeys(one)
		if err != nil {
			return nil, err
		}
		keys = append(keys, own...)
	}
	all, err := s.store.Endpoints(ctx, 0)
	if err != nil {
		return nil, err
	}
	secrets, err := s.secrets.Keys(len(all) > 0)
	if err != nil {
		return nil, err
	}
	keys = append(keys, secrets...)
	for _, e := range all {
		keys = append(keys, s.webhookKeys(e)...)
	}
	return keys, nil
}

// credentialKeys lists the keys that sign an institution's badges.
func (s *Service) credentialKeys(of vault.Institution) (keys []adminclient.Key, err error) {
	all, err := s.badges.Keys(of.ID)
	for i, k := range all {
		keys = append(keys, credentialKey(of, k))
		if i > 0 {
			keys[i].State = adminclient.KeyVerifies
		}
	}
	return keys, err
}

func credentialKey(of vault.Institution, k openbadge.SigningKey) adminclient.Key {
	return adminclient.Key{What: adminclient.CredentialKey, ID: k.ID, Of: of.Name, State: adminclient.KeyCurrent, CreatedAt: client.TimeOrNull(k.CreatedAt)}
}

// RotateCredentialKey has the acting institution's badges signed with a new key from now on. Those
// that were signed before stay valid.
func (s *Service) RotateCredentialKey(ctx context.Context) (adminclient.Key, error) {
	of := s.institutions.Acting(ctx)
	k, err := s.badges.RotateKey(of.ID)
	return credentialKey(of, k), err
}

// BadgeDocument returns what the home publishes at an address about badges.
func (s *Service) BadgeDocument(ctx context.Context, address string) ([]byte, error) {
	return s.badges.Document(ctx, address)
}

// authorityKeys lists the keys that the authority hashes with.
func (s *Service) authorityKeys() []adminclient.Key {
	var keys []adminclient.Key
	for _, k := range s.authority.Keys() {
		state := adminclient.KeyVerifies
		if k.Current {
			state = adminclient.KeyCurrent
		}
		keys = append(keys, adminclient.Key{What: adminclient.AuthorityKey, ID: k.ID, State: state, Location: adminclient.InFile, CreatedAt: client.TimeOrNull(k.Made)})
	}
	return keys
}

// webhookKeys lists the signing secrets of a webhook.
func (s *Service) webhookKeys(e webhook.Endpoint) []adminclient.Key {
	keys := []adminclient.Key{{What: adminclient.WebhookSecret, ID: e.ID, Of: e.URL, State: adminclient.KeyCurrent, Location: adminclient.InDatabase, CreatedAt: client.TimeOrNull(e.SecretCreatedAt().UTC())}}
	if len(e.SigningSecrets(s.now())) > 1 {
		keys = append(keys, adminclient.Key{What: adminclient.WebhookSecret, ID: e.ID, Of: e.URL, State: adminclient.KeySignsAlong, Location: adminclient.InDatabase, ExpiresAt: client.TimeOrNull(e.OldUntil.UTC())})
	}
	return keys
}

// RotateSecretsKey encrypts all secrets of the home with a new key. The file with
// the new key and those before it is durable before the first secret is encrypted
// with it, and all secrets change in one transaction: whatever moment it is ended at,
// each of them can be opened.
func (s *Service) RotateSecretsKey(ctx context.Context) (adminclient.Key, error) {
	s.rotating.Lock()
	defer s.rotating.Unlock()
	all, err := s.store.Endpoints(ctx, 0)
	if err != nil {
		return adminclient.Key{}, err
	}
	if err := s.secrets.Rotate(len(all) == 0); err != nil {
		return adminclient.Key{}, err
	}
	if err := s.reencryptSecrets(ctx); err != nil {
		return adminclient.Key{}, err
	}
	keys, err := s.secrets.Keys(true)
	if err != nil {
		return adminclient.Key{}, err
	}
	return keys[0], nil
}

// reencryptSecrets encrypts all secrets with the newest key. One that none of the keys opens
// stays as it is: its webhook says so, and gets a new one when it is rotated.
func (s *Service) reencryptSecrets(ctx context.Context) error {
	return s.store.ChangeEndpoints(ctx, func(e webhook.Endpoint) (webhook.Endpoint, error) {
		return e.ReencryptSecrets(func(sealed webhook.EncryptedSecret) (webhook.EncryptedSecret, error) {
			anew, err := s.secrets.Reseal(e.ID, sealed)
			if err != nil {
				return sealed, nil //nolint:nilerr // it cannot be opened now, and could not before
			}
			return anew, nil
		})
	})
}

// FinishRotation encrypts what a rotation that was cut short has left behind.
func (s *Service) FinishRotation(ctx context.Context) error {
	all, err := s.store.Endpoints(ctx, 0)
	if err != nil || len(all) == 0 {
		return err
	}
	keys, err := s.secrets.Keys(true)
	if err != nil || len(keys) == 1 {
		return nil //nolint:nilerr // the first use of the key reports that it is missing
	}
	for _, e := range all {
		if anew, err := s.secrets.Reseal(e.ID, e.Secret); err == nil && string(anew) != string(e.Secret) {
			return s.reencryptSecrets(ctx)
		}
	}
	return nil
}
