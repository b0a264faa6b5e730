package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/authority"
)

var issued = time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC)

// shelf has certifications by a word in place of a hash.
type shelf map[string]authority.Certification

func (s shelf) Verify(_ context.Context, hash string) (authority.Certification, error) {
	c, ok := s[hash]
	switch {
	case hash == "broken":
		return c, errors.New("the disk is on fire")
	case !ok:
		return c, authority.NewContractError(authority.NotFound, "Badge hash not found")
	}
	return c, nil
}

func newPage(t *testing.T) *Page {
	t.Helper()
	c := authority.Certification{
		ID: "req_1", Domain: "mystore.com", Project: `<b>"My" & Store</b>`, State: authority.Active, Badge: authority.Financial, SDKVersion: "1.9.0",
		Hash: "abc", IssuedAt: issued, ExpiresAt: issued.AddDate(1, 0, 0),
	}
	with := func(change func(*authority.Certification)) authority.Certification {
		changed := c
		change(&changed)
		return changed
	}
	p, err := New(shelf{
		"active":  c,
		"expired": with(func(c *authority.Certification) { c.ExpiresAt = issued }),
		"revoked": with(func(c *authority.Certification) {
			c.State, c.Reason, c.RevokedAt = authority.Revoked, "SDK <old>", issued
		}),
		"superseded": with(func(c *authority.Certification) { c.State = authority.Superseded }),
	}, func() string { return "https://vec.example.edu/" }, func() time.Time { return issued.AddDate(0, 1, 0) }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEachStateInWords(t *testing.T) {
	t.Parallel()
	p := newPage(t)
	for path, want := range map[string]struct {
		status int
		words  []string
	}{
		"active":                        {200, []string{"Valid: Financial Certified", "valid until 22 January 2027", "&lt;b&gt;", "../badges/VW-CERT-FIN.svg?size=200x60", "Show this badge"}},
		"active?domain=MYSTORE.com":     {200, []string{"Valid: "}},
		"active?domain=evil.com":        {200, []string{"Not valid on this domain", "belongs to mystore.com", "evil.com"}},
		"active?domain=%3Cscript%3E":    {200, []string{"Not valid on this domain", "&lt;script&gt;"}},
		"expired":                       {200, []string{"Expired", "until 22 January 2026"}},
		"revoked":                       {200, []string{"Revoked", "SDK &lt;old&gt;"}},
		"superseded":                    {200, []string{"Renewed"}},
		"nothing":                       {404, []string{"Not a certification"}},
		"broken":                        {500, []string{"Not available"}},
		"active?domain=www.mystore.com": {200, []string{"Valid: "}},
	} {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/verify/"+path, nil))
		body := w.Body.String()
		if w.Code != want.status {
			t.Errorf("%s: status %d", path, w.Code)
		}
		for _, words := range want.words {
			if !strings.Contains(body, words) {
				t.Errorf("%s: no %q in %s", path, words, body)
			}
		}
		if strings.Contains(body, "<b>") || strings.Contains(body, "on fire") {
			t.Errorf("%s: %s", path, body)
		}
		if strings.HasPrefix(path, "active") == strings.Contains(body, `class="bad"`) && !strings.Contains(body, "Not valid on") {
			t.Errorf("%s: the wrong tone", path)
		}
		wantStrict(t, w)
	}
}

// wantStrict wants a policy that allows the page's own style and nothing more.
func wantStrict(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	policy := w.Header().Get("Content-Security-Policy")
	_, rest, _ := strings.Cut(w.Body.String(), "<style>")
	css, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(css))
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Errorf("policy %q", policy)
	}
	for _, risky := range []string{"unsafe", "http:", "*", "<script"} {
		if strings.Contains(policy, risky) {
			t.Errorf("policy %q", policy)
		}
	}
	if strings.Contains(w.Body.String(), "<script") || strings.Contains(w.Body.String(), "style=") {
		t.Error("the page holds what its policy forbids")
	}
}

func TestSnippets(t *testing.T) {
	t.Parallel()
	p := newPage(t)
	c, _ := p.verifier.Verify(t.Context(), "active")
	got, err := p.Embed(c, "80x20")
	const want = `<a href="https://vec.example.edu/verify/abc?domain=mystore.com"><img src="https://vec.example.edu/badges/VW-CERT-FIN.svg?size=80x20" width="80" height="20" alt="VendWeave: Financial Certified"></a>`
	if err != nil || got != want {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := p.Embed(c, "1x1"); err == nil {
		t.Error("a strange size")
	}
	gone, _ := p.verifier.Verify(t.Context(), "revoked")
	if _, err := p.Embed(gone, DefaultBadgeSize().String()); err == nil {
		t.Error("a badge of a revoked certification")
	}
}
