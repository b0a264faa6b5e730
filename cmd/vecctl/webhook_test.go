package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// hookReceiver is another program's endpoint.
type hookReceiver struct {
	*httptest.Server
	mu     sync.Mutex
	secret string
	told   map[string]int // by event and certificate
	seen   []webhook.Payload
	status func(n int) int
	bad    []string
}

func newHookReceiver(t testing.TB) *hookReceiver {
	r := &hookReceiver{told: map[string]int{}, status: func(int) int { return http.StatusNoContent }}
	r.Server = httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(r.Close)
	return r
}

func (r *hookReceiver) take(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return // the agent was killed meanwhile
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := (webhook.Verifier{Secrets: []string{r.secret}}).Verify(q.Header, body); err != nil {
		r.bad = append(r.bad, fmt.Sprint(err, string(body)))
	}
	p, err := webhook.Parse(body)
	if err != nil {
		r.bad = append(r.bad, fmt.Sprint(err, string(body)))
	}
	status := r.status(len(r.seen) + 1)
	if r.seen = append(r.seen, p); status < 300 {
		r.told[strings.TrimPrefix(p.Event, "certificate_application.")+" "+p.UUID]++
	}
	w.WriteHeader(status)
}

// tell returns what was told so far.
func (r *hookReceiver) tell() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.told)
}

// contexts counts what was told by event and trigger.
func (r *hookReceiver) contexts() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := map[string]int{}
	for _, p := range r.seen {
		counts[strings.TrimPrefix(p.Event, "certificate_application.")+" "+p.TriggerContext]++
	}
	return counts
}

// subscribe makes the receiver an endpoint of the site's home, for all events.
func (r *hookReceiver) subscribe(s *site) adminclient.Webhook {
	s.t.Helper()
	s.env = append(s.env, "VECCTL_WEBHOOK_ALLOW_PRIVATE=1")
	var made adminclient.Webhook
	must(s.t, json.Unmarshal([]byte(s.done("webhook", "create", r.URL, "--event", "all", "--json").stdout), &made))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secret = made.Secret
	return made
}

func (r *hookReceiver) check(t testing.TB) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.bad {
		t.Error(one)
	}
}

// Whichever way a certificate comes in or is worked on, the same events go out, each
// with its way.
func TestWebhooksOfEveryPath(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := newHookReceiver(t)
	made := r.subscribe(s)
	drop := filepath.Join(s.dir, "drop")
	must(t, os.MkdirAll(drop, 0o755))
	d := s.daemon("--drop", drop, "--settle", "100ms")
	s.bulk(0, s.batch(2))
	s.file("single.pdf", smallPDF("single", 0))
	s.done("upload", filepath.Join(s.docs, "single.pdf"), "--title", "Single", "--name", "Ada", "--email", "ada@example.org")
	must(t, os.WriteFile(filepath.Join(drop, "x.pdf"), smallPDF("dropped", 0), 0o644))
	must(t, os.WriteFile(filepath.Join(drop, "m.csv"), []byte("title,name,email,file\nDropped,Bo,bo@example.org,x.pdf\n"), 0o644))
	s.file("locked.pdf", []byte("%PDF-1.4\nnothing in it\n"))
	failed := s.run("upload", filepath.Join(s.docs, "locked.pdf"), "--title", "Broken", "--name", "Cy", "--email", "cy@example.org")
	until(t, time.Minute, "retried certificate", func() bool { return s.run("retry", "--all-failed").code == 0 && r.contexts()["retried retry"] > 0 })
	want := map[string]int{
		"created bulk_upload": 2, "approved bulk_upload": 2, "created single_upload": 2, "approved single_upload": 1,
		"created drop_folder": 1, "approved drop_folder": 1,
	}
	until(t, time.Minute, "webhook of every path", func() bool {
		got := r.contexts()
		for what, n := range want {
			if got[what] < n {
				return false
			}
		}
		return got["failed single_upload"] >= 2 && got["retried retry"] >= 1
	})
	for what, n := range r.contexts() {
		if n != want[what] && !strings.HasPrefix(what, "failed ") && !strings.HasPrefix(what, "retried ") {
			t.Errorf("%d times %s, want %d (the broken one: %v)", n, what, want[what], failed)
		}
	}
	r.check(t)
	s.want(0, "webhook", "test", made.ID).says(t, "success", "204")
	var all []adminclient.WebhookDelivery
	must(t, json.Unmarshal([]byte(s.done("webhook", "deliveries", "-o", "json", "--limit", "1").stdout), &all))
	if len(all) != 1 || all[0].Event != "webhook.test" || all[0].Attempts[0].Status != http.StatusNoContent {
		t.Errorf("%+v", all)
	}
	log := d.stderr.String()
	d.end()
	if strings.Contains(log, made.Secret) || strings.Contains(log, "ada@example.org") {
		t.Error("the log tells a secret or an address")
	}
}

