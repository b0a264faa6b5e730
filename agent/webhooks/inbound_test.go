package webhooks_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecctl/vecctl/agent/events"
	"github.com/vecctl/vecctl/agent/webhooks"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	vaultwebhook "github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/webhook"
)

const body = `{"event":"certificate_application.approved","webhook_id":"a1b2c3d4-e5f6-7890-abcd-ef1234567890",` +
	`"timestamp":"2026-06-04T10:30:00Z","application_id":42,"uuid":"9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15",` +
	`"certificate_title":"$(touch owned); \"x\"","applicant_email":"john@example.com","source":"vault","trigger_context":"bulk_upload"}`

func open(t *testing.T, path string) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // a test may have closed it
	return s
}

func options() webhooks.ReceiverOptions {
	return webhooks.ReceiverOptions{Secrets: []string{"old", "new"}, Events: &events.Bus{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
}

func post(h http.Handler, body, secret string) int {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/vec", strings.NewReader(body))
	r.Header.Set(webhook.HeaderSignature, webhook.Sign(secret, []byte(body)))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func journal(t *testing.T, s *bolt.Store) []vaultwebhook.InboundEvent {
	t.Helper()
	all, err := s.InboundEvents(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// run has a receiver work until the function that it returns is called.
func run(t *testing.T, r *webhooks.Receiver) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// An event that comes again has no second effect, not even after a restart.
func TestAnEventIsKeptOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	told := 0 // notices to staff
	o := options()
	o.Forward, o.Command = []string{"http://127.0.0.1:9/"}, "true"
	news := o.Events.Subscribe()
	for _, secret := range []string{"old", "new"} {
		s := open(t, path)
		h := webhooks.NewReceiver(s, o).Handler()
		var senders sync.WaitGroup
		var mu sync.Mutex
		for range 8 {
			senders.Go(func() {
				if status := post(h, body, secret); status != http.StatusNoContent {
					mu.Lock()
					defer mu.Unlock()
					t.Errorf("answered %d", status)
				}
			})
		}
		senders.Wait()
		if status := post(h, body, "none of them"); status != http.StatusUnauthorized {
			t.Errorf("a forgery was answered %d", status)
		}
		notices, _ := news.TakeNotices()
		told += len(notices)
		all := journal(t, s)
		if len(all) != 1 || len(all[0].Tasks) != 2 || string(all[0].Body) != body || told != 1 {
			t.Fatalf("%d events, told %d times", len(all), told)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWithoutSecretsNothingIsBelieved(t *testing.T) {
	t.Parallel()
	o := options()
	o.Secrets = nil
	h := webhooks.NewReceiver(open(t, filepath.Join(t.TempDir(), "vault.db")), o).Handler()
	if status := post(h, body, ""); status != http.StatusUnauthorized {
		t.Errorf("answered %d", status)
	}
}

func TestADamagedStoreIsNoSuccess(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "vault.db"))
	h := webhooks.NewReceiver(s, options()).Handler()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if status := post(h, body, "new"); status != http.StatusServiceUnavailable {
		t.Errorf("answered %d", status)
	}
}

func TestLongIdentities(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "vault.db"))
	h := webhooks.NewReceiver(s, options()).Handler()
	for range 2 {
		long := `{"event":"e","delivery_id":"` + strings.Repeat("x", 100_000) + `"}`
		if status := post(h, long, "new"); status != http.StatusNoContent {
			t.Errorf("answered %d", status)
		}
	}
	if n := len(journal(t, s)); n != 1 {
		t.Errorf("%d events", n)
	}
}

// remoteStatus is a RemoteStatus that fails as a test wants it.
type remoteStatus func() error

func (f remoteStatus) Update(context.Context, vaultwebhook.InboundEvent) error { return f() }

// A task that fails is tried again, later each time, and then given up; the others are
// not held up.
func TestTasksAreTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, filepath.Join(t.TempDir(), "vault.db"))
		began, tries := time.Now(), []time.Duration{}
		o := options()
		o.Remote = remoteStatus(func() error {
			tries = append(tries, time.Since(began))
			return errors.New("not now")
		})
		r := webhooks.NewReceiver(s, o)
		stop := run(t, r)
		if status := post(r.Handler(), body, "new"); status != http.StatusNoContent {
			t.Fatal(status)
		}
		time.Sleep(30 * time.Minute)
		stop()
		r = webhooks.NewReceiver(s, o) // a new process goes on where the old one was
		stop = run(t, r)
		time.Sleep(24 * time.Hour)
		stop()
		want := "[0s 1s 11s 1m11s 11m11s 1h11m11s]"
		if got := fmt.Sprint(tries); got != want {
			t.Errorf("tried after %s, want %s", got, want)
		}
		if task := journal(t, s)[0].Tasks[0]; task.State != vaultwebhook.GivenUp || task.Error != "not now" {
			t.Errorf("%+v", task)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// countedUpdates is a RemoteStatus that tells a test of each update.
type countedUpdates func(subject string)

func (c countedUpdates) Update(_ context.Context, e vaultwebhook.InboundEvent) error {
	c(e.Subject)
	return nil
}

// Two receivers on one store never do the same task.
func TestTwoReceiversShareAStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, filepath.Join(t.TempDir(), "vault.db"))
		var mu sync.Mutex
		done := map[string]int{}
		var stops []func()
		for _, owner := range []string{"one", "two"} {
			o := options()
			o.Owner = owner
			o.Remote = countedUpdates(func(subject string) {
				time.Sleep(time.Second)
				mu.Lock()
				defer mu.Unlock()
				done[subject]++
			})
			r := webhooks.NewReceiver(s, o)
			if len(stops) == 0 {
				for n := range 50 {
					one := strings.Replace(body, "9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15", fmt.Sprintf("9e7860f0-05d1-4fd0-b3e0-e98e19f1c%03d", n), 1)
					if status := post(r.Handler(), one, "new"); status != http.StatusNoContent {
						t.Fatal(status)
					}
				}
			}
			stops = append(stops, run(t, r))
		}
		time.Sleep(7 * time.Second) // four at a time each
		for _, stop := range stops {
			stop()
		}
		if len(done) != 50 {
			t.Errorf("%d of 50 tasks were done by two receivers", len(done))
		}
		for subject, n := range done {
			if n != 1 {
				t.Errorf("the task of %s was done %d times", subject, n)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// fullStore is a store that cannot keep the first results.
type fullStore struct {
	*bolt.Store
	left atomic.Int64
}

func (f *fullStore) Complete(ctx context.Context, results []store.JobResult) ([]error, error) {
	if f.left.Add(-1) >= 0 {
		return nil, errors.New("the disk is full")
	}
	return f.Store.Complete(ctx, results)
}

// A task that was done is not done again because its result could not be kept at once.
func TestAFullDiskRepeatsNoTask(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &fullStore{Store: open(t, filepath.Join(t.TempDir(), "vault.db"))}
		s.left.Store(5)
		var done atomic.Int64
		o := options()
		o.Remote = countedUpdates(func(string) { done.Add(1) })
		r := webhooks.NewReceiver(s, o)
		stop := run(t, r)
		post(r.Handler(), body, "new")
		time.Sleep(time.Hour)
		stop()
		if task := journal(t, s.Store)[0].Tasks[0]; done.Load() != 1 || task.State != vaultwebhook.Delivered {
			t.Errorf("it was done %d times, and is kept as %+v", done.Load(), task)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// awaited waits until the first event is as it is wanted.
func awaited(t *testing.T, s *bolt.Store, wanted func(vaultwebhook.InboundEvent) bool) vaultwebhook.InboundEvent {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		all := journal(t, s)
		if len(all) > 0 && wanted(all[0]) {
			return all[0]
		}
		if time.Now().After(deadline) {
			t.Fatalf("it did not come: %+v", all)
		}
	}
}

// settled waits until no task of the first event is pending.
func settled(t *testing.T, s *bolt.Store) vaultwebhook.InboundEvent {
	t.Helper()
	return awaited(t, s, func(e vaultwebhook.InboundEvent) bool {
		return !slices.ContainsFunc(e.Tasks, func(task vaultwebhook.InboundTask) bool { return task.State == vaultwebhook.Pending })
	})
}

func TestForward(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	var got, signature string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		read, _ := io.ReadAll(r.Body)
		got, signature = string(read), r.Header.Get(webhook.HeaderSignature)
	}))
	t.Cleanup(server.Close)
	s := open(t, filepath.Join(t.TempDir(), "vault.db"))
	o := options()
	o.Forward = []string{server.URL}
	r := webhooks.NewReceiver(s, o)
	defer run(t, r)()
	post(r.Handler(), body, "new")
	task := settled(t, s).Tasks[0]
	if task.State != vaultwebhook.Delivered || task.Attempts != 2 || got != body || signature != webhook.Sign("old", []byte(body)) {
		t.Errorf("%+v %q", task, got)
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "vault.db"))
	o := options()
	o.Environ = func() []string {
		return append(os.Environ(), "VECCTL_TOKEN=hidden", "VEC_STRAY=hidden", "OUT="+filepath.Join(dir, "out"))
	}
	o.Command = `{ env | grep '^VEC' | sort; cat; } > "$OUT"`
	r := webhooks.NewReceiver(s, o)
	defer run(t, r)()
	post(r.Handler(), body, "new")
	e := settled(t, s)
	out, err := os.ReadFile(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err, e.Tasks)
	}
	want := `VEC_APPLICANT_EMAIL=john@example.com
VEC_APPLICATION_ID=42
VEC_CERTIFICATE_TITLE=$(touch owned); "x"
VEC_EVENT=certificate_application.approved
VEC_IDENTITY=` + e.Identity + `
VEC_SOURCE=vault
VEC_TIMESTAMP=2026-06-04T10:30:00Z
VEC_TRIGGER_CONTEXT=bulk_upload
VEC_UUID=9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15
VEC_WEBHOOK_ID=a1b2c3d4-e5f6-7890-abcd-ef1234567890
` + body
	if string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

func TestCommandsThatFailOrHang(t *testing.T) {
	t.Parallel()
	for command, test := range map[string]struct {
		limit time.Duration
		want  string
	}{
		"echo no good >&2; exit 3": {time.Minute, "exit status 3: no good"}, // a busy machine takes its time to begin it
		"sleep 600 & sleep 600":    {200 * time.Millisecond, "longer than"},
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			s := open(t, filepath.Join(t.TempDir(), "vault.db"))
			o := options()
			o.Command, o.CommandTime, o.Environ = command, test.limit, os.Environ
			r := webhooks.NewReceiver(s, o)
			defer run(t, r)()
			post(r.Handler(), body, "new")
			if task := tried(t, s); !strings.Contains(task.Error, test.want) {
				t.Errorf("%+v", task)
			}
		})
	}
}

