package health_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/pkg/store"
)

// source is a vault with made-up numbers.
type source struct {
	events map[string]int
	broken error
}

func (s *source) CertificatesByState(context.Context) (map[string]int, error) {
	return map[string]int{"approved": 7, "failed": 1}, s.broken
}

func (s *source) QueueLengths(context.Context) (map[string]health.Queue, error) {
	return map[string]health.Queue{"process": {Waiting: 3, Later: 2}, "notify": {Waiting: 1, Later: 4}}, nil
}

func (s *source) BatchCounts(context.Context) (map[string]int, error) {
	return map[string]int{"done": 4}, nil
}

func (s *source) EventsSince(_ context.Context, seq uint64) (map[string]int, uint64, error) {
	return s.events, seq + 1, nil
}

func (s *source) Backlog(context.Context) (store.Backlog, error) {
	return store.Backlog{Waiting: 6, Oldest: time.Unix(1_700_000_000, 0)}, s.broken
}

func (s *source) ApplicationsWaiting(context.Context) (int, error) { return 9, s.broken }

func (s *source) CorrectionsWaiting(context.Context) (int, error) { return 2, s.broken }

func (s *source) DiskFree() (uint64, error) { return 4096, nil }
func (s *source) KeyExpiry() time.Time      { return time.Unix(2000000000, 0) }
func (s *source) DatabaseSize() int64       { return 32768 }

func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(body)
}

func TestReadyOnlyWhileItRunsAndNothingBlocks(t *testing.T) {
	h := health.New(&source{}, health.Build{})
	want := func(status int, words string) {
		t.Helper()
		if code, body := get(t, h, "/livez"); code != http.StatusOK || body != "ok\n" {
			t.Errorf("/livez: %d %q", code, body)
		}
		code, body := get(t, h, "/readyz")
		if code != status || !strings.Contains(body, words) || !json.Valid([]byte(body)) {
			t.Errorf("/readyz: %d %q, want %d and %q", code, body, status, words)
		}
	}
	want(http.StatusServiceUnavailable, `"ready":false,"problems":[]`)
	h.SetRunning(true)
	want(http.StatusOK, `"ready":true`)
	if !h.Raise(health.Problem{Name: "drop", Message: "the drop folder is gone"}) {
		t.Error("a new problem is no news")
	}
	want(http.StatusOK, "the drop folder is gone")
	h.Raise(health.Problem{Name: "disk", Message: "the disk is full", Blocking: true})
	if h.Raise(health.Problem{Name: "disk", Message: "the disk is still full", Blocking: true}) {
		t.Error("a known problem is news")
	}
	want(http.StatusServiceUnavailable, "the disk is still full")
	if !h.Clear("disk") || h.Clear("disk") {
		t.Error("a problem goes once")
	}
	want(http.StatusOK, "the drop folder is gone")
	h.SetRunning(false)
	want(http.StatusServiceUnavailable, `"ready":false`)
}

