package webhooks_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/webhooks"
	vaultwebhook "github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// deliver sends a body with the guide's signature, that of Standard Webhooks under an ID, or
// both; an unsigned ID beside the guide's signature is a forger's.
func deliver(h http.Handler, body, id string, guide, standard bool, at time.Time) int {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/vec", strings.NewReader(body))
	if guide {
		r.Header.Set(webhook.HeaderSignature, webhook.Sign("new", []byte(body)))
	}
	if id != "" {
		r.Header.Set(webhook.HeaderStandardID, id)
		r.Header.Set(webhook.HeaderID, id)
	}
	if standard {
		r.Header.Set(webhook.HeaderStandardTimestamp, strconv.FormatInt(at.Unix(), 10))
		r.Header.Set(webhook.HeaderStandardSignature, webhook.SignStandard("new", id, at, []byte(body)))
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// TestReplays plays each form of a delivery after each other one: whatever of its headers is
// left out or made up, it is known again.
func TestReplays(t *testing.T) {
	t.Parallel()
	type form struct {
		name            string
		id              string
		guide, standard bool
	}
	forms := []form{
		{"both signatures", "d1", true, true}, {"the guide's alone", "", true, false}, {"Standard Webhooks alone", "d1", false, true},
		{"the guide's, with an ID that nobody signed", "d2", true, false}, {"both, under another ID", "d3", true, true},
	}
	const named = `{"event":"e","delivery_id":"d1","uuid":"u"}`
	for _, body := range []string{body, named} {
		for _, first := range forms {
			s := open(t, filepath.Join(t.TempDir(), "vault.db"))
			h := webhooks.NewReceiver(s, options()).Handler()
			for _, again := range append([]form{first}, forms...) {
				if status := deliver(h, body, again.id, again.guide, again.standard, time.Now()); status != http.StatusNoContent {
					t.Errorf("%s after %s: answered %d", again.name, first.name, status)
				}
				if n := len(journal(t, s)); n != 1 {
					t.Fatalf("%s after %s is an event of its own: %d", again.name, first.name, n)
				}
			}
		}
	}
	// A sender that writes the body anew for each attempt is known by its ID, and each body
	// afterwards without it.
	s := open(t, filepath.Join(t.TempDir(), "vault.db"))
	h := webhooks.NewReceiver(s, options()).Handler()
	deliver(h, body, "d1", false, true, time.Now())
	deliver(h, body+" ", "d1", false, true, time.Now())
	deliver(h, body+" ", "", true, false, time.Now())
	if n := len(journal(t, s)); n != 1 {
		t.Errorf("%d events", n)
	}
	deliver(h, body+"  ", "", true, false, time.Now())
	if n := len(journal(t, s)); n != 2 {
		t.Errorf("another event was taken for a replay: %d", n)
	}
}

// TestReplaysOfWhatIsForgotten refuses what is older than the memory of it.
func TestReplaysOfWhatIsForgotten(t *testing.T) {
	t.Parallel()
	const month = 30 * 24 * time.Hour
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	event := func(age time.Duration) string {
		return `{"event":"e","timestamp":"` + now.Add(-age).Format(time.RFC3339) + `"}`
	}
	for _, test := range []struct {
		what     string
		body     string
		remember time.Duration
		want     int
	}{
		{"a new one", event(0), month, http.StatusNoContent},
		{"one that may have been forgotten", event(month), month, http.StatusBadRequest},
		{"one that is remembered yet", event(month - time.Hour), month, http.StatusNoContent},
		{"an old one, when all are remembered", event(20 * month), 0, http.StatusNoContent},
		{"one without a time", `{"event":"e"}`, month, http.StatusNoContent},
	} {
		o := options()
		o.Now, o.Remember = func() time.Time { return now }, test.remember
		h := webhooks.NewReceiver(open(t, filepath.Join(t.TempDir(), "vault.db")), o).Handler()
		if got := deliver(h, test.body, "", true, false, now); got != test.want {
			t.Errorf("%s: answered %d, want %d", test.what, got, test.want)
		}
	}
	o := options()
	o.Now = func() time.Time { return now }
	h := webhooks.NewReceiver(open(t, filepath.Join(t.TempDir(), "vault.db")), o).Handler()
	if got := deliver(h, event(0), "d1", true, true, now.Add(-time.Hour)); got != http.StatusUnauthorized {
		t.Errorf("a signed time of an hour ago: answered %d", got)
	}
}

// The receiver and the store name a body alike.
func TestBodyIdentity(t *testing.T) {
	t.Parallel()
	ids := webhook.Delivery{Body: []byte(body)}.Identities()
	if len(ids) != 1 || ids[0] != vaultwebhook.BodyIdentity([]byte(body)) {
		t.Errorf("%v is not %s", ids, vaultwebhook.BodyIdentity([]byte(body)))
	}
}
