package admin_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/admin"
	"github.com/vecctl/vecctl/agent/badges"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/authority/service"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// house is a home with a real store and webhooks in it.
type house struct {
	*testing.T
	dir   home.Dir
	store *bolt.Store
	now   time.Time
	admin *admin.Service
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, dir: home.Dir(filepath.Join(t.TempDir(), "home")), now: time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)}
	h.ok(h.dir.Make())
	var err error
	h.store, err = bolt.Open(filepath.Join(string(h.dir), "vault.db"), time.Second)
	h.ok(err)
	t.Cleanup(func() { h.ok(h.store.Close()) })
	_, err = h.store.AddInstitution(t.Context(), vault.Institution{Name: "Northgate", TimeZone: "UTC"})
	h.ok(err)
	h.restart()
	return h
}

// restart has the keys read anew, as the agent's next start does.
func (h *house) restart() {
	h.admin = h.service(h.store)
}

// service makes the service over a store.
func (h *house) service(over store.Store) *admin.Service {
	h.Helper()
	now := func() time.Time { return h.now }
	registry, err := institutions.Open(h.Context(), institutions.Options{Store: over, KeyStore: h.dir, Now: now, Random: rand.Reader}, "http://localhost:7780", vault.Institution{})
	h.ok(err)
	keyring, err := service.OpenKeyring(filepath.Join(h.dir.Keys(), "authority.json"), rand.Reader, now)
	h.ok(err)
	_, err = keyring.Current()
	h.ok(err)
	rows, err := over.Rows(badges.Tables()...)
	h.ok(err)
	own := badges.New(badges.Options{Store: over, Rows: rows, Institutions: registry, Setup: registry.Options})
	return admin.New(admin.Options{Store: over, Institutions: registry, Badges: own, Secrets: home.NewSecretStore(h.dir, now, rand.Reader), Authority: keyring, Now: now})
}

func (h *house) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// webhook adds an endpoint with a secret.
func (h *house) webhook(id, secret string) {
	h.Helper()
	h.ok(h.store.AddEndpoint(h.Context(), h.endpoint(id, h.seal(id, secret))))
}

func (h *house) endpoint(id string, secret webhook.EncryptedSecret) webhook.Endpoint {
	h.Helper()
	url := "https://example.org/" + id
	e, err := webhook.New(id, webhook.Subscriber{Institution: 1}, webhook.Update{URL: &url, Events: webhook.Events()}, secret, h.now)
	h.ok(err)
	return e
}

func (h *house) seal(id, secret string) webhook.EncryptedSecret {
	h.Helper()
	box, err := h.dir.LoadSecretKeys(rand.Reader, h.now, true)
	h.ok(err)
	sealed, err := box.Seal(id, secret)
	h.ok(err)
	return sealed
}

// opens tells what a webhook's secrets say, with the keys in the file.
func (h *house) opens(id string) (secrets []string) {
	h.Helper()
	box, err := h.dir.LoadSecretKeys(rand.Reader, h.now, false)
	h.ok(err)
	all, err := h.store.Endpoints(h.Context(), 1)
	h.ok(err)
	for _, e := range all {
		if e.ID != id {
			continue
		}
		for _, sealed := range e.SigningSecrets(h.now) {
			secret, err := box.Open(e.ID, sealed)
			h.ok(err)
			secrets = append(secrets, secret)
		}
	}
	return secrets
}

// listed shows the keys in a line.
func (h *house) listed() string {
	h.Helper()
	keys, err := h.admin.Keys(h.Context())
	h.ok(err)
	var words []string
	for _, k := range keys {
		word := string(k.What) + " " + string(k.State)
		if k.What == adminclient.WebhookSecret {
			word += " " + k.Of
		}
		words = append(words, strings.TrimSpace(word))
	}
	return strings.Join(words, ", ")
}

const one, two = "0198f000-0000-7000-8000-000000000001", "0198f000-0000-7000-8000-000000000002"

