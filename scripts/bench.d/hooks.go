package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/agent/events"
	"github.com/vecctl/vecctl/agent/webhooks"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
	vaultwebhook "github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/webhook"
)

const (
	hooksInFlight = webhooks.IdleConnections // attempts at once to one endpoint
	hooksRate     = 50                       // events a second
	hooksTime     = 20 * time.Second
)

// benchHooks measures deliveries against a bare HTTP client that sends the same
// bodies, and how long an event takes to a healthy endpoint beside four bad ones.
func benchHooks(s setup, t *table) error {
	var ours, peers []float64
	for run := range s.repeat {
		mine, bare, err := deliverAll(filepath.Join(s.dir, fmt.Sprintf("hooks-%d.db", run)), s.rows)
		if err != nil {
			return err
		}
		ours, peers = append(ours, mine), append(peers, bare)
	}
	// At least half the rate is at most twice the time.
	t.atMost(fmt.Sprintf("webhooks, %d deliveries", s.rows), ours, peers, 2, seconds)
	delays, err := besideBadOnes(filepath.Join(s.dir, "hooks-bad.db"))
	if err != nil {
		return err
	}
	t.below("webhooks, healthy beside four bad: median", once(delays[len(delays)/2]), 1, millis)
	t.below("webhooks, healthy beside four bad: 99th", once(delays[len(delays)*99/100]), 1, millis)
	if delays, err = receiveAll(filepath.Join(s.dir, "hooks-in.db"), min(s.rows, 2000)); err != nil {
		return err
	}
	t.below("webhooks, received and kept: 99th", once(delays[len(delays)*99/100]), 0.1, millis)
	return nil
}

// hookSite is a store with an institution, and a sender on it.
type hookSite struct {
	*bolt.Store
	made int
}

func newHookSite(path string) (*hookSite, error) {
	db, err := bolt.Open(path, time.Second)
	if err != nil {
		return nil, err
	}
	_, err = db.AddInstitution(context.Background(), vault.Institution{Name: "University", TimeZone: "UTC"})
	return &hookSite{Store: db}, err
}

func (h *hookSite) endpoint(address string) (vaultwebhook.Endpoint, error) {
	id, err := vault.NewUUID(rand.Reader, time.Now())
	if err != nil {
		return vaultwebhook.Endpoint{}, err
	}
	e, err := vaultwebhook.New(id, vaultwebhook.Subscriber{Institution: 1}, vaultwebhook.Update{URL: &address, Events: []vault.EventType{vault.EventCreated}},
		vaultwebhook.EncryptedSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), time.Now())
	if err != nil {
		return e, err
	}
	return e, h.AddEndpoint(context.Background(), e)
}

// happen creates n certificates and returns their UUIDs.
func (h *hookSite) happen(n int) ([]string, error) {
	rows, names := make([]store.NewCertificate, n), make([]string, n)
	for i := range rows {
		h.made++
		id, err := vault.NewIdentity(rand.Reader, time.Now(), 2026)
		if err != nil {
			return nil, err
		}
		c, fx := vault.Accept(vault.Draft{Content: vault.Content{Title: "Certificate of Achievement", Name: "Person", Email: fmt.Sprintf("p%d@example.org", h.made),
			IssueDate: "2026-06-01"}, Trigger: vault.BulkUpload, File: vault.File{SHA256: vault.HashSecret(fmt.Sprint(h.made))}}, 1, id, time.Now())
		rows[i], names[i] = store.NewCertificate{Certificate: c, Effects: fx}, c.UUID
	}
	_, err := h.Insert(context.Background(), rows)
	return names, err
}

func (h *hookSite) sender(ended func()) *webhooks.Dispatcher {
	return webhooks.NewDispatcher(h.Store, webhooks.DispatcherOptions{
		Client:    ssrf.New(ssrf.Policy{AllowPrivate: true, MaxIdle: webhooks.IdleConnections}),
		Secrets:   plainSecrets{},
		UserAgent: "vecctl-bench", Now: time.Now, Log: slog.New(slog.DiscardHandler), Metrics: attempted(ended),
	})
}

// plainSecrets opens secrets that are not encrypted.
type plainSecrets struct{}

func (plainSecrets) Open(_ string, sealed []byte) (string, error) { return string(sealed), nil }

// attempted is called after each delivery that was attempted; nil is not.
type attempted func()

// CountDelivery implements webhooks.Metrics.
func (f attempted) CountDelivery(string) {
	if f != nil {
		f()
	}
}

// deliverAll delivers n events, then sends the same bodies with a bare client, and
// returns how long each took, in seconds.
func deliverAll(path string, n int) (ours, bare float64, err error) {
	var got atomic.Int64
	address, stop, err := listenFor(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got.Add(1)
		w.WriteHeader(http.StatusNoContent)
	})
	if err != nil {
		return 0, 0, err
	}
	defer stop()
	h, err := newHookSite(path)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	e, err := h.endpoint(address)
	if err != nil {
		return 0, 0, err
	}
	for done := 0; done < n; done += 500 {
		if _, err := h.happen(min(500, n-done)); err != nil {
			return 0, 0, err
		}
	}
	bodies, err := h.bodies(e, n)
	if err != nil {
		return 0, 0, err
	}
	if ours, err = timed(func() error { return h.drain(e) }); err != nil {
		return 0, 0, err
	}
	if got.Load() != int64(n) {
		return 0, 0, fmt.Errorf("%d of %d deliveries arrived", got.Load(), n)
	}
	bare, err = timed(func() error { return sendBare(address, bodies) })
	return ours, bare, err
}