// TestWebhooksOfAKilledAgent kills the agent at random moments while it issues and
// delivers: every event must arrive at least once.
func TestWebhooksOfAKilledAgent(t *testing.T) {
	t.Parallel()
	rows, kills := 60, 6
	if long() {
		rows, kills = 500, 60
	}
	random := rand.New(rand.NewPCG(20260604, 0))
	s := newSite(t)
	r := newHookReceiver(t)
	r.subscribe(s)
	manifest := s.batch(rows)
	for range kills {
		d := s.daemon()
		run := s.command("bulk", manifest, "--out", s.out)
		started := s.start(run)
		time.Sleep(time.Duration(random.Int64N(int64(600 * time.Millisecond)))) // when to kill, whatever it is doing
		must(t, d.cmd.Process.Kill())
		_ = d.cmd.Wait()
		s.finish(run, started)
	}
	d := s.daemon()
	s.bulk(0, manifest)
	all := s.all()
	until(t, 2*time.Minute, "delivery of every event", func() bool {
		told := r.tell()
		for _, c := range all {
			if told["created "+c.UUID] == 0 || told["approved "+c.UUID] == 0 {
				return false
			}
		}
		return len(all) == rows
	})
	d.end()
	r.check(t)
	for what := range r.tell() {
		if name, _, _ := strings.Cut(what, " "); name != "created" && name != "approved" {
			t.Errorf("told %s", what)
		}
	}
	var hooks []adminclient.Webhook
	must(t, json.Unmarshal([]byte(s.done("webhook", "list", "-o", "json").stdout), &hooks))
	if hooks[0].ConsecutiveFailures != 0 || hooks[0].LastDeliveryStatus != "success" {
		t.Errorf("%+v", hooks[0])
	}
}