func TestKeysOfAHome(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	signing, authority := string(adminclient.InstitutionKey)+" current", string(adminclient.AuthorityKey)+" current"
	if got := h.listed(); got != signing+", "+authority {
		t.Errorf("a new home has %s", got)
	}
	h.webhook(one, "whsec_one")
	secret, current := string(adminclient.WebhookSecret), string(adminclient.KeyCurrent)
	want := strings.Join([]string{signing, authority, string(adminclient.SecretsKey) + " " + current, secret + " " + current + " https://example.org/" + one}, ", ")
	if got := h.listed(); got != want {
		t.Errorf("with a webhook:\n%s, want\n%s", got, want)
	}
	_, err := h.store.ChangeEndpoint(t.Context(), 1, one, func(e webhook.Endpoint) (webhook.Endpoint, error) {
		return e.RotateSecret(h.seal(one, "whsec_new"), h.now)
	})
	h.ok(err)
	along := ", " + secret + " " + string(adminclient.KeySignsAlong) + " https://example.org/" + one
	if got := h.listed(); got != want+along {
		t.Errorf("with a rotated secret:\n%s, want\n%s", got, want+along)
	}
	h.now = h.now.Add(webhook.SecretOverlap)
	if got := h.listed(); got != want {
		t.Errorf("a day later:\n%s, want\n%s", got, want)
	}
}

func TestANewKeyOfSecrets(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first, err := h.admin.RotateSecretsKey(t.Context())
	h.ok(err)
	h.webhook(one, "whsec_one")
	h.webhook(two, "whsec_two")
	_, err = h.store.ChangeEndpoint(t.Context(), 1, two, func(e webhook.Endpoint) (webhook.Endpoint, error) {
		return e.RotateSecret(h.seal(two, "whsec_new"), h.now)
	})
	h.ok(err)
	h.now = h.now.Add(time.Hour)
	next, err := h.admin.RotateSecretsKey(t.Context())
	h.ok(err)
	if next.ID == first.ID || next.State != adminclient.KeyCurrent {
		t.Errorf("%+v is followed by %+v", first, next)
	}
	h.onlyNewest()
	if a, b := h.opens(one), h.opens(two); strings.Join(append(a, b...), " ") != "whsec_one whsec_new whsec_two" {
		t.Errorf("the secrets say %v and %v", a, b)
	}
}

// onlyNewest takes the older keys away, which nothing must need any more.
func (h *house) onlyNewest() {
	h.Helper()
	path := filepath.Join(h.dir.Keys(), "secrets.key")
	text, err := os.ReadFile(path)
	h.ok(err)
	newest, _, more := strings.Cut(string(text), "\n")
	if !more {
		h.Fatalf("one key alone: %q", text)
	}
	h.ok(os.WriteFile(path, []byte(newest+"\n"), 0o600))
}

// broken is a store that is lost while it is being written.
type broken struct{ store.Store }

func (broken) ChangeEndpoints(context.Context, func(webhook.Endpoint) (webhook.Endpoint, error)) error {
	return errors.New("power cut")
}

func TestARotationThatWasCutShort(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.webhook(one, "whsec_one")
	h.admin = h.service(broken{h.store})
	if _, err := h.admin.RotateSecretsKey(t.Context()); err == nil {
		t.Fatal("a rotation that failed is none")
	}
	if got := h.opens(one); len(got) != 1 || got[0] != "whsec_one" {
		t.Errorf("until the next start the secret says %v", got)
	}
	h.restart()
	h.ok(h.admin.FinishRotation(t.Context()))
	h.ok(h.admin.FinishRotation(t.Context())) // nothing is left to do
	h.onlyNewest()
	if got := h.opens(one); len(got) != 1 || got[0] != "whsec_one" {
		t.Errorf("after the next start the secret says %v", got)
	}
}

// A secret that no key opens is its webhook's trouble alone.
func TestASecretThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.webhook(two, "whsec_two")
	h.ok(h.store.AddEndpoint(t.Context(), h.endpoint(one, []byte("damaged beyond all keys"))))
	if _, err := h.admin.RotateSecretsKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.restart()
	h.ok(h.admin.FinishRotation(t.Context()))
	h.onlyNewest()
	if got := h.opens(two); len(got) != 1 || got[0] != "whsec_two" {
		t.Errorf("its neighbour says %v", got)
	}
}

func TestALostKeyIsNotReplaced(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.ok(h.admin.FinishRotation(t.Context())) // nothing was ever encrypted
	h.webhook(one, "whsec_one")
	h.ok(os.Remove(filepath.Join(h.dir.Keys(), "secrets.key")))
	h.restart()
	if _, err := h.admin.RotateSecretsKey(t.Context()); !fault.Is(err, fault.Damaged) {
		t.Errorf("a new key in place of the lost one: %v", err)
	}
	if _, err := h.admin.Keys(t.Context()); !fault.Is(err, fault.Damaged) {
		t.Errorf("nobody is told that the key is lost: %v", err)
	}
	if err := h.admin.FinishRotation(t.Context()); err != nil {
		t.Errorf("the agent does not start: %v", err)
	}
}
