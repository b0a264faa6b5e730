package webhook_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

var now = time.Date(2026, 6, 4, 10, 30, 0, 0, time.UTC)

const id = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"

func endpoint(t *testing.T, edit webhook.Update) (webhook.Endpoint, error) {
	t.Helper()
	return webhook.New(id, webhook.Subscriber{Institution: 1}, edit, webhook.EncryptedSecret("one"), now)
}

func working(t *testing.T) webhook.Endpoint {
	t.Helper()
	address := "https://example.com/hook"
	e, err := endpoint(t, webhook.Update{URL: &address, Events: []vault.EventType{vault.EventCreated, vault.EventCreated}})
	if err != nil || len(e.Events) != 1 {
		t.Fatal(e, err)
	}
	return e
}

func TestEndpointsAreValidated(t *testing.T) {
	t.Parallel()
	one := []vault.EventType{vault.EventApproved}
	for address, test := range map[string]struct {
		events []vault.EventType
		field  string
	}{
		"https://example.com/hook?x=1":                        {one, ""},
		" https://example.com ":                               {one, ""},
		"https://example.com/" + strings.Repeat("ü", 2048-20): {one, ""},
		"https://example.com/" + strings.Repeat("ü", 2048-19): {one, "url"},
		"":                        {one, "url"},
		"example.com":             {one, "url"},
		"ftp://example.com":       {one, "url"},
		"https://":                {one, "url"},
		"https://a:b@example.com": {one, "url"},
		"https://example.com/#x":  {one, "url"},
		"https://exa mple.com/":   {one, "url"},
		"https://example.com":     {nil, "events"},
		"https://example.com/1":   {[]vault.EventType{"certificate_application.none"}, "events"},
		"https://example.com/2":   {webhook.Events(), ""},
		"https://example.com/3":   {[]vault.EventType{webhook.EventTest}, "events"},
	} {
		_, err := endpoint(t, webhook.Update{URL: &address, Events: test.events})
		fields := fault.FieldsOf(err)
		if test.field == "" && err != nil || test.field != "" && (len(fields) != 1 || fields[0].Name != test.field) {
			t.Errorf("%q %v: %v", address, test.events, err)
		}
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	e, err := working(t).RotateSecret(webhook.EncryptedSecret("two"), now)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Duration]string{0: "two one", webhook.SecretOverlap - 1: "two one", webhook.SecretOverlap: "two"} {
		var got []string
		for _, s := range e.SigningSecrets(now.Add(at)) {
			got = append(got, string(s))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("after %v: %v", at, got)
		}
	}
	gone, err := e.Delete(now)
	if err != nil || gone.Secret != nil || gone.OldSecret != nil {
		t.Error("a deleted endpoint keeps its secrets")
	}
	for what, err := range map[string]error{
		"rotate": func() error { _, err := gone.RotateSecret(nil, now); return err }(),
		"update": func() error { _, err := gone.Update(webhook.Update{}, now); return err }(),
		"delete": func() error { _, err := gone.Delete(now); return err }(),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Error(what, err)
		}
	}
}

