package webhooks_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecctl/vecctl/agent/webhooks"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
	vaultwebhook "github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// hang never answers.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // else the server does not notice when the client goes
	<-r.Context().Done()
}

type loopback struct{}

func (loopback) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

func TestADelivery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		var got seen
		e := s.endpoint("10.0.0.1", got.answer(always(http.StatusNoContent)))
		stop := s.run()
		defer stop()
		s.happen(1)
		time.Sleep(time.Minute)
		all := got.all()
		if len(all) != 1 {
			t.Fatalf("%d requests", len(all))
		}
		h, body := all[0].header, all[0].body
		d := s.deliveries(vaultwebhook.Filter{})[0]
		for name, want := range map[string]string{
			"Content-Type": "application/json", "X-Webhook-Signature": webhook.Sign(secret, []byte(body)),
			"X-Webhook-Event": "certificate_application.created", "X-Webhook-ID": e.ID,
			"X-Webhook-Timestamp": vaultwebhook.FormatTime(d.Timestamp), "webhook-id": d.UUID, "User-Agent": "vecctl-test",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %q, want %q", name, h.Get(name), want)
			}
		}
		if !strings.Contains(body, `"timestamp":"`+h.Get("X-Webhook-Timestamp")+`"`) {
			t.Error("the body has another timestamp than the header")
		}
		if err := (webhook.Verifier{Secrets: []string{secret}, Now: func() time.Time { return all[0].at }}).Verify(h, []byte(body)); err != nil {
			t.Error(err)
		}
		if d.State != vaultwebhook.Delivered || len(d.Attempts) != 1 || d.Attempts[0].Status != http.StatusNoContent {
			t.Errorf("%+v", d)
		}
	})
}

// A dead endpoint sees exactly four attempts, 30 s apart, also when the sender is
// stopped and started between them.
func TestADeadEndpoint(t *testing.T) {
	t.Parallel()
	for _, restarts := range []bool{false, true} {
		t.Run(fmt.Sprint(restarts), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				var got seen
				e := s.endpoint("10.0.0.1", got.answer(always(http.StatusInternalServerError)))
				s.happen(1)
				began := time.Now()
				stop := s.run()
				for range 20 {
					time.Sleep(17 * time.Second)
					if restarts {
						stop()
						s.check(s.store.Close())
						s.open()
						stop = s.run()
					}
				}
				stop()
				all := got.all()
				if len(all) != vaultwebhook.MaxAttempts {
					t.Fatalf("%d attempts", len(all))
				}
				for i, r := range all {
					if after := r.at.Sub(began); after < time.Duration(i)*vaultwebhook.RetryPause || after > time.Duration(i)*vaultwebhook.RetryPause+time.Second {
						t.Errorf("attempt %d came after %v", i+1, after)
					}
					if r.body != all[0].body || r.header.Get("X-Webhook-Signature") != all[0].header.Get("X-Webhook-Signature") {
						t.Errorf("attempt %d has other bytes", i+1)
					}
				}
				d := s.deliveries(vaultwebhook.Filter{})[0]
				if d.State != vaultwebhook.GivenUp || len(d.Attempts) != 4 || s.endpointNow(e.ID).Failures != 1 {
					t.Errorf("%+v", d)
				}
			})
		})
	}
}

// slowQueue is a store whose claims take a while to arrive.
type slowQueue struct {
	*bolt.Store
	delay time.Duration
}

func (q slowQueue) Claim(ctx context.Context, lane store.Lane, owner string, n int, now time.Time) ([]store.ClaimedJob, error) {
	claimed, err := q.Store.Claim(ctx, lane, owner, n, now)
	if len(claimed) > 0 {
		time.Sleep(q.delay)
	}
	return claimed, err
}

// Two dispatchers on one store never try the same delivery, and one that was in the hands
// of a dispatcher for longer than its lease is left to the other.
func TestTwoDispatchersShareAStore(t *testing.T) {
	t.Parallel()
	for _, delay := range []time.Duration{0, time.Second, 6 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t)
			var got seen
			e := s.endpoint("10.0.0.1", func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(500 * time.Millisecond)
				got.answer(always(http.StatusOK))(w, r)
			})
			s.happen(60)
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error, 2)
			for _, sender := range []*webhooks.Dispatcher{s.senderOf("one", slowQueue{s.store, delay}), s.senderOf("two", s.store)} {
				go func() { ended <- sender.Run(ctx) }()
			}
			time.Sleep(time.Hour)
			cancel()
			s.check(<-ended)
			s.check(<-ended)
			if n := len(got.all()); n != 60 || s.results["delivered"] != 60 {
				t.Errorf("60 deliveries were sent %d times, %v", n, s.results)
			}
			if d := s.deliveries(vaultwebhook.Filter{Endpoint: e.ID, State: vaultwebhook.Pending}); len(d) != 0 {
				t.Errorf("%d are left", len(d))
			}
		})
	}
}

