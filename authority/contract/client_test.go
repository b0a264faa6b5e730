package contract

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client/authorityclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/webhook"
)

func (s *site) client() *authorityclient.Client {
	s.Helper()
	c, err := authorityclient.New(s.server.URL, s.key, "my-store", http.DefaultTransport)
	s.check(err)
	return c
}

func shot(t testing.TB) (made authorityclient.Snapshot) {
	t.Helper()
	raw, err := json.Marshal(snapshot())
	if err == nil {
		err = json.Unmarshal(raw, &made)
	}
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestTheGoClient(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c, ctx := s.client(), t.Context()
	made, err := c.Request(ctx, "mystore.com", "My Store", shot(t))
	if err != nil || made.Status != authorityclient.Active || made.BadgeCode != "VW-CERT-CUR" || !made.ExpiresAt.Equal(begun.AddDate(1, 0, 0)) || made.VerifyURL == "" {
		t.Fatalf("%+v, %v", made, err)
	}
	if _, err := c.Request(ctx, "mystore.com", "My Store", shot(t)); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "ALREADY_CERTIFIED") {
		t.Errorf("%v", err)
	}
	next, err := c.Renew(ctx, made.VerificationHash, shot(t))
	if err != nil || next.PreviousBadge != "VW-CERT-CUR" {
		t.Errorf("%+v, %v", next, err)
	}
	if v, err := c.Verify(ctx, next.VerificationHash, "evil.com"); err != nil || v.Valid || v.DomainMatch == nil || *v.DomainMatch {
		t.Errorf("%+v, %v", v, err)
	}
	if v, err := c.Verify(ctx, "nothing", ""); err != nil || v.Valid || v.Status != "invalid" {
		t.Errorf("%+v, %v", v, err)
	}
	gone, err := c.Revoke(ctx, next.VerificationHash, "enough")
	if err != nil || gone.Status != authorityclient.Revoked || gone.RevokeReason != "enough" || gone.RevokedAt == nil {
		t.Errorf("%+v, %v", gone, err)
	}
	if st, err := c.Status(ctx, "mystore.com"); err != nil || st.Status != authorityclient.Revoked || st.BadgeCode != "" || st.RevokeReason != "enough" {
		t.Errorf("%+v, %v", st, err)
	}
	if _, err := c.Renew(ctx, next.VerificationHash, shot(t)); !fault.Is(err, fault.Illegal) {
		t.Errorf("%v", err)
	}
	for range 70 {
		_, err = c.Status(ctx, "mystore.com")
	}
	limited, ok := err.(*authorityclient.Error)
	if !ok || limited.Code != "RATE_LIMITED" || limited.RetryAfter <= 0 || !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
}

// complaintsOf gathers what a keeper says.
type complaintsOf struct {
	mu   sync.Mutex
	said []string
}

func (c *complaintsOf) log(doing string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said = append(c.said, doing+": "+err.Error())
}

func (s *site) keeper(cache authorityclient.Cache) (*authorityclient.BadgeKeeper, *complaintsOf) {
	said := &complaintsOf{}
	return &authorityclient.BadgeKeeper{Client: s.client(), Domain: "mystore.com", Cache: cache, Log: said.log, Now: s.clock.now}, said
}

