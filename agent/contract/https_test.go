package contract

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/api"
	"github.com/vecctl/vecctl/agent/config"
)

// writePair writes a self-signed certificate and its key, and returns a pool that
// trusts it.
func writePair(t *testing.T, certFile, keyFile, name string) *x509.CertPool {
	t.Helper()
	fail := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	fail(err)
	draft := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, draft, draft, &key.PublicKey, key)
	fail(err)
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	fail(err)
	fail(os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	fail(os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
	made, err := x509.ParseCertificate(der)
	fail(err)
	pool := x509.NewCertPool()
	pool.AddCert(made)
	return pool
}

func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	old := writePair(t, certFile, keyFile, "old")
	s := newSiteWith(t, func(c *config.Config) { c.TLS = config.TLS{Cert: certFile, Key: keyFile} })
	if !strings.HasPrefix(s.base, "https://127.0.0.1:") {
		t.Fatalf("the agent answers at %s", s.base)
	}
	get := func(pool *x509.CertPool) (*http.Response, error) {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
		defer transport.CloseIdleConnections()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+vaultPath, nil)
		s.check(err)
		req.Header.Set("Authorization", "Bearer "+s.token)
		return (&http.Client{Transport: transport}).Do(req)
	}
	resp, err := get(old)
	s.check(err)
	var page struct {
		Meta struct {
			Path string `json:"path"`
		} `json:"meta"`
	}
	s.check(json.NewDecoder(resp.Body).Decode(&page))
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 || page.Meta.Path != s.base+vaultPath {
		t.Errorf("status %d, HTTP/%d, path %s", resp.StatusCode, resp.ProtoMajor, page.Meta.Path)
	}
	if got := resp.Header.Get("Strict-Transport-Security"); got != "max-age=31536000" {
		t.Errorf("Strict-Transport-Security is %q", got)
	}
	// A renewed certificate is taken up; files that do not fit are not.
	s.check(os.WriteFile(keyFile, []byte("half-written"), 0o600))
	s.clock.advance(time.Hour)
	if resp, err := get(old); err != nil {
		t.Errorf("with a half-written key: %v", err)
	} else {
		_ = resp.Body.Close()
	}
	renewed := writePair(t, certFile, keyFile, "new")
	s.check(os.Chtimes(certFile, time.Now(), time.Now().Add(time.Minute)))
	s.clock.advance(time.Hour)
	resp, err = get(renewed)
	if err != nil {
		t.Fatalf("with the renewed certificate: %v", err)
	}
	_ = resp.Body.Close()
}

// TestPlainHTTP lets plain HTTP in from this machine, and what a trusted proxy
// says came over HTTPS.
func TestPlainHTTP(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	trusting := newSiteWith(t, func(c *config.Config) { c.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	tests := []struct {
		name, from string
		headers    []string
		trusting   bool
		want       int
	}{
		{"this machine", "127.0.0.1:1", nil, false, 200},
		{"this machine by IPv6", "[::1]:1", nil, false, 200},
		{"another machine", "192.0.2.1:1", nil, false, 403},
		{"another machine that claims a proxy", "192.0.2.1:1", []string{"X-Forwarded-Proto", "https"}, false, 403},
		{"another machine that claims a proxy that is trusted", "192.0.2.1:1", []string{"X-Forwarded-Proto", "https", "X-Forwarded-For", "10.0.0.1"}, true, 403},
		{"a trusted proxy", "10.1.2.3:1", []string{"X-Forwarded-Proto", "https", "X-Forwarded-For", "192.0.2.1"}, true, 200},
		{"a trusted proxy that was called over HTTP", "10.1.2.3:1", []string{"X-Forwarded-Proto", "http"}, true, 403},
	}
	for _, tt := range tests {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, vaultPath, nil)
		r.RemoteAddr = tt.from
		at := s
		if tt.trusting {
			at = trusting
		}
		r.Header.Set("Authorization", "Bearer "+at.token)
		for i := 0; i+1 < len(tt.headers); i += 2 {
			r.Header.Set(tt.headers[i], tt.headers[i+1])
		}
		w := httptest.NewRecorder()
		at.agent.PublicHandler().ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
		}
		if tt.want == 200 && tt.trusting && !strings.Contains(w.Body.String(), `"path":"https://`) {
			t.Errorf("%s: %s", tt.name, w.Body)
		}
	}
}

// TestPlainHTTPIsNotRedirected refuses a call before its address is put right.
func TestPlainHTTPIsNotRedirected(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, path := range []string{"/v/../me", "/badges", "/api/certify", "/c"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.RemoteAddr = "192.0.2.1:1"
		w := httptest.NewRecorder()
		if s.agent.PublicHandler().ServeHTTP(w, r); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d, to %q", path, w.Code, w.Header().Get("Location"))
		}
	}
}

// TestDescription holds the description to itself and to what the agent answers.
func TestDescription(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v, err := description()
	s.check(err)
	for name := range v.Components.Schemas {
		if _, err := v.compile("#/components/schemas/" + escape(name)); err != nil {
			t.Errorf("schema %s: %v", name, err)
		}
	}
	var d struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	s.check(json.Unmarshal(api.OpenAPI(), &d))
	calls := 0
	for path, methods := range d.Paths {
		for method := range methods {
			calls++
			want := http.StatusUnauthorized
			if strings.HasPrefix(path, hashPath) {
				want = http.StatusBadRequest // a public page, for which "x" is no SHA-256
			}
			s.as("").want(s.as("").call(strings.ToUpper(method), strings.NewReplacer("{uuid}", "x", "{id}", "x", "{sha256}", "x").Replace(path), nil), want)
		}
	}
	// The guide's ten, and HEAD for the six that read; the same for three of the reference and for many
	// documents; a batch of a table; a page; a badge.
	if calls != 10+6+3+3+2+1+1+1 {
		t.Errorf("%d calls are described", calls)
	}
	page := s.want(s.as("").get("/docs"), http.StatusOK)
	for _, file := range []string{"docs/docs.js", "docs/docs.css"} {
		if !bytes.Contains(page.body, []byte(file)) {
			t.Errorf("the page does not load %s", file)
		}
		s.want(s.as("").get("/"+file), http.StatusOK)
	}
	if got := page.header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; script-src 'self'") {
		t.Errorf("Content-Security-Policy %q", got)
	}
}

// TestPlainHTTPInABrowser says in words for people that the pages need HTTPS, also behind a
// proxy that was called without.
func TestPlainHTTPInABrowser(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, func(c *config.Config) { c.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	for _, test := range []struct{ from, scheme, path, accept, want string }{
		{"192.0.2.1:1", "", "/", "text/html,*/*", "Open this address with https://"},
		{"192.0.2.1:1", "", "/v/VEC-IC-2026A", "text/html,*/*", "Open this address with https://"},
		{"10.0.0.1:1", "http", "/nothing", "text/html,*/*", "Open this address with https://"},
		{"192.0.2.1:1", "", "/", "*/*", `{"message":"Requests over HTTP are rejected; use HTTPS.`},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, test.path, nil)
		r.RemoteAddr = test.from
		r.Header.Set("Accept", test.accept)
		if test.scheme != "" {
			r.Header.Set("X-Forwarded-Proto", test.scheme)
		}
		w := httptest.NewRecorder()
		s.agent.PublicHandler().ServeHTTP(w, r)
		if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), test.want) {
			t.Errorf("%+v: %d %s", test, w.Code, w.Body)
		}
	}
}
