package webhooks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/webhooks"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// site is a store with an institution, and endpoints that answer inside the
// process.
type site struct {
	*testing.T
	path   string
	store  *bolt.Store
	random *rand.ChaCha8
	drawn  int

	mu      sync.Mutex
	answers map[string]http.HandlerFunc // by host
	results map[string]int              // how attempts ended, as was told
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, path: filepath.Join(t.TempDir(), "vault.db"), random: rand.NewChaCha8([32]byte{3}), answers: map[string]http.HandlerFunc{}, results: map[string]int{}}
	s.open()
	t.Cleanup(func() { s.check(s.store.Close()) })
	_, err := s.store.AddInstitution(t.Context(), vault.Institution{Name: "University", TimeZone: "UTC"})
	s.check(err)
	return s
}

func (s *site) open() {
	s.Helper()
	opened, err := bolt.Open(s.path, time.Second)
	s.check(err)
	s.store = opened
}

func (s *site) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// endpoint makes one that wants creations, at a host of its own.
func (s *site) endpoint(host string, answer http.HandlerFunc) webhook.Endpoint {
	s.Helper()
	s.mu.Lock()
	s.answers[host] = answer
	s.mu.Unlock()
	id, err := vault.NewUUID(s.random, time.Now())
	s.check(err)
	address := "http://" + host + "/hook"
	e, err := webhook.New(id, webhook.Subscriber{Institution: 1}, webhook.Update{URL: &address, Events: []vault.EventType{vault.EventCreated}},
		webhook.EncryptedSecret(secret), time.Now())
	s.check(err)
	s.check(s.store.AddEndpoint(s.Context(), e))
	return e
}

// happen creates n certificates.
func (s *site) happen(n int) {
	s.Helper()
	rows := make([]store.NewCertificate, n)
	for i := range rows {
		s.drawn++
		id, err := vault.NewIdentity(s.random, time.Now(), 2026)
		s.check(err)
		c, fx := vault.Accept(vault.Draft{Content: vault.Content{Title: "Diploma", Name: "Ada", Email: fmt.Sprintf("a%d@example.com", s.drawn),
			IssueDate: "2026-05-02"}, Trigger: vault.BulkUpload, File: vault.File{SHA256: fmt.Sprintf("%064x", s.drawn)}}, 1, id, time.Now())
		rows[i] = store.NewCertificate{Certificate: c, Effects: fx}
	}
	_, err := s.store.Insert(s.Context(), rows)
	s.check(err)
}

// sender makes one that dials the site's endpoints.
func (s *site) sender() *webhooks.Dispatcher { return s.senderOf("sender", s.store) }

func (s *site) senderOf(owner string, queue webhooks.OutboundStore) *webhooks.Dispatcher {
	return webhooks.NewDispatcher(queue, webhooks.DispatcherOptions{
		Owner:   owner,
		Client:  ssrf.New(ssrf.Policy{AllowPrivate: true, MaxIdle: webhooks.IdleConnections, Dial: s.dial, Resolver: loopback{}}),
		Secrets: plainSecrets{}, Metrics: s,
		UserAgent: "vecctl-test", Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
}

// CountDelivery implements webhooks.Metrics.
func (s *site) CountDelivery(result string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results[result]++
}

// plainSecrets opens secrets that are not encrypted.
type plainSecrets struct{}

func (plainSecrets) Open(_ string, sealed []byte) (string, error) { return string(sealed), nil }

// run has a new sender work until the function that it returns is called.
func (s *site) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	sender := s.sender()
	go func() { ended <- sender.Run(ctx) }()
	return func() {
		cancel()
		s.check(<-ended)
	}
}

// endpointNow reads an endpoint.
func (s *site) endpointNow(id string) webhook.Endpoint {
	s.Helper()
	all, err := s.store.Endpoints(s.Context(), 1)
	s.check(err)
	for _, e := range all {
		if e.ID == id {
			return e
		}
	}
	s.Fatal("the endpoint is gone")
	return webhook.Endpoint{}
}

func (s *site) deliveries(f webhook.Filter) []webhook.Delivery {
	s.Helper()
	f.Institution = 1
	all, err := s.store.Deliveries(s.Context(), f, 10_000)
	s.check(err)
	return all
}

// dial answers a connection as the endpoint of the address does: one request, then
// the next, until either side closes.
func (s *site) dial(_ context.Context, _, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	answer, ok := s.answers[host]
	s.mu.Unlock()
	if !ok {
		return nil, errors.New("connection refused")
	}
	here, there := net.Pipe()
	l := &once{conn: there, closed: make(chan struct{})}
	server := &http.Server{Handler: answer, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	server.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed || state == http.StateHijacked {
			l.Close()
		}
	}
	go server.Serve(l)
	return here, nil
}

// once is a listener of one connection.
type once struct {
	mu     sync.Mutex
	conn   net.Conn
	end    sync.Once
	closed chan struct{}
}

func (l *once) Accept() (net.Conn, error) {
	l.mu.Lock()
	conn := l.conn
	l.conn = nil
	l.mu.Unlock()
	if conn != nil {
		return conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *once) Close() error   { l.end.Do(func() { close(l.closed) }); return nil }
func (l *once) Addr() net.Addr { return &net.TCPAddr{} }

// seen is what an endpoint has seen.
type seen struct {
	mu       sync.Mutex
	requests []request
}

type request struct {
	at     time.Time
	header http.Header
	body   string
}

// answer notes every request and answers with the function's status.
func (s *seen) answer(status func(n int) int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.requests = append(s.requests, request{time.Now(), r.Header, string(body)})
		n := len(s.requests)
		s.mu.Unlock()
		w.WriteHeader(status(n))
	}
}

func (s *seen) all() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]request(nil), s.requests...)
}

func always(status int) func(int) int { return func(int) int { return status } }

// uuids are the certificates that requests told of, each once.
func uuids(t *testing.T, all []request) map[string]int {
	t.Helper()
	found := map[string]int{}
	for _, r := range all {
		var p struct{ UUID string }
		if err := json.Unmarshal([]byte(r.body), &p); err != nil {
			t.Fatal(err)
		}
		found[p.UUID]++
	}
	return found
}
