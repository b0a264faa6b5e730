package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Request prepares a call of the vault that the client has no method for: path begins
// with a slash, and the body is JSON unless the caller sets another Content-Type.
func (c *Client) Request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
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

// Do makes a call, again where that is promising. The answer's body is the
// caller's to close. An answer that is no success is an *Error; a vault that cannot be
// reached is an error of kind Unavailable, and ctx's end is its own.
func (c *Client) Do(req *http.Request) (resp *http.Response, err error) {
	err = c.retry(req, func() (err error) {
		resp, err = c.try(req) //nolint:bodyclose // the caller does
		return err
	})
	return resp, err
}

// retry makes attempts at a call, as many as are promising.
func (c *Client) retry(req *http.Request, try func() error) error {
	begun := false // an earlier attempt may have been done
	for attempt := 1; ; attempt++ {
		err := try()
		if err == nil {
			return nil
		}
		if answered, ok := errors.AsType[*Error](err); ok {
			answered.Repeated = begun
		}
		begun = begun || mayBeDone(err)
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

// mayBeDone reports whether a server may have done what it did not confirm.
func mayBeDone(err error) bool {
	if answered, ok := errors.AsType[*Error](err); ok {
		return answered.Status >= http.StatusInternalServerError && answered.Status != http.StatusServiceUnavailable
	}
	reached, ok := errors.AsType[*net.OpError](err)
	return !ok || reached.Op != "dial"
}

func (c *Client) try(req *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		if err := req.Context().Err(); err != nil {
			return nil, err
		}
		if _, said := fault.Message(err); said {
			return nil, err // the transport knows better what cannot be reached
		}
		return nil, fault.Wrap(fault.Unavailable, err, fmt.Sprintf("the vault at %s cannot be reached; check the address and that it runs", c.base))
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		defer resp.Body.Close()
		return nil, failure(resp)
	}
	return resp, nil
}

// Send prepares a call and makes it, with the errors of Do.
func (c *Client) Send(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := c.Request(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	return c.Do(req)
}

// Call makes one call and decodes its answer, JSON, into a value. Besides the errors of
// Do, an answer that is not understood is one of kind Unavailable.
func (c *Client) Call(ctx context.Context, method, path string, body io.Reader, into any) error {
	req, err := c.Request(ctx, method, path, body)
	if err != nil {
		return err
	}
	return c.decode(req, into)
}

// maxAnswer bounds what is read of an answer, in bytes. It is many times the largest page
// that a vault gives.
const maxAnswer = 64 << 20

// decode makes a call and decodes its answer. One that breaks off is as good as none.
func (c *Client) decode(req *http.Request, into any) error {
	var raw []byte
	err := c.retry(req, func() error {
		resp, err := c.try(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if raw, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1)); err != nil {
			if err := req.Context().Err(); err != nil {
				return err
			}
			if _, said := fault.Message(err); said {
				return err // the transport knows better why
			}
			return fault.Wrap(fault.Unavailable, err, fmt.Sprintf("the answer of the vault at %s ended early; try again", c.base))
		}
		if len(raw) > maxAnswer {
			return fault.Newf(fault.Unavailable, "the answer of the vault at %s is larger than %d MB; ask for less at once", c.base, maxAnswer>>20)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return c.unknownShape(raw, err)
	}
	return nil
}

// Post sends a value as JSON and decodes the answer, with the errors of Call.
func (c *Client) Post(ctx context.Context, path string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("calling the vault: %w", err)
	}
	return c.Call(ctx, http.MethodPost, path, bytes.NewReader(raw), into)
}
