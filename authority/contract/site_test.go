// Package contract holds the authority, on a real store and a real server, to its
// contract.
package contract

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/authority/api"
	"github.com/vecctl/vecctl/authority/service"
	"github.com/vecctl/vecctl/authority/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
)

// site is an authority with one store, my-store, and its domain mystore.com.
type site struct {
	*testing.T
	dir    string
	office *service.Service
	store  *bolt.Store
	server *httptest.Server
	key    string
	clock  *clock
	proofs *proofs
	events *mailbag
}

// clock stands still until it is moved.
type clock struct{ unix atomic.Int64 }

func (c *clock) now() time.Time           { return time.UnixMilli(c.unix.Load()) }
func (c *clock) set(t time.Time)          { c.unix.Store(t.UnixMilli()) }
func (c *clock) advance(by time.Duration) { c.unix.Add(by.Milliseconds()) }

// proofs says which domains can be proven.
type proofs struct {
	mu    sync.Mutex
	by    map[string]authority.Proof
	asked map[string]int
}

func (p *proofs) Validate(_ context.Context, d authority.Domain) (authority.Proof, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[d.Name]++
	return p.by[d.Name], "there is no TXT record"
}

func (p *proofs) set(domain string, by authority.Proof) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.by[domain] = by
}

func (p *proofs) times(domain string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[domain]
}

// mailbag gathers events; it refuses them as long as it is shut.
type mailbag struct {
	mu   sync.Mutex
	shut bool
	got  []authority.Event
}

func (m *mailbag) Send(_ context.Context, e authority.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shut {
		return io.ErrClosedPipe
	}
	m.got = append(m.got, e)
	return nil
}

func (m *mailbag) all() []authority.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]authority.Event(nil), m.got...)
}

var begun = time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC)

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, dir: t.TempDir(), clock: &clock{}, events: &mailbag{}, proofs: &proofs{by: map[string]authority.Proof{}, asked: map[string]int{}}}
	s.clock.set(begun)
	s.open()
	s.key = s.addStore("my-store")
	s.addDomain("mystore.com", "my-store")
	_, err := s.office.TrustDomain(t.Context(), "mystore.com")
	s.check(err)
	return s
}

// open starts the authority on the site's folder.
func (s *site) open() {
	s.Helper()
	var err error
	s.store, err = bolt.Open(filepath.Join(s.dir, "vault.db"), time.Second)
	s.check(err)
	rows, err := s.store.Rows(store.Tables()...)
	s.check(err)
	keys, err := service.OpenKeyring(filepath.Join(s.dir, "authority.json"), rand.Reader, time.Now)
	s.check(err)
	log := slog.New(slog.NewTextHandler(complaints{s}, &slog.HandlerOptions{Level: slog.LevelError}))
	s.office = service.New(service.Options{
		Store: store.New(rows, s.clock.now), Secrets: keys, Validator: s.proofs, Events: s.events, Now: s.clock.now, Random: rand.Reader, Log: log,
	})
	d := api.New(s.office, func() string { return "https://vec.example.edu" }, log)
	mux := http.NewServeMux()
	d.Routes().Register(mux)
	s.server = httptest.NewServer(mux)
	s.Cleanup(s.close)
}

func (s *site) close() {
	s.server.Close()
	_ = s.store.Close()
}

// restart is what a process that ends and starts again does.
func (s *site) restart() {
	s.Helper()
	s.close()
	s.open()
}

// complaints makes every error in the log fail the test.
type complaints struct{ *site }

func (c complaints) Write(p []byte) (int, error) {
	if !strings.Contains(string(p), "closed pipe") {
		c.Errorf("logged: %s", p)
	}
	return len(p), nil
}

func (s *site) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) addStore(slug string) (key string) {
	s.Helper()
	_, key, err := s.office.AddStore(s.Context(), slug, false)
	s.check(err)
	return key
}

func (s *site) addDomain(name, slug string) authority.Domain {
	s.Helper()
	d, err := s.office.AddDomain(s.Context(), name, slug)
	s.check(err)
	return d
}

// object is a JSON object.
type object map[string]any

func (o object) text(name string) string {
	v, _ := o[name].(string)
	return v
}

// with returns a copy with another value at a path such as snapshot.features.base.
func (o object) with(path string, value any) object {
	name, rest, deeper := strings.Cut(path, ".")
	changed := maps.Clone(o)
	if deeper {
		value = o[name].(object).with(rest, value)
	}
	changed[name] = value
	return changed
}

func (o object) without(path string) object {
	name, rest, deeper := strings.Cut(path, ".")
	changed := maps.Clone(o)
	if deeper {
		changed[name] = o[name].(object).without(rest)
	} else {
		delete(changed, name)
	}
	return changed
}

// snapshot is the contract's example with everything switched on.
func snapshot() object {
	return object{
		"sdk_version": "1.9.0", "qualified_badge": "VW-CERT-CUR", "timestamp": "2026-01-22T10:00:00Z",
		"features": object{"base": true, "reference_strict": true, "governance": true, "financial": true, "currency": true},
		"services": object{"transaction_verifier": true, "reference_governor": true, "financial_record_manager": true, "currency_normalizer": true},
		"config": object{"api_key_set": true, "store_slug_set": true, "reference_strict_mode": true, "reference_governance_enabled": true,
			"financial_reconciliation_enabled": true, "base_currency_set": true},
	}
}

func request(domain string) object {
	return object{"domain": domain, "project_name": "My Store", "store_slug": "my-store", "snapshot": snapshot()}
}

// answer is what a call came to.
type answer struct {
	status int
	header http.Header
	body   object
	raw    string
}

// caller is whose credentials a call bears.
type caller struct{ slug, key string }

func (s *site) own() caller { return caller{"my-store", s.key} }

// send makes a call; body may be bytes or a reader as they are.
func (s *site) send(who caller, method, path string, body any, headers ...string) answer {
	s.Helper()
	var sent io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		sent = bytes.NewReader(b)
	case io.Reader:
		sent = b
	default:
		raw, err := json.Marshal(b)
		s.check(err)
		sent = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(s.Context(), method, s.server.URL+"/api/certify/"+path, sent)
	s.check(err)
	req.Header.Set("Content-Type", "application/json")
	if who.slug != "" {
		req.Header.Set("X-VendWeave-Store", who.slug)
	}
	if who.key != "" {
		req.Header.Set("X-VendWeave-Key", who.key)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	s.check(err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	s.check(err)
	a := answer{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &a.body); err != nil {
			s.Errorf("%s %.100s answers %d %.200s", method, path, a.status, raw)
		}
	}
	return a
}

func (s *site) post(path string, body any) answer {
	s.Helper()
	return s.send(s.own(), http.MethodPost, path, body)
}

func (s *site) get(path string) answer {
	s.Helper()
	return s.send(s.own(), http.MethodGet, path, nil)
}

// is wants a status and, where the answer is an error, its code.
func (a answer) is(t testing.TB, status int, code string) answer {
	t.Helper()
	if a.status != status || a.body.text("error_code") != code || (code != "") != (a.body["error"] == true) {
		t.Errorf("want %d %s, got %d %s", status, code, a.status, a.raw)
	}
	return a
}

// certified makes a certification of mystore.com and returns its answer.
func (s *site) certified() answer {
	s.Helper()
	return s.post("request", request("mystore.com")).is(s, 201, "")
}

func (o object) names() string {
	return fmt.Sprint(sorted(maps.Keys(o)))
}

func (s *site) ledger() *store.Store {
	s.Helper()
	rows, err := s.store.Rows(store.Tables()...)
	s.check(err)
	return store.New(rows, s.clock.now)
}