// One home tells another, which listens: the events arrive there once each, also those
// that come again after a restart.
func TestListen(t *testing.T) {
	t.Parallel()
	from, to := newSite(t), newSite(t)
	from.env = append(from.env, "VECCTL_WEBHOOK_ALLOW_PRIVATE=1")
	from.want(2, "listen").says(t, "--secret")
	from.want(2, "listen", "--secret-file", filepath.Join(from.dir, "none")).says(t, "cannot be read")
	from.want(2, "listen", "--secret-file", from.file("empty", []byte("\n"))).says(t, "is empty")
	from.want(2, "listen", "--secret", "x", "--forward", "nowhere").says(t, "--forward")
	first := to.listens("not known yet")
	var made adminclient.Webhook
	must(t, json.Unmarshal([]byte(from.done("webhook", "create", first.public, "--event", "all", "--json").stdout), &made))
	from.want(1, "webhook", "test", made.ID).says(t, "401")
	first.end()
	forward := newHookReceiver(t)
	forward.secret = made.Secret
	second := to.listens(made.Secret, "--forward", forward.URL, "--exec", "cat >> "+filepath.Join(to.dir, "seen"))
	from.done("webhook", "update", made.ID, "--url", second.public)
	from.want(0, "webhook", "test", made.ID).says(t, "success", "204")
	d := from.daemon()
	from.bulk(0, from.batch(3))
	received := func() []adminclient.ReceivedEvent {
		var all []adminclient.ReceivedEvent
		must(t, json.Unmarshal([]byte(to.done("events", "-o", "json").stdout), &all))
		return all
	}
	until(t, time.Minute, "event of every certificate", func() bool { return len(received()) == 7 })
	until(t, time.Minute, "end of all tasks", func() bool {
		for _, e := range received() {
			for _, task := range e.Tasks {
				if task.Status != "success" {
					return false
				}
			}
		}
		return true
	})
	if body, err := os.ReadFile(filepath.Join(to.dir, "seen")); err != nil || strings.Count(string(body), `"event":`) != 7 {
		t.Errorf("%v: %s", err, body)
	}
	if n := len(forward.tell()); n != 7 {
		t.Errorf("%d were sent on", n)
	}
	forward.check(t)
	second.end()
	third := to.ready("listen", "--listen", "127.0.0.1:0", "--secret-file", to.file("secrets", []byte("another\n"+made.Secret+"\n")))
	from.done("webhook", "update", made.ID, "--url", third.public)
	var sent []adminclient.WebhookDelivery
	must(t, json.Unmarshal([]byte(from.done("webhook", "deliveries", "-o", "json").stdout), &sent))
	for _, one := range sent {
		if one.Event != "webhook.test" {
			from.done("webhook", "redeliver", one.ID)
		}
	}
	until(t, time.Minute, "second attempt of all", func() bool {
		must(t, json.Unmarshal([]byte(from.done("webhook", "deliveries", "-o", "json", "--status", "success").stdout), &sent))
		n := 0
		for _, one := range sent {
			if len(one.Attempts) == 2 {
				n++
			}
		}
		return n == 6
	})
	if n := len(received()); n != 7 {
		t.Errorf("%d events after all came again", n)
	}
	to.want(11, "listen", "--secret", "x", "--listen", "127.0.0.1:0").says(t, "/webhooks/vec")
	third.end()
	d.end()
}

// listens starts a receiver and waits until it is ready.
func (s *site) listens(secret string, more ...string) *daemon {
	s.t.Helper()
	return s.ready(append([]string{"listen", "--listen", "127.0.0.1:0", "--secret", secret}, more...)...)
}

// The agent receives too. What it has said yes to is kept, even if it is killed at
// once, and is not done twice.
func TestTheAgentReceives(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	out := filepath.Join(s.dir, "seen")
	s.env = append(s.env, "VECCTL_RECEIVER_SECRET=first,second", "VECCTL_RECEIVER_EXEC=echo $VEC_UUID >> "+out)
	send := func(d *daemon, n int, secret string) int {
		t.Helper()
		body := fmt.Sprintf(`{"event":"certificate_application.approved","uuid":"u%d"}`, n)
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.public+"/webhooks/vec", strings.NewReader(body))
		must(t, err)
		q.Header.Set(webhook.HeaderSignature, webhook.Sign(secret, []byte(body)))
		resp, err := http.DefaultClient.Do(q)
		must(t, err)
		resp.Body.Close()
		return resp.StatusCode
	}
	const events = 12
	for n := range events {
		d := s.daemon()
		if got := send(d, n, "none"); got != http.StatusUnauthorized {
			t.Errorf("a forgery was answered %d", got)
		}
		for again := range n + 1 {
			if got := send(d, again, []string{"first", "second"}[n%2]); got != http.StatusNoContent {
				t.Errorf("answered %d", got)
			}
		}
		must(t, d.cmd.Process.Kill())
		_ = d.cmd.Wait()
	}
	d := s.daemon()
	var all []adminclient.ReceivedEvent
	until(t, time.Minute, "end of all tasks", func() bool {
		must(t, json.Unmarshal([]byte(s.done("events", "-o", "json").stdout), &all))
		for _, e := range all {
			for _, task := range e.Tasks {
				if task.Status != "success" {
					return false
				}
			}
		}
		return len(all) > 0
	})
	if len(all) != events {
		t.Errorf("%d events, want %d", len(all), events)
	}
	seen, err := os.ReadFile(out)
	must(t, err)
	for n := range events {
		// A command that was under way when the agent was killed is run again, so more
		// than once is no fault; a second event for it would have been seen above.
		if !strings.Contains(string(seen), fmt.Sprintf("u%d\n", n)) {
			t.Errorf("event %d was not worked on", n)
		}
	}
	if got, body := d.get("/webhooks/vec"); got != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d %s", got, body)
	}
	d.end()
}

