// Package client speaks the vault's API.
package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Client calls one vault. It is safe for concurrent use.
type Client struct {
	base    string
	token   string
	http    *http.Client
	retries RetryPolicy
	learned *learned
}

// Option changes what a client does.
type Option int

// InsecureHTTP lets a client send its secret over plain HTTP to other machines, where
// everybody on the way can read it.
const InsecureHTTP Option = 1

// New makes a client of the vault at a base URL, such as https://api.vec.digital. Without a
// transport it gets one of NewTransport, which ends calls to a server that is silent for
// DefaultTimeout; a call that makes progress may take any time, unless its context ends it.
// The token may be empty where the server asks for none; white space around it does
// not count. Without InsecureHTTP, a token and an http:// address of another machine are
// refused.
func New(base, token string, transport http.RoundTripper, options ...Option) (*Client, error) {
	token = strings.TrimSpace(token)
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fault.New(fault.Invalid, "the API token holds a space, a line break or a letter that no token has; copy it again, whole and alone")
	}
	base, err := CheckAddress(base, "https://api.vec.digital", token != "", options...)
	if err != nil {
		return nil, err
	}
	if transport == nil {
		if transport, err = NewTransport(TransportOptions{}); err != nil {
			return nil, err
		}
	}
	caller := &http.Client{Transport: transport, CheckRedirect: CheckRedirect("Authorization")}
	return &Client{base: base, token: token, http: caller, learned: &learned{}}, nil
}

// Base is the vault's base URL, without a slash at its end.
func (c *Client) Base() string { return c.base }

// Transport is how the client reaches the vault, for a client of something else
// that answers there too.
func (c *Client) Transport() http.RoundTripper { return c.http.Transport }

// List returns a page of vault certificates, newest first.
func (c *Client) List(ctx context.Context, f Filter) (Page[Certificate], error) {
	return c.list(ctx, "/business/certificate-vault", f)
}

// Certificates returns a page of all certificates, those that customers applied
// for among them, newest first.
func (c *Client) Certificates(ctx context.Context, f Filter) (Page[Certificate], error) {
	return c.list(ctx, "/business/certificates", f)
}

func (c *Client) list(ctx context.Context, path string, f Filter) (Page[Certificate], error) {
	q := f.values()
	finished := f.Status == string(vault.Approved)
	if finished && c.learned.saysGenerated.Load() {
		q.Set("status", generated)
	}
	page, err := readPage(ctx, c, path, q, parseCertificate)
	if finished && refusesStatus(err) && q.Get("status") != generated {
		q.Set("status", generated)
		if other, err := readPage(ctx, c, path, q, parseCertificate); err == nil {
			c.learned.saysGenerated.Store(true)
			return other, nil
		}
	}
	return page, err
}

// Certificate returns one by UUID or by reference ID. A server that knows no such path is
// searched for the reference ID.
func (c *Client) Certificate(ctx context.Context, name string) (found Certificate, err error) {
	err = c.byReference(ctx, name, func(name string) error {
		found, err = c.certificate(ctx, http.MethodGet, vaultPath(name))
		return err
	})
	return found, err
}

// Retry sends a failed certificate through processing again.
func (c *Client) Retry(ctx context.Context, name string) (retried Certificate, err error) {
	err = c.byReference(ctx, name, func(name string) error {
		retried, err = c.certificate(ctx, http.MethodPost, vaultPath(name)+"/retry")
		return err
	})
	return retried, err
}

// Download writes a verified PDF to w and returns its length.
func (c *Client) Download(ctx context.Context, name string, w io.Writer) (n int64, err error) {
	err = c.byReference(ctx, name, func(name string) error {
		n, err = c.download(ctx, name, w)
		return err
	})
	return n, err
}

// Badge writes a certificate as an Open Badges 3.0 credential to w: as json, jwt, or baked into a
// picture as png or svg. It is an extension of the guide.
func (c *Client) Badge(ctx context.Context, name, format string, w io.Writer) (n int64, err error) {
	err = c.byReference(ctx, name, func(name string) error {
		n, err = c.receive(ctx, vaultPath(name)+"/badge?format="+url.QueryEscape(format), w)
		return err
	})
	return n, err
}

func (c *Client) download(ctx context.Context, name string, w io.Writer) (int64, error) {
	return c.receive(ctx, vaultPath(name)+"/download", w)
}

// receive writes what is at a path to w.
func (c *Client) receive(ctx context.Context, path string, w io.Writer) (int64, error) {
	resp, err := c.Send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n, err := io.Copy(w, resp.Body)
	if err == nil && resp.ContentLength >= 0 && n != resp.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return n, fault.Wrap(fault.Unavailable, err, "the download ended early; try again")
	}
	return n, err
}

func vaultPath(name string) string {
	return "/business/certificate-vault/" + url.PathEscape(name)
}