func TestMetrics(t *testing.T) {
	s := &source{events: map[string]int{"created": 2, "approved": 1, "retried": 1}}
	h := health.New(s, health.Build{Version: "1.2.3", Commit: "abc", Go: "go1"})
	h.SetRunning(true)
	h.CountAttempt("approved", 3*time.Millisecond)
	h.CountDelivery("delivered")
	h.CountMail("sent")
	h.CountMail("sent")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /business/certificate-vault/{name}", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
	})
	told := 0
	face := h.Instrument("api", mux, func(status int) { told = status })
	get(t, face, "/business/certificate-vault/VEC-IC-20260123456789ABC?search=anna@example.org")
	get(t, face, "/anna@example.org")
	if told != http.StatusNotFound {
		t.Errorf("the status %d was told", told)
	}
	_, first := get(t, h, "/metrics")
	_, body := get(t, h, "/metrics")
	for _, line := range []string{
		`vecctl_certificates{state="approved"} 7`,
		`vecctl_certificate_events_total{event="accepted"} 4`, // asked twice
		`vecctl_certificate_events_total{event="failed"} 0`,
		`vecctl_queue_jobs{due="now",kind="process"} 3`,
		`vecctl_queue_jobs{due="later",kind="process"} 2`,
		`vecctl_batches{state="done"} 4`,
		`vecctl_webhook_attempts_total{result="delivered"} 1`,
		`vecctl_webhook_attempts_total{result="failed"} 0`,
		`vecctl_webhook_deliveries_waiting 6`,
		`vecctl_webhook_oldest_waiting_timestamp_seconds 1.7e+09`,
		`vecctl_mail_attempts_total{result="sent"} 2`,
		`vecctl_mail_attempts_total{result="failed"} 0`,
		`vecctl_mails_waiting 5`,
		`vecctl_applications_waiting 9`,
		`vecctl_corrections_waiting 2`,
		`vecctl_disk_free_bytes 4096`, `vecctl_database_bytes 32768`, `vecctl_ready 1`,
		`vecctl_build_info{commit="abc",goversion="go1",version="1.2.3"} 1`,
		`vecctl_processing_seconds_count{result="approved"} 1`,
		`vecctl_http_requests_total{face="api",method="GET",route="/business/certificate-vault/{name}",status="404"} 1`,
		`vecctl_http_requests_total{face="api",method="GET",route="other",status="404"} 1`,
		`vecctl_http_request_seconds_count{face="api",method="GET",route="other"} 1`,
	} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("%s is missing", line)
		}
	}
	if !strings.Contains(first, `event="accepted"} 2`) {
		t.Error("what happened is not counted when it is asked for")
	}
	for _, personal := range []string{"anna", "VEC-IC"} {
		if strings.Contains(body, personal) {
			t.Errorf("the metrics name %s", personal)
		}
	}
}

func TestWhatCannotBeMeasuredKeepsNothingElseBack(t *testing.T) {
	h := health.New(&source{broken: errors.New("damaged")}, health.Build{})
	code, body := get(t, h, "/metrics")
	if code != http.StatusOK || !strings.Contains(body, "vecctl_disk_free_bytes 4096") {
		t.Errorf("%d: %s", code, body)
	}
}

func TestOnlyLocalClientsSeeIt(t *testing.T) {
	h := health.New(&source{}, health.Build{})
	others := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for _, test := range []struct {
		from, header, path string
		want               int
	}{
		{"127.0.0.1:5000", "", "/livez", http.StatusOK},
		{"[::1]:5000", "", "/livez", http.StatusOK},
		{"[::ffff:127.0.0.1]:5000", "", "/metrics", http.StatusOK},
		{"192.0.2.7:5000", "", "/livez", http.StatusTeapot},
		{"192.0.2.7:5000", "", "/metrics", http.StatusTeapot},
		{"127.0.0.1:5000", "X-Forwarded-For", "/metrics", http.StatusTeapot},
		{"127.0.0.1:5000", "Forwarded", "/metrics", http.StatusTeapot},
		{"127.0.0.1:5000", "", "/business/batches", http.StatusTeapot},
		{"", "", "/metrics", http.StatusTeapot},
	} {
		r := httptest.NewRequest(http.MethodGet, test.path, nil)
		r.RemoteAddr = test.from
		if test.header != "" {
			r.Header.Set(test.header, "for=192.0.2.7")
		}
		w := httptest.NewRecorder()
		h.LocalOnly(others).ServeHTTP(w, r)
		if w.Code != test.want {
			t.Errorf("%s of %q with %q: %d, want %d", test.path, test.from, test.header, w.Code, test.want)
		}
	}
}

// What wraps an answer must not take its abilities away.
func TestAMeasuredAnswerCanStillStream(t *testing.T) {
	h := health.New(&source{}, health.Build{})
	server := httptest.NewServer(h.Instrument("staff", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c := http.NewResponseController(w)
		if err := c.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
		_, _ = w.Write([]byte("one"))
		if err := c.Flush(); err != nil {
			t.Error(err)
		}
		if _, err := io.Copy(w, strings.NewReader("two")); err != nil {
			t.Error(err)
		}
	}), func(int) {}))
	defer server.Close()
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "onetwo" {
		t.Errorf("%q, %v", body, err)
	}
}
