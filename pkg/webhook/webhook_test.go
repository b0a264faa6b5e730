package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/webhook"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

var (
	now  = time.Date(2026, 6, 4, 10, 30, 0, 0, time.UTC)
	body = []byte(`{"event":"certificate_application.approved","webhook_id":"a1b2c3d4-e5f6-7890-abcd-ef1234567890",` +
		`"timestamp":"2026-06-04T10:30:00Z","application_id":42,"uuid":"9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15"}`)
)

// The example of the Standard Webhooks specification's own libraries.
func TestStandardSignatureOfTheSpecification(t *testing.T) {
	t.Parallel()
	got := webhook.SignStandard(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// RFC 4231, test case 2.
func TestGuideSignature(t *testing.T) {
	t.Parallel()
	got := webhook.Sign("Jefe", []byte("what do ya want for nothing?"))
	if want := "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func guide(secret string) http.Header {
	h := http.Header{}
	h.Set(webhook.HeaderSignature, webhook.Sign(secret, body))
	return h
}

func standard(at time.Time, secrets ...string) http.Header {
	h := http.Header{}
	h.Set(webhook.HeaderStandardID, "d1")
	h.Set(webhook.HeaderStandardTimestamp, strconv.FormatInt(at.Unix(), 10))
	var all []string
	for _, s := range secrets {
		all = append(all, webhook.SignStandard(s, "d1", at, body))
	}
	h.Set(webhook.HeaderStandardSignature, strings.Join(all, " "))
	return h
}

func edited(h http.Header, edit func(http.Header)) http.Header {
	edit(h)
	return h
}

func TestVerify(t *testing.T) {
	t.Parallel()
	v := webhook.Verifier{Secrets: []string{"", "other", secret}, Now: func() time.Time { return now }}
	good := webhook.Sign(secret, body)
	for name, test := range map[string]struct {
		header http.Header
		ok     bool
	}{
		"the guide's":                    {guide(secret), true},
		"with the other secret":          {guide("other"), true},
		"with no known secret":           {guide("unknown"), false},
		"with the blank secret":          {guide(""), false},
		"none":                           {http.Header{}, false},
		"blank":                          {http.Header{webhook.HeaderSignature: {""}}, false},
		"upper case":                     {http.Header{webhook.HeaderSignature: {strings.ToUpper(good)}}, false},
		"cut":                            {http.Header{webhook.HeaderSignature: {good[:62]}}, false},
		"longer":                         {http.Header{webhook.HeaderSignature: {good + "00"}}, false},
		"two of them":                    {http.Header{webhook.HeaderSignature: {good, good}}, false},
		"with a version in front":        {http.Header{webhook.HeaderSignature: {"sha256=" + good}}, false},
		"standard":                       {standard(now, secret), true},
		"standard, secret being changed": {standard(now, "unknown", secret), true},
		"standard, no known secret":      {standard(now, "unknown"), false},
		"standard, at the edge":          {standard(now.Add(-5*time.Minute), secret), true},
		"standard, too old":              {standard(now.Add(-5*time.Minute-time.Second), secret), false},
		"standard, from the future":      {standard(now.Add(5*time.Minute+time.Second), secret), false},
		"standard, another moment": {edited(standard(now, secret), func(h http.Header) {
			h.Set(webhook.HeaderStandardTimestamp, strconv.FormatInt(now.Unix()+1, 10))
		}), false},
		"standard, another ID": {edited(standard(now, secret), func(h http.Header) { h.Set(webhook.HeaderStandardID, "d2") }), false},
		"standard, no ID":      {edited(standard(now, secret), func(h http.Header) { h.Del(webhook.HeaderStandardID) }), false},
		"standard, no moment":  {edited(standard(now, secret), func(h http.Header) { h.Del(webhook.HeaderStandardTimestamp) }), false},
		"standard, another version": {edited(standard(now, secret), func(h http.Header) {
			h.Set(webhook.HeaderStandardSignature, strings.Replace(h.Get(webhook.HeaderStandardSignature), "v1,", "v2,", 1))
		}), false},
		"both, standard too old": {edited(standard(now.Add(-time.Hour), secret), func(h http.Header) {
			h.Set(webhook.HeaderSignature, good)
		}), false},
	} {
		if err := v.Verify(test.header, body); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
		if v.Verify(test.header, append([]byte(" "), body...)) == nil {
			t.Errorf("%s: another body was believed", name)
		}
	}
	if (webhook.Verifier{}).Verify(guide(""), body) == nil {
		t.Error("no secret at all, and yet something was believed")
	}
}

func TestHandler(t *testing.T) {
	t.Parallel()
	var taken []webhook.Delivery
	refuse := false
	h := webhook.Handler(webhook.Verifier{Secrets: []string{secret}}, func(_ context.Context, d webhook.Delivery) error {
		if refuse {
			return errors.New("no room")
		}
		taken = append(taken, d)
		return nil
	})
	send := func(method, body, signature string) int {
		r := httptest.NewRequest(method, "/", strings.NewReader(body))
		r.Header.Set(webhook.HeaderSignature, signature)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	signed := func(body string) int { return send(http.MethodPost, body, webhook.Sign(secret, []byte(body))) }
	for what, test := range map[string]struct{ got, want int }{
		"good":            {signed(string(body)), http.StatusNoContent},
		"a GET":           {send(http.MethodGet, "", ""), http.StatusMethodNotAllowed},
		"unsigned":        {send(http.MethodPost, string(body), ""), http.StatusUnauthorized},
		"no JSON":         {signed("event"), http.StatusBadRequest},
		"no event":        {signed("{}"), http.StatusBadRequest},
		"an array":        {signed("[]"), http.StatusBadRequest},
		"not UTF-8":       {signed("{\"event\":\"\xff\"}"), http.StatusBadRequest},
		"too long":        {signed(strings.Repeat(" ", webhook.MaxBody+1)), http.StatusRequestEntityTooLarge},
		"unknown fields":  {signed(`{"event":"certification.revoked","data":{"domain":"mystore.com"}}`), http.StatusNoContent},
		"of another type": {signed(`{"event":"x","application_id":"42"}`), http.StatusBadRequest},
	} {
		if test.got != test.want {
			t.Errorf("%s: %d, want %d", what, test.got, test.want)
		}
	}
	if len(taken) != 2 {
		t.Fatalf("%d were taken", len(taken))
	}
	refuse = true
	if got := signed(string(body)); got != http.StatusServiceUnavailable {
		t.Errorf("a delivery that cannot be kept: %d", got)
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	plain := webhook.Delivery{Header: http.Header{}, Body: body}
	unsigned := webhook.Delivery{Header: http.Header{webhook.HeaderStandardID: {"x"}}, Body: body}
	if plain.Identity() != unsigned.Identity() {
		t.Error("an ID that nobody signed changes the identity")
	}
	other := webhook.Delivery{Header: http.Header{}, Body: append([]byte(" "), body...)}
	if plain.Identity() == other.Identity() {
		t.Error("two bodies, one identity")
	}
	if got := (webhook.Delivery{Header: standard(now, secret), Body: body}).Identity(); got != "d1" {
		t.Error(got)
	}
	named := webhook.Delivery{Header: standard(now, secret), Body: body, Payload: webhook.Payload{DeliveryID: "d3"}}
	if named.Identity() != "d3" {
		t.Error(named.Identity())
	}
}

// FuzzVerify throws headers at the verifier: none is believed but the true ones, and
// the handler never answers with 5xx.
func FuzzVerify(f *testing.F) {
	good := webhook.Sign(secret, body)
	f.Add(good[:63], "", "", "")
	f.Add("", "d1", strconv.FormatInt(now.Unix(), 10), "v1,"+good)
	f.Add(strings.Repeat("0", 64), "d1", "0", "v1,v1, v1,")
	f.Fuzz(func(t *testing.T, signature, id, timestamp, standard string) {
		forged(t, signature, id, timestamp, standard)
	})
}

// forged wants headers that bear no true signature refused.
func forged(t *testing.T, signature, id, timestamp, standard string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body)))
	// Set as they are: what a header may hold is not for the test to say.
	for name, value := range map[string]string{webhook.HeaderSignature: signature, webhook.HeaderStandardID: id,
		webhook.HeaderStandardTimestamp: timestamp, webhook.HeaderStandardSignature: standard} {
		if value != "" {
			r.Header[name] = []string{value}
		}
	}
	taken := false
	h := webhook.Handler(webhook.Verifier{Secrets: []string{secret}, Now: func() time.Time { return now }},
		func(context.Context, webhook.Delivery) error {
			taken = true
			return nil
		})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if seconds, err := strconv.ParseInt(timestamp, 10, 64); err == nil && standard != "" && id != "" &&
		strings.Contains(standard, webhook.SignStandard(secret, id, time.Unix(seconds, 0), body)) ||
		standard == "" && signature == webhook.Sign(secret, body) {
		return // a true one
	}
	if taken || w.Code != http.StatusUnauthorized {
		t.Errorf("%q %q %q %q was answered %d", signature, id, timestamp, standard, w.Code)
	}
}

// TestForgeries tries true signatures with every kind of small damage; VECCTL_LONG=1
// tries 100,000.
func TestForgeries(t *testing.T) {
	t.Parallel()
	tries := 5_000
	if os.Getenv("VECCTL_LONG") != "" {
		tries = 100_000
	}
	good, stamp := webhook.Sign(secret, body), strconv.FormatInt(now.Unix(), 10)
	goodStandard := webhook.SignStandard(secret, "d1", now, body)
	for i := range tries {
		bad, badStandard := []byte(good), []byte(goodStandard)
		at := i % len(bad)
		switch i % 4 {
		case 0:
			bad[at] ^= byte(1 + i/64%255)
			forged(t, string(bad), "", "", "")
		case 1:
			forged(t, string(bad[:at]), "", "", "")
		case 2:
			at = i % len(badStandard)
			badStandard[at] ^= byte(1 + i/64%255)
			forged(t, "", "d1", stamp, string(badStandard))
		case 3:
			forged(t, good, "d1", stamp, string(badStandard[:i%len(badStandard)])+" ")
		}
	}
}

// FuzzParse holds that a body that is taken names an event, and says the same when it
// is sent on.
func FuzzParse(f *testing.F) {
	f.Add(body)
	for _, seed := range []string{``, `null`, `{}`, `{"event":""}`, `{"event":1}`, `{"event":"x","timestamp":"x"}`, "{\"event\":\"\xff\"}", `{"event":"x"}{}`, `{"event":"x","data":{"uuid":null}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := webhook.Parse(body)
		if err != nil {
			return
		}
		if p.Event == "" || len(p.Event) > 255 {
			t.Errorf("%q is the event %q", body, p.Event)
		}
		sent, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := webhook.Parse(sent)
		if err != nil {
			t.Fatalf("%q, sent on as %s: %v", body, sent, err)
		}
		if twice, err := json.Marshal(again); err != nil || !bytes.Equal(twice, sent) {
			t.Errorf("%q: sent on as %s, then as %s, %v", body, sent, twice, err)
		}
	})
}