// A long text is cut between its letters.
func TestALongFailureIsCutBetweenRunes(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"yes ü | head -n 400 | tr -d '\\n' >&2; exit 3", "yes ü | head -n 400 | tr -d '\\n' >&2; echo x >&2; exit 3"} {
		s := open(t, filepath.Join(t.TempDir(), "vault.db"))
		o := options()
		o.Command, o.CommandTime, o.Environ = command, time.Minute, os.Environ
		r := webhooks.NewReceiver(s, o)
		stop := run(t, r)
		post(r.Handler(), body, "new")
		task := tried(t, s)
		stop()
		if text := strings.TrimPrefix(task.Error, "exit status 3: "); strings.Trim(text, "üx") != "" || len(text) < 200 {
			t.Errorf("%q", task.Error)
		}
	}
}

// What a command says before it fails is kept with its event, and not logged: it may
// well be the event, which names people.
func TestTheLogDoesNotHaveWhatACommandSays(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "vault.db"))
	var log bytes.Buffer
	o := options()
	o.Command, o.CommandTime, o.Environ, o.Log = "cat >&2; exit 3", time.Minute, os.Environ, slog.New(slog.NewTextHandler(&log, nil))
	r := webhooks.NewReceiver(s, o)
	stop := run(t, r)
	post(r.Handler(), body, "new")
	task := tried(t, s)
	stop()
	if !strings.Contains(task.Error, "exit status 3") || !strings.Contains(task.Error, "john@example.com") {
		t.Errorf("kept is %q", task.Error)
	}
	if said := log.String(); !strings.Contains(said, "exit status 3") || strings.Contains(said, "john") {
		t.Errorf("logged is %s", said)
	}
}

// tried waits until the only task of the only event was tried.
func tried(t *testing.T, s *bolt.Store) vaultwebhook.InboundTask {
	t.Helper()
	return awaited(t, s, func(e vaultwebhook.InboundEvent) bool { return e.Tasks[0].Attempts > 0 }).Tasks[0]
}
