package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
)

// script is a network that gives one answer after the other, and keeps what was
// sent.
type script struct {
	answers []reply
	sent    []string
}

// reply is one answer; the zero value is a network that is down.
type reply struct {
	status     int
	body       string
	retryAfter string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(raw)
	}
	s.sent = append(s.sent, r.Method+" "+body)
	if len(s.answers) == 0 {
		return nil, errors.New("one call too many")
	}
	next := s.answers[0]
	s.answers = s.answers[1:]
	if next.status == 0 {
		return nil, errors.New("no route")
	}
	resp := &http.Response{StatusCode: next.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(next.body))}
	resp.Header.Set("Retry-After", next.retryAfter)
	resp.Header.Set("Date", "Sun, 22 Nov 2026 10:00:00 GMT")
	return resp, nil
}

func TestRetries(t *testing.T) {
	t.Parallel()
	const page = `{"data":[],"meta":{"total":3}}`
	var down reply
	busy, broken := reply{503, `{"message":"later"}`, ""}, reply{500, `{"message":"broken"}`, ""}
	patient := client.RetryPolicy{Attempts: 4, First: time.Second, Max: 3 * time.Second}
	obliging := client.RetryPolicy{Attempts: 4, First: time.Second, Max: 3 * time.Second, OnlyWhenAsked: true}
	list := func(c *client.Client) error { _, err := c.List(t.Context(), client.Filter{}); return err }
	retry := func(c *client.Client) error { _, err := c.Retry(t.Context(), "x"); return err }
	bulk := func(key string) func(c *client.Client) error {
		return func(c *client.Client) error {
			_, err := c.SubmitBulk(t.Context(), []client.BulkEntry{{Content: client.Content{Title: "T"}}}, key)
			return err
		}
	}
	accepted := reply{202, `{"data":{"batch_id":"b"}}`, ""}
	tests := []struct {
		name    string
		retries client.RetryPolicy
		call    func(*client.Client) error
		answers []reply
		pauses  string
		kind    fault.Kind // of the error; Internal for none
	}{
		{"once by default", client.RetryPolicy{}, list, []reply{busy}, "", fault.Unavailable},
		{"pauses double", patient, list, []reply{broken, down, busy, {200, page, ""}}, "1s 2s 3s", 0},
		{"it gives up", patient, list, []reply{busy, busy, busy, busy}, "1s 2s 3s", fault.Unavailable},
		{"what the server asks for", patient, list, []reply{{429, `{"message":"Too Many Attempts."}`, "7"}, {200, page, ""}}, "7s", 0},
		{"until when the server wants", patient, list, []reply{{503, `{"message":"later"}`, "Sun, 22 Nov 2026 10:00:09 GMT"}, {200, page, ""}}, "9s", 0},
		{"a time that has passed", patient, list, []reply{{503, `{"message":"later"}`, "Sun, 22 Nov 2026 09:00:00 GMT"}, {200, page, ""}}, "1s", 0},
		{"a pause that cannot be read", patient, list, []reply{{503, `{"message":"later"}`, "soon"}, {429, "", "-5"}, {200, page, ""}}, "1s 2s", 0},
		{"at most a minute", patient, list, []reply{{503, `{"message":"later"}`, "99999999999999"}, {200, page, ""}}, "1m0s", 0},
		{"only what the server asks for", obliging, list, []reply{busy, {429, "", "2"}, {502, "", ""}}, "1s 2s", fault.Unavailable},
		{"only a server", obliging, list, []reply{down}, "", fault.Unavailable},
		{"too slow", patient, bulk("k"), []reply{{408, `{"message":"slow"}`, ""}, accepted}, "1s", 0},
		{"too slow, without a key", patient, bulk(""), []reply{{408, `{"message":"slow"}`, ""}}, "", fault.Unavailable},
		{"a refusal is final", patient, list, []reply{{422, `{"message":"no"}`, ""}}, "", fault.Invalid},
		{"what makes something, without a key", patient, retry, []reply{down}, "", fault.Unavailable},
		{"what has not begun", patient, retry, []reply{busy, {200, `{"data":{"uuid":"x","status":"processing"}}`, ""}}, "1s", 0},
		{"with a key", patient, bulk("k"), []reply{down, {409, `{"message":"in flight"}`, ""}, broken, accepted}, "1s 2s 3s", 0},
		{"without one", patient, bulk(""), []reply{broken}, "", fault.Internal},
		{"a full disk", patient, bulk("k"), []reply{{507, `{"message":"full"}`, ""}}, "", fault.Full},
	}
	for _, tt := range tests {
		var pauses []string
		tt.retries.Sleep = func(_ context.Context, d time.Duration) error {
			pauses = append(pauses, d.String())
			return nil
		}
		network := &script{answers: tt.answers}
		c, err := client.New("https://api.example.com", "t", network)
		if err != nil {
			t.Fatal(err)
		}
		err = tt.call(c.WithRetries(tt.retries))
		switch {
		case len(network.answers) > 0:
			t.Errorf("%s: %d answers were not asked for", tt.name, len(network.answers))
		case strings.Join(pauses, " ") != tt.pauses:
			t.Errorf("%s: paused %v, want %s", tt.name, pauses, tt.pauses)
		case tt.kind != 0 && !fault.Is(err, tt.kind), tt.kind == 0 && tt.name != "without one" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		}
		for _, sent := range network.sent[1:] {
			if sent != network.sent[0] {
				t.Errorf("%s: sent %q, then %q", tt.name, network.sent[0], sent)
			}
		}
	}
}
