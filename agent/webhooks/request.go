package webhooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	vaultwebhook "github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// signingSecrets are where an endpoint is told, and what its deliveries are signed with now.
type signingSecrets struct {
	url     string
	secrets []string // the present one first
}

func (s *Dispatcher) signingSecretsOf(e vaultwebhook.Endpoint) (signingSecrets, error) {
	k := signingSecrets{url: e.URL}
	for _, sealed := range e.SigningSecrets(s.Now()) {
		secret, err := s.Secrets.Open(e.ID, sealed)
		if err != nil {
			return k, err
		}
		k.secrets = append(k.secrets, secret)
	}
	return k, nil
}

// Try makes one attempt at a delivery to an endpoint. What the endpoint does wrong is
// in the attempt; the error is of what lies on our side.
func (s *Dispatcher) Try(ctx context.Context, e vaultwebhook.Endpoint, d vaultwebhook.Delivery, body []byte) (vaultwebhook.Attempt, error) {
	k, err := s.signingSecretsOf(e)
	if err != nil {
		return vaultwebhook.Attempt{}, err
	}
	return s.send(ctx, k, d, body)
}

// send makes one request. Its error is Canceled when ctx ended meanwhile.
func (s *Dispatcher) send(ctx context.Context, k signingSecrets, d vaultwebhook.Delivery, body []byte) (vaultwebhook.Attempt, error) {
	a := vaultwebhook.Attempt{At: s.Now()}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.url, bytes.NewReader(body))
	if err != nil {
		a.Error = "The address cannot be called"
		return a, nil //nolint:nilerr // it is the endpoint's address that is wrong
	}
	s.sign(req.Header, k, d, body)
	answer, err := s.Client.Do(req)
	a.Duration = s.Now().Sub(a.At)
	switch {
	case err != nil && ctx.Err() != nil:
		return a, context.Canceled
	case err != nil:
		a.Error = failureReason(err)
	}
	a.Status, a.Response = answer.Status, answer.Body[:min(len(answer.Body), vaultwebhook.MaxResponseKept)]
	return a, nil
}

// sign sets the headers of a delivery: the guide's, to the letter (step 9), and those
// of Standard Webhooks, with a signature for each secret.
func (s *Dispatcher) sign(h http.Header, k signingSecrets, d vaultwebhook.Delivery, body []byte) {
	now := s.Now()
	h["Content-Type"] = []string{"application/json"}
	h["User-Agent"] = []string{s.UserAgent}
	h[webhook.HeaderSignature] = []string{webhook.Sign(k.secrets[0], body)}
	h[webhook.HeaderEvent] = []string{string(d.Event)}
	h[webhook.HeaderID] = []string{d.Endpoint}
	h[webhook.HeaderTimestamp] = []string{vaultwebhook.FormatTime(d.Timestamp)}
	signatures := make([]string, len(k.secrets))
	for i, secret := range k.secrets {
		signatures[i] = webhook.SignStandard(secret, d.UUID, now, body)
	}
	h[webhook.HeaderStandardID] = []string{d.UUID}
	h[webhook.HeaderStandardTimestamp] = []string{strconv.FormatInt(now.Unix(), 10)}
	h[webhook.HeaderStandardSignature] = []string{strings.Join(signatures, " ")}
}

// maxFailureText is how many bytes are kept of why something failed.
const maxFailureText = 300

// shorten returns as much of a text as is kept, and no part of a letter.
func shorten(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxFailureText)], "")
}

// failureReason is what is noted of a request that failed.
func failureReason(err error) string {
	message, ok := fault.Message(err)
	if !ok {
		message = fmt.Sprintf("%v", errors.Unwrap(err))
	}
	return shorten(message)
}