func TestTheKeeperCachesForAnHour(t *testing.T) {
	t.Parallel()
	file := authorityclient.FileCache(filepath.Join(t.TempDir(), "deep", "cache.json"))
	for name, cache := range map[string]authorityclient.Cache{"memory": nil, "file": file} {
		s := newSite(t)
		k, said := s.keeper(cache)
		if got := k.Status(t.Context()); got.Status != authorityclient.Unknown || len(said.said) != 1 {
			t.Errorf("%s, before anything: %+v, %v", name, got, said.said)
		}
		s.certified()
		if got := k.Status(t.Context()); got.Status != authorityclient.Unknown {
			t.Errorf("%s: asked again at once: %+v", name, got)
		}
		s.clock.advance(time.Hour)
		active := k.Status(t.Context())
		if active.Status != authorityclient.Active {
			t.Fatalf("%s: %+v, %v", name, active, said.said)
		}
		s.server.Close()
		s.clock.advance(59 * time.Minute)
		if cache != nil {
			k, said = s.keeper(cache) // another run of the program
		}
		if got := k.Status(t.Context()); got.VerificationHash != active.VerificationHash {
			t.Errorf("%s: within the hour: %+v", name, got)
		}
		s.clock.advance(time.Minute)
		if got := k.Status(t.Context()); got.Status != authorityclient.Unknown || len(said.said) == 0 {
			t.Errorf("%s: after the hour, without an authority: %+v, %v", name, got, said.said)
		}
	}
	// A file that is damaged is as good as none.
	if err := os.WriteFile(string(file), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	s.certified()
	k, said := s.keeper(file)
	if got := k.Status(t.Context()); got.Status != authorityclient.Active || len(said.said) != 1 {
		t.Errorf("after damage: %+v, %v", got, said.said)
	}
	// One that cannot be written keeps nobody from knowing.
	k, said = s.keeper(authorityclient.FileCache("/dev/null/cache"))
	if got := k.Status(t.Context()); got.Status != authorityclient.Active || len(said.said) == 0 {
		t.Errorf("without a place to write: %+v, %v", got, said.said)
	}
}

func TestARevocationOverridesTheCache(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.certified()
	k, _ := s.keeper(nil)
	hash := k.Status(t.Context()).VerificationHash
	hook := k.Webhook("whsec_secret")
	send := func(secret, hash string) int {
		body := []byte(`{"event":"certification.revoked","timestamp":"2026-01-22T10:00:00Z","data":{"domain":"mystore.com","verification_hash":"` + hash + `","reason":"it leaked"}}`)
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Header.Set(webhook.HeaderSignature, webhook.Sign(secret, body))
		w := httptest.NewRecorder()
		hook.ServeHTTP(w, r)
		return w.Code
	}
	if code := send("wrong", hash); code != 401 || k.Status(t.Context()).Status != authorityclient.Active {
		t.Errorf("forged: %d", code)
	}
	if code := send("whsec_secret", strings.Repeat("0", 64)); code != 204 || k.Status(t.Context()).Status != authorityclient.Active {
		t.Errorf("another certification's: %d", code)
	}
	if code := send("whsec_secret", hash); code != 204 {
		t.Errorf("%d", code)
	}
	if got := k.Status(t.Context()); got.Status != authorityclient.Revoked || got.RevokeReason != "it leaked" {
		t.Errorf("%+v", got)
	}
	s.server.Close()
	s.clock.advance(48 * time.Hour)
	if got := k.Status(t.Context()); got.Status != authorityclient.Revoked {
		t.Errorf("forgotten: %+v", got)
	}
}

func TestTheKeeperRenews(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first := s.certified().body.text("verification_hash")
	idle, _ := s.keeper(nil)
	k, said := s.keeper(nil)
	k.Renew = func() authorityclient.Snapshot { return shot(t) }
	s.clock.set(begun.AddDate(1, 0, -31))
	if got := k.Status(t.Context()); got.VerificationHash != first {
		t.Errorf("renewed too soon: %+v", got)
	}
	s.clock.set(begun.AddDate(1, 0, -30))
	if got := idle.Status(t.Context()); got.VerificationHash != first {
		t.Errorf("renewed without being told to: %+v", got)
	}
	got := k.Status(t.Context())
	if got.VerificationHash == first || got.Status != authorityclient.Active || !got.ExpiresAt.Equal(begun.AddDate(2, 0, 0)) || len(said.said) > 0 {
		t.Errorf("not renewed: %+v, %v", got, said.said)
	}
	// A renewal that fails leaves what there is, and is not tried all the time.
	s.clock.set(begun.AddDate(2, 0, -10))
	k.Renew = func() authorityclient.Snapshot { return authorityclient.Snapshot{SDKVersion: "0.1.0"} }
	for range 3 {
		if got := k.Status(t.Context()); got.Status != authorityclient.Active {
			t.Errorf("%+v", got)
		}
		s.clock.advance(time.Hour)
	}
	if len(said.said) != 1 || !strings.Contains(said.said[0], "SDK_OUTDATED") {
		t.Errorf("%v", said.said)
	}
}