// When an endpoint turns bad, what was claimed for it in advance is given back.
func TestAnEndpointThatTurnsBad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		var got seen
		e := s.endpoint("10.0.0.1", func(w http.ResponseWriter, r *http.Request) {
			got.answer(func(n int) int {
				if n <= 300 {
					return http.StatusOK
				}
				time.Sleep(10 * time.Second)
				return http.StatusInternalServerError
			})(w, r)
		})
		s.happen(1500)
		stop := s.run()
		time.Sleep(time.Minute)
		lane := store.Lane{Kind: vault.JobWebhook, Institution: 1, Endpoint: e.ID}
		free, err := s.store.Claim(t.Context(), lane, "another", 2000, time.Now())
		s.check(err)
		if tried, held := len(got.all()), 1500-len(got.all())-len(free); tried < 300 || held > 2*16 {
			t.Errorf("%d were tried, %d are free, %d are held", tried, len(free), held)
		}
		stop()
		time.Sleep(time.Minute) // servers notice that their clients have gone
	})
}

// lostSecrets cannot be opened until the channel is closed.
type lostSecrets chan struct{}

func (l lostSecrets) Open(_ string, sealed []byte) (string, error) {
	select {
	case <-l:
		return string(sealed), nil
	default:
		return "", errors.New("the key is not here")
	}
}

// A signing secret that cannot be read holds deliveries up, and nothing is claimed meanwhile.
func TestASecretThatCannotBeRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		var got seen
		e := s.endpoint("10.0.0.1", got.answer(always(http.StatusOK)))
		s.happen(3)
		sender := s.sender()
		readable := make(chan struct{})
		sender.Secrets = lostSecrets(readable)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- sender.Run(ctx) }()
		time.Sleep(time.Minute + time.Second)
		lane := store.Lane{Kind: vault.JobWebhook, Institution: 1, Endpoint: e.ID}
		if at, err := s.store.NextRun(t.Context(), lane); err != nil || at.After(time.Now()) {
			t.Errorf("what cannot be signed is due at %s, %v", at, err)
		}
		if n := len(got.all()); n != 0 {
			t.Errorf("%d were sent without a signature", n)
		}
		close(readable)
		time.Sleep(time.Minute)
		cancel()
		s.check(<-ended)
		if n := len(got.all()); n != 3 {
			t.Errorf("%d of 3 were sent once the secret could be read", n)
		}
	})
}

func TestARedirectIsNoSuccessAndIsNotFollowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		var elsewhere seen
		s.endpoint("10.0.0.2", elsewhere.answer(always(http.StatusOK)))
		s.endpoint("10.0.0.1", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://10.0.0.2/", http.StatusFound)
		})
		stop := s.run()
		s.happen(1)
		time.Sleep(5 * time.Minute)
		stop()
		if n := len(elsewhere.all()); n != 1 {
			t.Errorf("the redirect's target saw %d requests, want its own alone", n)
		}
		if s.results["failed"] != 1 || s.results["again"] != 3 || s.results["delivered"] != 1 {
			t.Errorf("told as %v, want one given up after three, and one delivered", s.results)
		}
		if failed := s.deliveries(vaultwebhook.Filter{State: vaultwebhook.GivenUp}); len(failed) != 1 || failed[0].Attempts[0].Status != http.StatusFound {
			t.Errorf("%+v", failed)
		}
	})
}

func TestAnswersAreKeptInPart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		long := strings.Repeat("x", 1<<20)
		s.endpoint("10.0.0.1", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, long)
		})
		s.happen(1)
		stop := s.run()
		time.Sleep(time.Second)
		stop()
		if a := s.deliveries(vaultwebhook.Filter{})[0].Attempts[0]; a.Status != http.StatusTeapot || string(a.Response) != long[:vaultwebhook.MaxResponseKept] {
			t.Errorf("status %d, %d bytes", a.Status, len(a.Response))
		}
	})
}

func TestRotationSignsTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		var got seen
		e := s.endpoint("10.0.0.1", got.answer(always(http.StatusOK)))
		const other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
		_, err := s.store.ChangeEndpoint(t.Context(), 1, e.ID, func(e vaultwebhook.Endpoint) (vaultwebhook.Endpoint, error) {
			return e.RotateSecret(vaultwebhook.EncryptedSecret(other), time.Now())
		})
		s.check(err)
		stop := s.run()
		defer stop()
		verifies := func(r request, with string) bool {
			return webhook.Verifier{Secrets: []string{with}, Now: func() time.Time { return r.at }}.Verify(r.header, []byte(r.body)) == nil
		}
		s.happen(1)
		time.Sleep(time.Minute)
		first := got.all()[0]
		if !verifies(first, other) || !verifies(first, secret) || first.header.Get("X-Webhook-Signature") != webhook.Sign(other, []byte(first.body)) {
			t.Error("the first hours: not both secrets verify, or the guide's signature is not the new one's")
		}
		time.Sleep(vaultwebhook.SecretOverlap)
		s.happen(1)
		time.Sleep(time.Minute)
		second := got.all()[1]
		if !verifies(second, other) || verifies(second, secret) {
			t.Error("a day later the old secret still signs, or the new one does not")
		}
	})
}

// Four endpoints that hang, reset, fail and drip do not delay a fifth.
func TestBadEndpointsDelayNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.endpoint("10.0.0.1", hang)
		s.endpoint("10.0.0.2", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		s.endpoint("10.0.0.3", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
		s.endpoint("10.0.0.4", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // else the server does not notice when the client goes
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte("x"))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(time.Second)
			}
		})
		var good seen
		healthy := s.endpoint("10.0.0.5", good.answer(always(http.StatusOK)))
		sender := s.sender()
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- sender.Run(ctx) }()
		var delays []time.Duration
		for i := range 60 {
			before := time.Now()
			s.happen(1)
			sender.Wake()
			time.Sleep(20 * time.Millisecond)
			for len(good.all()) <= i && time.Since(before) < 5*time.Second {
				time.Sleep(10 * time.Millisecond)
			}
			delays = append(delays, time.Since(before))
		}
		slices.Sort(delays)
		if worst := delays[len(delays)*99/100]; worst > time.Second {
			t.Errorf("the healthy endpoint's 99th percentile is %v", worst)
		}
		time.Sleep(10 * time.Minute)
		cancel()
		s.check(<-ended)
		all, err := s.store.Endpoints(t.Context(), 1)
		s.check(err)
		for _, e := range all {
			if e.ID == healthy.ID {
				if e.Failures != 0 || e.Suspended() {
					t.Errorf("the healthy one: %+v", e)
				}
			} else if !e.Suspended() || e.LastStatus != vaultwebhook.Failed {
				t.Errorf("a bad one is not suspended: %s %d", e.URL, e.Failures)
			}
		}
		time.Sleep(time.Minute) // servers notice that their clients have gone
	})
}

func TestADeletedEndpointIsToldNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		var got seen
		e := s.endpoint("10.0.0.1", got.answer(always(http.StatusInternalServerError)))
		s.happen(1)
		stop := s.run()
		defer stop()
		time.Sleep(time.Second)
		_, err := s.store.ChangeEndpoint(t.Context(), 1, e.ID, func(e vaultwebhook.Endpoint) (vaultwebhook.Endpoint, error) { return e.Delete(time.Now()) })
		s.check(err)
		time.Sleep(10 * time.Minute)
		if n := len(got.all()); n != 1 {
			t.Errorf("%d requests, want none after the end", n)
		}
	})
}

// What is under way when the end is asked for gets a second; then it counts as not
// tried.
func TestTheEndBreaksOffWithoutCounting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.endpoint("10.0.0.1", hang)
		s.happen(1)
		stop := s.run()
		time.Sleep(5 * time.Second)
		before := time.Now()
		stop()
		if took := time.Since(before); took != time.Second {
			t.Errorf("the end took %v", took)
		}
		if d := s.deliveries(vaultwebhook.Filter{})[0]; d.Tries != 0 || d.State != vaultwebhook.Pending {
			t.Errorf("%+v", d)
		}
		time.Sleep(time.Minute)
	})
}

// Many events reach an endpoint that fails now and then, each at least once.
func TestManyDeliveries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		var got seen
		e := s.endpoint("10.0.0.1", got.answer(func(n int) int {
			if n%7 == 0 {
				return http.StatusServiceUnavailable
			}
			return http.StatusOK
		}))
		stop := s.run()
		for range 5 {
			s.happen(100)
			time.Sleep(7 * time.Second)
		}
		time.Sleep(10 * time.Minute)
		stop()
		if n := len(uuids(t, got.all())); n != 500 {
			t.Errorf("%d of 500 arrived", n)
		}
		if left := s.deliveries(vaultwebhook.Filter{State: vaultwebhook.Pending}); len(left) != 0 {
			t.Errorf("%d wait", len(left))
		}
		if now := s.endpointNow(e.ID); now.LastStatus != vaultwebhook.Success {
			t.Errorf("%+v", now)
		}
	})
}