// drain delivers until every delivery is noted as done.
func (h *hookSite) drain(e vaultwebhook.Endpoint) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	noted := make(chan struct{}, 1)
	sender := h.sender(func() {
		select {
		case noted <- struct{}{}:
		default:
		}
	})
	ended := make(chan error, 1)
	go func() { ended <- sender.Run(ctx) }()
	for {
		next, err := h.NextRun(ctx, store.Lane{Kind: vault.JobWebhook, Institution: 1, Endpoint: e.ID})
		if err != nil {
			return err
		}
		if next.IsZero() {
			cancel()
			return <-ended
		}
		<-noted
	}
}

// bodies are what is to be delivered to an endpoint.
func (h *hookSite) bodies(e vaultwebhook.Endpoint, n int) (bodies [][]byte, err error) {
	all, err := h.Deliveries(context.Background(), vaultwebhook.Filter{Institution: 1, Endpoint: e.ID}, n)
	for _, d := range all {
		due, err := h.Delivery(context.Background(), 1, d.UUID)
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, due.Body)
	}
	return bodies, err
}

func sendBare(address string, all [][]byte) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: hooksInFlight}}
	defer client.CloseIdleConnections()
	bodies := make(chan []byte)
	var senders sync.WaitGroup
	var failed atomic.Pointer[error]
	for range hooksInFlight {
		senders.Go(func() {
			for body := range bodies {
				resp, err := client.Post(address, "application/json", bytes.NewReader(body))
				if err != nil {
					failed.Store(&err)
					continue
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	for _, body := range all {
		bodies <- body
	}
	close(bodies)
	senders.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// listenFor answers on a port of its own.
func listenFor(answer http.HandlerFunc) (address string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: answer, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	return "http://" + l.Addr().String() + "/", func() { _ = server.Close() }, nil
}

// badEndpoints never answer, reset, fail, and send one byte a second.
func badEndpoints() []http.HandlerFunc {
	return []http.HandlerFunc{
		func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte("x"))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(time.Second)
			}
		},
	}
}

// besideBadOnes has events happen at a rate, with four bad endpoints and a healthy one,
// and returns how long each took to the healthy one, in seconds, sorted.
func besideBadOnes(path string) ([]float64, error) {
	h, err := newHookSite(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	for _, bad := range badEndpoints() {
		address, stop, err := listenFor(bad)
		if err != nil {
			return nil, err
		}
		defer stop()
		if _, err := h.endpoint(address); err != nil {
			return nil, err
		}
	}
	var arrived sync.Map
	address, stop, err := listenFor(func(w http.ResponseWriter, r *http.Request) {
		var p struct{ UUID string }
		if json.NewDecoder(r.Body).Decode(&p) == nil {
			arrived.LoadOrStore(p.UUID, time.Now())
		}
		w.WriteHeader(http.StatusNoContent)
	})
	if err != nil {
		return nil, err
	}
	defer stop()
	if _, err := h.endpoint(address); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sender := h.sender(nil)
	ended := make(chan error, 1)
	go func() { ended <- sender.Run(ctx) }()
	happened, err := h.steadily(sender.Wake)
	if err != nil {
		return nil, err
	}
	time.Sleep(2 * time.Second) // for the last of them
	cancel()
	delays := make([]float64, 0, len(happened))
	for name, at := range happened {
		when, ok := arrived.Load(name)
		if !ok {
			return nil, fmt.Errorf("event %s did not arrive", name)
		}
		delays = append(delays, when.(time.Time).Sub(at).Seconds())
	}
	slices.Sort(delays)
	return delays, <-ended
}

// receiveAll has a receiver keep n events, some at once, and returns how long each
// answer took, in seconds, sorted.
func receiveAll(path string, n int) (delays []float64, err error) {
	h, err := newHookSite(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	receiver := webhooks.NewReceiver(h.Store, webhooks.ReceiverOptions{Secrets: []string{secret}, Events: &events.Bus{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	address, stop, err := listenFor(receiver.Handler().ServeHTTP)
	if err != nil {
		return nil, err
	}
	defer stop()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: hooksInFlight}}
	defer client.CloseIdleConnections()
	took := make([]float64, n)
	var senders errgroup.Group
	senders.SetLimit(hooksInFlight)
	for i := range n {
		senders.Go(func() (err error) {
			took[i], err = timed(func() error { return tell(client, address, secret, i) })
			return err
		})
	}
	if err := senders.Wait(); err != nil {
		return nil, err
	}
	slices.Sort(took)
	return took, nil
}

func tell(client *http.Client, address, secret string, n int) error {
	body := fmt.Appendf(nil, `{"event":"certificate_application.approved","delivery_id":"%d"}`, n)
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set(webhook.HeaderSignature, webhook.Sign(secret, body))
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusNoContent {
		err = fmt.Errorf("answered %d", resp.StatusCode)
	}
	return errors.Join(err, resp.Body.Close())
}

// steadily has events happen, and returns when each was committed.
func (h *hookSite) steadily(wake func()) (map[string]time.Time, error) {
	happened := map[string]time.Time{}
	tick := time.NewTicker(time.Second / hooksRate)
	defer tick.Stop()
	for range int(hooksTime.Seconds()) * hooksRate {
		<-tick.C
		before := time.Now() // the wait for the commit counts too
		names, err := h.happen(1)
		if err != nil {
			return nil, err
		}
		wake()
		happened[names[0]] = before
	}
	return happened, nil
}
