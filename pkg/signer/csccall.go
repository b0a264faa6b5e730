package signer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/wake"
)

// cscError is an answer that is an error.
type cscError struct {
	status      int
	wait        time.Duration // until a call may be tried again, where the service says so
	Code        string        `json:"error"`
	Description string        `json:"error_description"`
}

func (e *cscError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("HTTP %d %s %s", e.status, e.Code, e.Description))
}

// call calls a method of the service, signed in. A token that has ended is replaced once.
func (c *CSC) call(ctx context.Context, method string, q, a any) error {
	token, err := c.signIn(ctx, "")
	if err != nil {
		return err
	}
	err = c.post(ctx, c.base+"/"+method, token, q, a)
	if e, ok := errors.AsType[*cscError](err); ok && e.status == http.StatusUnauthorized {
		if token, err = c.signIn(ctx, token); err != nil {
			return err
		}
		err = c.post(ctx, c.base+"/"+method, token, q, a)
	}
	if e, ok := errors.AsType[*cscError](err); ok && e.Code == "invalid_pin" {
		pin, readErr := c.pin.read()
		if readErr != nil {
			return readErr
		}
		c.refusedPIN.set(pin)
		return c.pinRefused()
	}
	return c.plain(err)
}

// signIn returns a token for calls; old is one that the service does not take any more.
func (c *CSC) signIn(ctx context.Context, old string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != "" && c.token != old {
		return c.token, nil
	}
	secret, err := c.secret.read()
	if err != nil {
		return "", err
	}
	if c.clientID == "" || secret == "" {
		return "", failuref(nil, "%s asks who is there; set signing.csc_client_id and signing.csc_client_secret, or --client-id and --client-secret-file", c.name())
	}
	if c.refusedAccount.is(c.clientID + "\x00" + secret) {
		return "", c.accountRefused()
	}
	base := c.base
	if c.service != nil && c.service.OAuth2 != "" {
		base = strings.TrimSuffix(c.service.OAuth2, "/")
	}
	var got struct {
		Token string `json:"access_token"`
		Type  string `json:"token_type"`
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.clientID}, "client_secret": {secret}}
	err = c.post(ctx, base+"/oauth2/token", "", form, &got)
	if e, ok := errors.AsType[*cscError](err); ok && (e.Code == "invalid_client" || e.status == http.StatusUnauthorized) {
		c.refusedAccount.set(c.clientID + "\x00" + secret)
		return "", c.accountRefused()
	}
	if err != nil {
		return "", c.plain(err)
	}
	if got.Token == "" || !strings.EqualFold(got.Type, "Bearer") {
		return "", failuref(nil, "%s returned no token of the kind Bearer", c.name())
	}
	c.token = got.Token
	return c.token, nil
}

func (c *CSC) accountRefused() error {
	return failuref(nil, "%s does not know the client ID %q with its secret; correct signing.csc_client_id or %s; what was refused is not tried again", c.name(), c.clientID, c.secret.Name)
}

func (c *CSC) pinRefused() error {
	return failuref(nil, "%s says that the PIN is wrong; correct %s; a wrong PIN is not tried again, so that the key is not locked", c.name(), c.pin.Name)
}

// readPIN returns the PIN, unless the service refused it.
func (c *CSC) readPIN() (string, error) {
	pin, err := c.pin.read()
	if err == nil && c.refusedPIN.is(pin) {
		err = c.pinRefused()
	}
	return pin, err
}

// post sends a request. A service that is busy is asked again when it says so, as long as ctx lets.
func (c *CSC) post(ctx context.Context, address, token string, q, a any) error {
	for {
		err := c.postOnce(ctx, address, token, q, a)
		e, ok := errors.AsType[*cscError](err)
		if !ok || e.wait == 0 {
			return err
		}
		if end, bounded := ctx.Deadline(); bounded && time.Until(end) < e.wait {
			return failuref(err, "%s is busy, and asks to be called again in %s", c.name(), e.wait)
		}
		if err := wake.Sleep(ctx, e.wait); err != nil {
			return err //nolint:wrapcheck // the caller looks at its context
		}
	}
}

// postOnce sends a request and reads its answer. Forms are sent as such, all else as JSON.
func (c *CSC) postOnce(ctx context.Context, address, token string, q, a any) error {
	kind := "application/json"
	body, err := json.Marshal(q)
	if form, ok := q.(url.Values); ok {
		kind, body = "application/x-www-form-urlencoded", []byte(form.Encode())
	}
	if err != nil {
		return fmt.Errorf("write a request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body)) //nolint:gosec // the client is the guard: it judges the address
	if err != nil {
		return fmt.Errorf("make a request: %w", err)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Accept", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return err //nolint:wrapcheck // plain says whose it is
	}
	if resp.Status != http.StatusOK {
		return errorOf(resp)
	}
	if err := json.Unmarshal(resp.Body, a); err != nil || resp.Truncated {
		return errors.New("its answer is not what it should be")
	}
	return nil
}

// errorOf reads an answer that is an error.
func errorOf(resp ssrf.Response) error {
	e := &cscError{status: resp.Status}
	_ = json.Unmarshal(resp.Body, e) // it may be a page for people
	if resp.Status == http.StatusTooManyRequests || resp.Status == http.StatusServiceUnavailable {
		e.wait = time.Second
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
			e.wait = time.Duration(seconds) * time.Second
		}
	}
	return e
}

// plain is an error of a call as a Failure, in one line and without secrets.
func (c *CSC) plain(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Failure](err); ok {
		return err
	}
	text, ok := fault.Message(err)
	if !ok {
		text = err.Error()
	}
	if fault.Is(err, fault.Forbidden) {
		text += "; signing.allow_private opens the institution's own networks"
	}
	for _, s := range []Secret{c.pin, c.secret} {
		if value, err := s.read(); err == nil && value != "" {
			text = strings.ReplaceAll(text, value, "****")
		}
	}
	const most = 400
	text = strings.Join(strings.Fields(text), " ")
	return failuref(nil, "%s cannot be used (%s)", c.name(), strings.ToValidUTF8(text[:min(len(text), most)], "?"))
}

// refusal remembers what was refused, as a hash, so that it is not tried again.
type refusal struct {
	mu  sync.Mutex
	sum *[sha256.Size]byte
}

func (r *refusal) set(secret string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := sha256.Sum256([]byte(secret))
	r.sum = &sum
}

func (r *refusal) is(secret string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := sha256.Sum256([]byte(secret))
	return r.sum != nil && subtle.ConstantTimeCompare(r.sum[:], sum[:]) == 1
}

func (r *refusal) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum = nil
}