// What a home sent to a remote vault it keeps track of by what that vault tells it.
func TestWebhooksOfARemoteVault(t *testing.T) {
	t.Parallel()
	there, here := newSite(t), newSite(t)
	there.env = append(there.env, "VECCTL_WEBHOOK_ALLOW_PRIVATE=1")
	vault := there.daemon()
	token := there.newToken()
	manifest := here.batch(4)
	here.done("bulk", manifest, "--api", vault.public, "--token", token, "--no-wait")
	states := func() map[string]int {
		var all []struct{ Status string }
		must(t, json.Unmarshal([]byte(here.done("remote", "-o", "json").stdout), &all))
		counts := map[string]int{}
		for _, one := range all {
			counts[one.Status]++
		}
		return counts
	}
	if got := states(); got["processing"]+got["approved"] != 4 {
		t.Fatalf("right after the batch: %v", got)
	}
	until(t, time.Minute, "end of the batch there", func() bool {
		for _, c := range there.all() {
			if c.Status.Value != "approved" {
				return false
			}
		}
		return true
	})
	// As the vault would tell it a minute later.
	const secret = "shared"
	listener := here.listens(secret)
	for i, c := range there.all() {
		event := "approved"
		if i == 0 {
			event = "failed"
		}
		body := fmt.Sprintf(`{"event":"certificate_application.%s","uuid":"%s","timestamp":"%s"}`,
			event, c.UUID, c.UpdatedAt.Add(time.Minute).UTC().Format(time.RFC3339))
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, listener.public, strings.NewReader(body))
		must(t, err)
		q.Header.Set(webhook.HeaderSignature, webhook.Sign(secret, []byte(body)))
		resp, err := http.DefaultClient.Do(q)
		must(t, err)
		resp.Body.Close()
	}
	until(t, time.Minute, "state of every certificate", func() bool { got := states(); return got["approved"] == 3 && got["failed"] == 1 })
	listener.end()
	vault.end()
}

// TestOptInEvents tells of a revocation and a correction where an endpoint asks for them by name, and
// nowhere else.
func TestOptInEvents(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	guide, asks := newHookReceiver(t), newHookReceiver(t)
	guide.subscribe(s)
	var made adminclient.Webhook
	must(t, json.Unmarshal([]byte(s.done("webhook", "create", asks.URL, "--event", "superseded", "--event", webhook.EventRevoked, "--json").stdout), &made))
	asks.secret = made.Secret
	s.daemon("--drop", t.TempDir())
	s.bulk(0, s.batch(2))
	all := s.all()
	s.done("revoke", all[0].UUID, "--reason", "issued in error", "--yes")
	s.done("reissue", all[1].UUID, "--name", "Another", "--yes")
	want := map[string]int{"revoked " + all[0].UUID: 1, "superseded " + all[1].UUID: 1}
	until(t, time.Minute, "both events", func() bool { return maps.Equal(asks.tell(), want) })
	until(t, time.Minute, "the guide's events", func() bool { return guide.contexts()["approved admin"] == 1 })
	for what := range guide.tell() {
		if strings.HasPrefix(what, "revoked") || strings.HasPrefix(what, "superseded") {
			t.Errorf("%s was told to an endpoint that did not ask for it", what)
		}
	}
	asks.check(t)
	guide.check(t)
}
