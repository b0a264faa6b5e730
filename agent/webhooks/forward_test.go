package webhooks_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/webhooks"
	vaultwebhook "github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// TestForwardedHeaders sends the headers of a delivery on with it, so that the next receiver
// believes it too, also hours later.
func TestForwardedHeaders(t *testing.T) {
	t.Parallel()
	arrived := make(chan http.Header, 9)
	next := webhook.Handler(webhook.Verifier{Secrets: []string{"old"}}, func(context.Context, webhook.Delivery) error { return nil })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- r.Header.Clone()
		next.ServeHTTP(w, r)
	}))
	defer server.Close()
	for _, age := range []time.Duration{0, 4 * time.Minute} {
		s := open(t, filepath.Join(t.TempDir(), "vault.db"))
		o := options()
		o.Forward, o.UserAgent = []string{server.URL}, "vecctl/1.2.3"
		r := webhooks.NewReceiver(s, o)
		sent := time.Now().Add(-age)
		in := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		for name, value := range map[string]string{
			"X-Webhook-Signature": webhook.Sign("old", []byte(body)), "X-Webhook-Event": "certificate_application.approved", "X-Webhook-ID": "endpoint",
			"X-Webhook-Timestamp": "2026-06-04T10:30:00Z", "x-webhook-custom": "kept", "webhook-id": "d1", "webhook-timestamp": strconv.FormatInt(sent.Unix(), 10),
			"webhook-signature": webhook.SignStandard("old", "d1", sent, []byte(body)), "webhook-custom": "kept",
			"Authorization": "Bearer secret", "Cookie": "secret", "X-Forwarded-For": "203.0.113.1",
		} {
			in.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		r.Handler().ServeHTTP(w, in)
		if w.Code != http.StatusNoContent {
			t.Fatalf("answered %d", w.Code)
		}
		stop := run(t, r)
		e := settled(t, s)
		stop()
		if e.Tasks[0].State != vaultwebhook.Delivered {
			t.Errorf("%v: the next receiver: %+v", age, e.Tasks[0])
		}
		got := <-arrived
		for name, values := range in.Header {
			isWebhook := strings.HasPrefix(name, "X-Webhook-") || strings.HasPrefix(name, "Webhook-")
			renewed := age > 0 && (name == webhook.HeaderStandardTimestamp || name == webhook.HeaderStandardSignature)
			if isWebhook && !renewed && got.Get(name) != values[0] {
				t.Errorf("%v: %s is %q, was %q", age, name, got.Get(name), values[0])
			}
			if !isWebhook && got.Get(name) != "" {
				t.Errorf("%v: %s was sent on", age, name)
			}
		}
		if got.Get("User-Agent") != "vecctl/1.2.3" || got.Get("Content-Type") != "application/json" {
			t.Errorf("%v: %v", age, got)
		}
	}
}

// TestLongValues runs a command for an event whose fields no environment can hold. It has
// them on standard input, and the names of those that it lacks.
func TestLongValues(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 16_000)
	var many strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&many, `"field_%d":"%d",`, i, i)
	}
	for name, test := range map[string]struct {
		body, environ, omitted string
	}{
		"one long value": {`{"event":"e","uuid":"u","details":"` + strings.Repeat("x", 300_000) + `"}`, "", "VEC_DETAILS"},
		"many values":    {`{` + many.String() + `"event":"e","uuid":"u"}`, "", " ..."},
		"an environment that is full": {`{"event":"e","uuid":"u","a":"` + long + `","b":"` + long + `","c":"` + long + `"}`,
			strings.Repeat("x", 120_500), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, filepath.Join(dir, "vault.db"))
			o := options()
			o.CommandTime = time.Minute
			o.Environ = func() []string {
				env := []string{"OUT=" + filepath.Join(dir, "out"), "PATH=" + os.Getenv("PATH")}
				for i := range 17 {
					if test.environ != "" {
						env = append(env, fmt.Sprintf("FILLER%d=%s", i, test.environ))
					}
				}
				return env
			}
			o.Command = `{ echo "$VEC_EVENT $VEC_UUID"; echo "$VEC_OMITTED"; cat; } > "$OUT"`
			r := webhooks.NewReceiver(s, o)
			defer run(t, r)()
			if status := post(r.Handler(), test.body, "new"); status != http.StatusNoContent {
				t.Fatal(status)
			}
			e := settled(t, s)
			raw, err := os.ReadFile(filepath.Join(dir, "out"))
			if err != nil || e.Tasks[0].State != vaultwebhook.Delivered {
				t.Fatalf("%v, %.200s", err, e.Tasks[0].Error)
			}
			lines := strings.SplitN(string(raw), "\n", 3)
			if test.environ == "" && lines[0] != "e u" || !strings.HasSuffix(lines[1], test.omitted) || lines[2] != test.body {
				t.Errorf("%.100q, left out %.100q, %d bytes on standard input", lines[0], lines[1], len(lines[2]))
			}
		})
	}
}

// TestForwardingInTheOpen sends no event to a public address over plain HTTP, nor to one that
// serves machines alone, and does not say where a secret may stand.
func TestForwardingInTheOpen(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"http://93.184.215.14/hook?key=secret": "public address: use https", "http://169.254.169.254/latest": "link-local", "ftp://127.0.0.1/": "only https",
	} {
		s := open(t, filepath.Join(t.TempDir(), "vault.db"))
		o := options()
		o.Forward = []string{address}
		r := webhooks.NewReceiver(s, o)
		stop := run(t, r)
		post(r.Handler(), body, "new")
		task := tried(t, s)
		stop()
		if task.State == vaultwebhook.Delivered || !strings.Contains(task.Error, want) || strings.Contains(task.Error, "secret") {
			t.Errorf("%s: %+v", address, task)
		}
	}
}
