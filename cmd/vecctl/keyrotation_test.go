package main

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// keysOf lists the site's keys of one kind.
func (s *site) keysOf(what string) []adminclient.Key {
	s.t.Helper()
	var all []adminclient.Key
	must(s.t, json.Unmarshal([]byte(s.done("key", "list", "--json").stdout), &all))
	return slices.DeleteFunc(all, func(k adminclient.Key) bool { return k.What != what })
}

// wantTold sends the endpoint a test, whose signature it checks.
func (r *hookReceiver) wantTold(s *site, id string) {
	s.t.Helper()
	s.done("webhook", "test", id)
	r.check(s.t)
}

// A rotation of the key of secrets that is killed at any moment leaves all secrets
// readable, and the next one ends what it began.
func TestRotationsThatAreKilled(t *testing.T) {
	t.Parallel()
	kills := 5
	if long() {
		kills = 60
	}
	s := newSite(t)
	r := newHookReceiver(t)
	made := r.subscribe(s)
	for i := range kills {
		cmd := s.command("key", "rotate", "secrets")
		started := s.start(cmd)
		killer := time.AfterFunc(time.Duration(i%30)*4*time.Millisecond, func() { _ = cmd.Process.Kill() })
		s.finish(cmd, started)
		killer.Stop()
		r.wantTold(s, made.ID)
	}
	before := s.keysOf(adminclient.SecretsKey)
	s.done("key", "rotate", "secrets")
	r.wantTold(s, made.ID)
	after := s.keysOf(adminclient.SecretsKey)
	if len(after) != len(before)+1 || after[0].State != adminclient.KeyCurrent || after[0].ID == before[0].ID {
		t.Errorf("keys %v, then %v", before, after)
	}
}

// The file of keys is written before anything is encrypted with the new one. What
// is cut short in between is ended by the next that opens the home.
func TestARotationCutShort(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := newHookReceiver(t)
	made := r.subscribe(s)
	dir, key := home.Dir(s.home), filepath.Join(s.home, "keys", "secrets.key")
	box, err := dir.LoadSecretKeys(rand.Reader, time.Now(), false)
	must(t, err)
	_, err = box.Rotate(dir, time.Now())
	must(t, err)
	r.wantTold(s, made.ID)
	// All is encrypted with the new key by now: it is enough.
	text, err := os.ReadFile(key)
	must(t, err)
	lines := strings.SplitAfter(string(text), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines in the file of keys", len(lines))
	}
	must(t, os.WriteFile(key, []byte(lines[0]), 0o600))
	r.wantTold(s, made.ID)
	must(t, os.WriteFile(key, []byte(lines[1]), 0o600))
	s.want(1, "webhook", "test", made.ID).says(t, "cannot be read with the home's key")
	must(t, os.Remove(key))
	s.want(1, "doctor").says(t, "secrets.key is missing", "restore the folder keys")
}

// After its rotation a webhook's old secret signs along, so that a receiver that knows only
// one of the two accepts the event.
func TestBothSecretsSign(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := newHookReceiver(t)
	made := r.subscribe(s)
	secret := strings.TrimSpace(s.done("key", "rotate", "webhook", made.ID, "--quiet").stdout)
	if !strings.HasPrefix(secret, "whsec_") || secret == made.Secret {
		t.Fatalf("the new secret is %q", secret)
	}
	for _, one := range []string{made.Secret, secret} {
		r.mu.Lock()
		r.secret = one
		r.mu.Unlock()
		r.wantTold(s, made.ID)
	}
	keys := s.keysOf(adminclient.WebhookSecret)
	if len(keys) != 2 || keys[0].State != adminclient.KeyCurrent || keys[1].State != adminclient.KeySignsAlong || keys[1].ExpiresAt == nil {
		t.Errorf("%+v", keys)
	}
}

// A badge that was issued before the authority's secret was rotated is valid.
func TestBadgesOutliveTheSecret(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	key := strings.TrimSpace(s.done("authority", "store", "add", "shop").stdout)
	s.done("authority", "domain", "add", "shop.example.com", "--store", "shop")
	s.done("authority", "domain", "trust", "shop.example.com")
	d := s.daemon()
	defer d.end()
	_, granted := d.certifyCall("shop", key, "POST", "request", `{"domain":"shop.example.com","project_name":"Shop","snapshot":`+wholeSnapshot+`}`)
	hash, _ := granted["verification_hash"].(string)
	before := s.keysOf(adminclient.AuthorityKey)
	s.done("key", "rotate", "authority")
	after := s.keysOf(adminclient.AuthorityKey)
	if len(before) != 1 || len(after) != 2 || after[0].ID == before[0].ID || after[1].ID != before[0].ID || after[1].State != adminclient.KeyVerifies {
		t.Errorf("keys %v, then %v", before, after)
	}
	if _, now := d.certifyCall("shop", key, "GET", "verify/"+hash, ""); now["valid"] != true {
		t.Errorf("the badge of %q after the rotation: %v", hash, now)
	}
}
