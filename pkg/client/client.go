// Package client speaks the vault's API and the panel of an agent: over the
// network, or to an agent in the same process.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Client calls one vault. It is safe for concurrent use.
type Client struct {
	base    string
	token   string
	http    *http.Client
	retries Retries
}

// New makes a client of the vault at a base URL, such as https://api.vec.digital.
// The token may be empty where the server asks for none; white space around it does
// not count.
func New(base, token string, transport http.RoundTripper) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fault.Newf(fault.Invalid, "%q is not the address of an API; want one such as https://api.vec.digital", base)
	}
	token = strings.TrimSpace(token)
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fault.New(fault.Invalid, "the API token holds a space, a line break or a letter that no token has; copy it again, whole and alone")
	}
	caller := &http.Client{Transport: transport, CheckRedirect: follow}
	return &Client{base: strings.TrimRight(base, "/"), token: token, http: caller}, nil
}

// follow goes after a vault that has moved only where the call stays what it is: an
// upload must not become the reading of a list, nor a token travel in the open.
func follow(next *http.Request, via []*http.Request) error {
	const most = 10
	first := via[0]
	if len(via) >= most || next.Method != first.Method || first.URL.Scheme == "https" && next.URL.Scheme != "https" {
		return http.ErrUseLastResponse
	}
	return nil
}

// Base is the vault's base URL, without a slash at its end.
func (c *Client) Base() string { return c.base }

// Transport is how the client reaches the vault, for a client of something else
// that answers there too.
func (c *Client) Transport() http.RoundTripper { return c.http.Transport }

// request prepares a call.
func (c *Client) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("calling the vault: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req, nil
}

// do makes a call, again where that is promising. The answer's body is the
// caller's to close; an answer that is no success is an error.
func (c *Client) do(req *http.Request) (resp *http.Response, err error) {
	err = c.patiently(req, func() (err error) {
		resp, err = c.try(req) //nolint:bodyclose // the caller does
		return err
	})
	return resp, err
}

// patiently makes attempts at a call, as many as are promising.
func (c *Client) patiently(req *http.Request, try func() error) error {
	for attempt := 1; ; attempt++ {
		err := try()
		if err == nil {
			return nil
		}
		pause, again := c.retries.after(req, attempt, err)
		if !again {
			return err
		}
		if err := c.retries.sleep(req.Context(), pause); err != nil {
			return err
		}
		if req.GetBody != nil {
			if req.Body, err = req.GetBody(); err != nil {
				return fmt.Errorf("calling the vault again: %w", err)
			}
		}
	}
}

func (c *Client) try(req *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		if err := req.Context().Err(); err != nil {
			return nil, err
		}
		return nil, fault.Wrap(fault.Unavailable, err, fmt.Sprintf("the vault at %s cannot be reached; check the address and that it runs", c.base))
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		defer resp.Body.Close()
		return nil, failure(resp)
	}
	return resp, nil
}

// send prepares a call and makes it.
func (c *Client) send(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := c.request(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	return c.do(req)
}

// call makes one call and decodes its answer.
func (c *Client) call(ctx context.Context, method, path string, body io.Reader, into any) error {
	req, err := c.request(ctx, method, path, body)
	if err != nil {
		return err
	}
	return c.decode(req, into)
}

// decode makes a call and decodes its answer. One that breaks off is as good as none.
func (c *Client) decode(req *http.Request, into any) error {
	var raw []byte
	err := c.patiently(req, func() error {
		resp, err := c.try(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if raw, err = io.ReadAll(resp.Body); err != nil {
			if err := req.Context().Err(); err != nil {
				return err
			}
			return fault.Wrap(fault.Unavailable, err, fmt.Sprintf("the answer of the vault at %s broke off; try again", c.base))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return c.notUnderstood(err)
	}
	return nil
}

func (c *Client) notUnderstood(err error) error {
	return fault.Wrap(fault.Unavailable, err, fmt.Sprintf("the vault at %s gave an answer that is not understood", c.base))
}

// named wants an answer to say how it calls what was made: what has no name cannot be
// found again.
func (c *Client) named(name, field string) error {
	if name == "" {
		return c.notUnderstood(errors.New("it has no " + field))
	}
	return nil
}

// post sends a value as JSON and decodes the answer.
func (c *Client) post(ctx context.Context, path string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("calling the vault: %w", err)
	}
	return c.call(ctx, http.MethodPost, path, bytes.NewReader(raw), into)
}

func kindOf(status int) fault.Kind {
	switch status {
	case http.StatusBadRequest:
		return fault.Illegal
	case http.StatusUnauthorized:
		return fault.Unauthenticated
	case http.StatusForbidden:
		return fault.Forbidden
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusConflict:
		return fault.Conflict
	case http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		return fault.Invalid
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		return fault.Unavailable
	case http.StatusInsufficientStorage:
		return fault.Full
	}
	return fault.Internal
}

// List returns a page of vault certificates, newest first.
func (c *Client) List(ctx context.Context, f Filter) (Page[Certificate], error) {
	return c.list(ctx, "/business/certificate-vault", f)
}

// Certificates returns a page of all certificates, those that customers applied
// for among them, newest first.
func (c *Client) Certificates(ctx context.Context, f Filter) (Page[Certificate], error) {
	return c.list(ctx, "/business/certificates", f)
}

// Templates lists the institution's certificate templates, as the server
// describes them.
func (c *Client) Templates(ctx context.Context) ([]map[string]any, error) {
	var all []map[string]any
	err := c.call(ctx, http.MethodGet, "/business/certificate-templates", nil, &all)
	return all, err
}

func (c *Client) list(ctx context.Context, path string, f Filter) (Page[Certificate], error) {
	q := url.Values{}
	for name, value := range map[string]string{
		"status": f.Status, "applicant_email": f.Email, "search": f.Search,
		"batch_id": f.Batch, "from": f.From, "to": f.To,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Page > 0 {
		q.Set("page", strconv.Itoa(f.Page))
	}
	if f.PerPage > 0 {
		q.Set("per_page", strconv.Itoa(f.PerPage))
	}
	var page Page[Certificate]
	err := c.call(ctx, http.MethodGet, path+"?"+q.Encode(), nil, &page)
	return page, err
}

// Certificate returns one by UUID; an agent takes a reference ID too.
func (c *Client) Certificate(ctx context.Context, name string) (Certificate, error) {
	var body struct{ Data Certificate }
	err := c.call(ctx, http.MethodGet, vaultPath(name), nil, &body)
	return body.Data, err
}

// Retry sends a failed certificate through processing again.
func (c *Client) Retry(ctx context.Context, name string) (Certificate, error) {
	var body struct{ Data Certificate }
	err := c.call(ctx, http.MethodPost, vaultPath(name)+"/retry", nil, &body)
	return body.Data, err
}

// Download writes a verified PDF to w and returns its length.
func (c *Client) Download(ctx context.Context, name string, w io.Writer) (int64, error) {
	resp, err := c.send(ctx, http.MethodGet, vaultPath(name)+"/download", nil)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n, err := io.Copy(w, resp.Body)
	if err == nil && resp.ContentLength >= 0 && n != resp.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return n, fault.Wrap(fault.Unavailable, err, "the download broke off; try again")
	}
	return n, err
}

func vaultPath(name string) string {
	return "/business/certificate-vault/" + url.PathEscape(name)
}