// The payload of the guide's step 8, in its order, with the delivery's ID behind it.
func TestPayload(t *testing.T) {
	t.Parallel()
	n := webhook.NotificationOf(vault.Event{
		Seq: 7, Type: vault.EventApproved, Institution: 1, Certificate: 42, UUID: "9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15",
		Title: "Certificate of <Achievement> & \u2028", Email: "john@example.com", Source: vault.FromVault, Trigger: vault.BulkUpload,
		At: now.In(time.FixedZone("", 7200)).Add(987 * time.Millisecond),
	})
	d, body, err := n.DeliveryTo(working(t), now)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"event":"certificate_application.approved","webhook_id":"a1b2c3d4-e5f6-7890-abcd-ef1234567890",` +
		`"timestamp":"2026-06-04T10:30:00Z","application_id":42,"uuid":"9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15",` +
		`"certificate_title":"Certificate of <Achievement> & \u2028","applicant_email":"john@example.com",` +
		`"source":"vault","trigger_context":"bulk_upload","delivery_id":"` + d.UUID + `"}`
	if string(body) != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
	if twin, _, _ := n.DeliveryTo(working(t), now.Add(time.Hour)); twin.UUID != d.UUID {
		t.Error("the same news has two IDs")
	}
	n.Number = 8
	if other, _, _ := n.DeliveryTo(working(t), now); other.UUID == d.UUID {
		t.Error("other news has the same ID")
	}
}

func TestADeadEndpointSeesFourAttempts(t *testing.T) {
	t.Parallel()
	e := working(t)
	d, _, err := webhook.TestNotification(e.Subscriber, now).DeliveryTo(e, now)
	if err != nil {
		t.Fatal(err)
	}
	at := now
	for try := 1; try <= 4; try++ {
		if d.State != webhook.Pending || !d.RunAt.Equal(at) {
			t.Fatalf("before try %d: %s at %v, want %v", try, d.State, d.RunAt, at)
		}
		e, d = webhook.ApplyAttempt(e, d, webhook.Attempt{At: at, Duration: 10 * time.Second, Error: "Timeout"})
		at = at.Add(40 * time.Second)
	}
	if d.State != webhook.GivenUp || len(d.Attempts) != 4 || e.Failures != 1 || e.LastStatus != webhook.Failed {
		t.Errorf("%+v %+v", d, e)
	}
}

func TestThePolicyOfDeliveries(t *testing.T) {
	t.Parallel()
	got := vault.RetryPolicyOf(vault.JobWebhook)
	if got.Attempts != webhook.MaxAttempts || !slices.Equal(got.Pauses, []time.Duration{webhook.RetryPause}) {
		t.Errorf("%+v, want %d attempts with pauses of %v", got, webhook.MaxAttempts, webhook.RetryPause)
	}
}

func TestWhatCountsAsTaken(t *testing.T) {
	t.Parallel()
	for status, ok := range map[int]bool{0: false, 199: false, 200: true, 204: true, 299: true, 301: false, 307: false, 404: false, 500: false} {
		if got := (webhook.Attempt{Status: status}); got.OK() != ok {
			t.Errorf("%d: %v", status, got.OK())
		}
	}
	if (webhook.Attempt{Status: 200, Error: "broke off"}).OK() {
		t.Error("an answer that broke off counts")
	}
}

// model is consecutive_failures as the guide tells of it: it counts deliveries that
// were given up, and any success resets it.
type model struct {
	failures  int
	last      webhook.Status
	suspended bool
	left      map[int]int // attempts left of each delivery that is under way
}

func TestFailuresAgreeWithAModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10_000) {
		random := rand.New(rand.NewPCG(seed, 6))
		e, m := working(t), model{last: webhook.None, left: map[int]int{}}
		under := map[int]webhook.Delivery{}
		luck := random.IntN(4)
		for step := range 60 {
			switch what := random.IntN(20); {
			case what == 0:
				a := webhook.Attempt{At: now, Status: []int{200, 500}[random.IntN(2)]}
				e, _ = webhook.ApplyTestAttempt(e, webhook.Delivery{Event: webhook.EventTest}, a)
				m.last = webhook.Failed
				if a.OK() {
					m = model{last: webhook.Success, left: m.left}
				}
			case what == 1:
				e, m.suspended = e.Resume(), false
			default:
				n := step
				if len(under) > 0 && random.IntN(3) > 0 {
					n = slices.Min(slices.Collect(maps.Keys(under)))
				}
				if _, ok := under[n]; !ok {
					under[n], m.left[n] = webhook.Delivery{State: webhook.Pending}, 4
				}
				a := webhook.Attempt{At: now, Status: 500}
				if random.IntN(16) < luck*luck {
					a.Status = 200
				}
				var d webhook.Delivery
				e, d = webhook.ApplyAttempt(e, under[n], a)
				under[n] = d
				m.left[n]--
				switch {
				case a.OK():
					m.failures, m.last, m.suspended, m.left[n] = 0, webhook.Success, false, 0
				case m.left[n] == 0:
					m.failures, m.last = m.failures+1, webhook.Failed
					m.suspended = m.suspended || m.failures >= 10
				}
				if ended := m.left[n] == 0; ended != (d.State != webhook.Pending) {
					t.Fatalf("seed %d, step %d: %+v", seed, step, d)
				} else if ended {
					delete(under, n)
				}
			}
			if e.Failures != m.failures || e.LastStatus != m.last || e.Suspended() != m.suspended {
				t.Fatalf("seed %d, step %d: %d %s %v, want %+v", seed, step, e.Failures, e.LastStatus, e.Suspended(), m)
			}
		}
	}
}

func TestAClockThatWasAheadKeepsNothingWaiting(t *testing.T) {
	t.Parallel()
	for wait, tries := range map[time.Duration]struct{ delivery, task, last bool }{ // who waits after a try; the task after its last one but one
		-time.Hour: {}, 0: {}, time.Nanosecond: {true, true, true}, time.Second: {true, true, true}, webhook.RetryPause: {true, false, true},
		webhook.RetryPause + 1: {false, false, true}, time.Hour: {false, false, true}, time.Hour + 1: {}, 90000 * time.Hour: {},
	} {
		if got := (webhook.Delivery{RunAt: now.Add(wait), Tries: 1}).NotYetDue(now); got != tries.delivery {
			t.Errorf("delivery, %v: %v", wait, got)
		}
		if got := (webhook.InboundTask{RunAt: now.Add(wait), Attempts: 1}).NotYetDue(now); got != tries.task {
			t.Errorf("task, %v: %v", wait, got)
		}
		if got := (webhook.InboundTask{RunAt: now.Add(wait), Attempts: 5}).NotYetDue(now); got != tries.last {
			t.Errorf("task after its fifth try, %v: %v", wait, got)
		}
		if (webhook.Delivery{RunAt: now.Add(wait)}).NotYetDue(now) || (webhook.InboundTask{RunAt: now.Add(wait)}).NotYetDue(now) {
			t.Errorf("%v: what was never tried waits", wait)
		}
	}
}

func TestTasks(t *testing.T) {
	t.Parallel()
	r := webhook.InboundEvent{Tasks: []webhook.InboundTask{webhook.NewInboundTask(webhook.Run, "true", now), webhook.NewInboundTask(webhook.Forward, "x", now)}}
	for try := 1; r.Tasks[0].State == webhook.Pending; try++ {
		if try > 10 {
			t.Fatal("it is never given up")
		}
		before := r
		r = r.ApplyTaskResult(0, "exit status 1", now)
		if before.Tasks[0].Attempts != try-1 {
			t.Fatal("a transition changed what it was given")
		}
	}
	if r.Tasks[0].Attempts != 6 || r.Tasks[0].State != webhook.GivenUp || r.Tasks[1].State != webhook.Pending {
		t.Errorf("%+v", r)
	}
	if r = r.ApplyTaskResult(1, "", now); r.Tasks[1].State != webhook.Delivered {
		t.Errorf("%+v", r)
	}
}
