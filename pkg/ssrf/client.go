// Package ssrf is the way out: an HTTP client for addresses that other
// people chose. It connects to public addresses alone, judged after the name is
// resolved and at the moment of connecting; it follows no redirect, asks no proxy,
// and bounds the time and the size of every answer.
package ssrf

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Defaults of Policy.
const (
	DefaultTimeout = 10 * time.Second
	DefaultMaxBody = 64 << 10
)

// Policy says where a client may go and how long it may take. The zero value is
// the strict one.
type Policy struct {
	// AllowPrivate opens this machine and the institution's own networks, over plain
	// HTTP too. Public addresses still need HTTPS; link-local, reserved and multicast ones stay
	// closed.
	AllowPrivate bool
	// AllowPlain opens public addresses over plain HTTP too: for what is signed by itself, as
	// certificates and their status are, which are published in no other way.
	AllowPlain bool
	// Timeout is for a whole exchange, from the name's resolution to the last byte
	// of the answer; 0 means DefaultTimeout.
	Timeout time.Duration
	// MaxBody is how many bytes of an answer are read at most; 0 means DefaultMaxBody.
	MaxBody int64
	// MaxIdle is how many connections to one host are kept open for the next request;
	// 0 means none.
	MaxIdle int
	// Resolver and Dial are net's own when nil. TLS names the roots to trust; nil
	// means the system's.
	Resolver Resolver
	Dial     Dial
	TLS      *tls.Config
}

// Client sends requests outside. It is safe for use by several goroutines.
type Client struct {
	policy        Policy
	dialer        *dialer
	secure, plain *http.Client
}

// Response is what came back.
type Response struct {
	Status    int
	Header    http.Header
	Body      []byte // at most Policy.MaxBody bytes
	Truncated bool   // there was more
}

// New makes a client. It opens nothing yet.
func New(r Policy) *Client {
	if r.Timeout == 0 {
		r.Timeout = DefaultTimeout
	}
	if r.MaxBody == 0 {
		r.MaxBody = DefaultMaxBody
	}
	if r.Resolver == nil {
		r.Resolver = net.DefaultResolver
	}
	if r.Dial == nil {
		r.Dial = (&net.Dialer{}).DialContext
	}
	g := &dialer{ranges: newRangeTable(), resolver: r.Resolver, connect: r.Dial, timeout: r.Timeout, private: r.AllowPrivate}
	forPlain := *g
	forPlain.plain = !r.AllowPlain
	return &Client{policy: r, dialer: g, secure: newHTTPClient(g, r), plain: newHTTPClient(&forPlain, r)}
}

func newHTTPClient(g *dialer, r Policy) *http.Client {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	t := &http.Transport{
		Proxy:                  nil, // whatever the environment says
		DialContext:            g.dial,
		TLSClientConfig:        r.TLS.Clone(),
		Protocols:              &protocols,
		DisableCompression:     true,
		DisableKeepAlives:      r.MaxIdle == 0,
		MaxIdleConnsPerHost:    r.MaxIdle,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
	return &http.Client{Transport: t, Timeout: r.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Do sends a request and reads its answer. An answer of any status, a redirect
// too, is no error. A target that may not be reached is Forbidden, and nothing was
// sent; all else that went wrong is Unavailable, with a message that names no more
// than what happened.
func (c *Client) Do(req *http.Request) (Response, error) {
	client := c.secure
	switch {
	case req.URL.Scheme == "http" && (c.policy.AllowPrivate || c.policy.AllowPlain):
		client = c.plain
	case req.URL.Scheme != "https":
		return Response{}, fault.New(fault.Forbidden, "only https addresses are called")
	}
	if req.URL.User != nil {
		return Response{}, fault.New(fault.Forbidden, "an address with a user name in it is not called")
	}
	resp, err := client.Do(req)
	if err != nil {
		return Response{}, toFault(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.policy.MaxBody+1))
	answer := Response{Status: resp.StatusCode, Header: resp.Header, Body: body}
	if int64(len(body)) > c.policy.MaxBody {
		answer.Body, answer.Truncated = body[:c.policy.MaxBody], true
	}
	if err != nil {
		return answer, toFault(err)
	}
	return answer, nil
}

// Check says, before anything is sent, whether an address that somebody wants to be called
// may be: its form, and, where its host is an address in numbers, that. What a
// name resolves to is judged at every connection anew.
func (c *Client) Check(target *url.URL) error {
	host := canonicalHost(target.Hostname())
	switch {
	case target.Scheme != "https" && (target.Scheme != "http" || !c.policy.AllowPrivate && !c.policy.AllowPlain):
		return fault.New(fault.Invalid, "The address must begin with https://")
	case host == "" || target.Opaque != "":
		return fault.New(fault.Invalid, "The address names no host")
	case target.User != nil:
		return fault.New(fault.Invalid, "The address must not hold a user name or password")
	case !c.policy.AllowPrivate && (host == "localhost" || strings.HasSuffix(host, ".localhost")):
		return fault.Newf(fault.Invalid, "%s is this machine, which is not called", host)
	case isNumericHost(host):
		if _, err := netip.ParseAddr(host); err != nil {
			return fault.Newf(fault.Invalid, "%s is a number in place of an address", host)
		}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return nil // a name
	}
	g := *c.dialer
	g.plain = target.Scheme == "http" && !c.policy.AllowPlain
	if err := g.allow(host, addr); err != nil {
		message, _ := fault.Message(err)
		return fault.New(fault.Invalid, message)
	}
	return nil
}

// CheckName says of an address of plain HTTP, whose host is a name, whether that leads to
// public addresses alone now, where plain HTTP is never sent. A name that cannot be resolved
// yet is let through; each request judges it anew.
func (c *Client) CheckName(ctx context.Context, target *url.URL) error {
	host := canonicalHost(target.Hostname())
	if _, err := netip.ParseAddr(host); target.Scheme != "http" || c.policy.AllowPlain || err == nil {
		return nil
	}
	const patience = 3 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	addrs, err := c.dialer.lookup(ctx, host)
	if err != nil {
		return nil //nolint:nilerr // it may be known tomorrow
	}
	g := *c.dialer
	g.plain = true
	if _, err := g.filter(host, addrs); err != nil {
		message, _ := fault.Message(err)
		return fault.New(fault.Invalid, message)
	}
	return nil
}

// canonicalHost writes a host as a resolver will see it: letters and digits in circles or of
// full width become plain ones, and so do the dots of other scripts.
func canonicalHost(host string) string {
	host = strings.Map(func(r rune) rune {
		if r == '\u3002' || r == '\uff0e' || r == '\uff61' {
			return '.'
		}
		return r
	}, host)
	return strings.ToLower(strings.TrimSuffix(norm.NFKC.String(host), "."))
}

// Close ends the connections that are kept for later.
func (c *Client) Close() {
	c.secure.CloseIdleConnections()
	c.plain.CloseIdleConnections()
}

// toFault gives an error of net/http a kind, and words without the address in them:
// an address may hold a secret in its path.
func toFault(err error) error {
	if refused, ok := errors.AsType[*fault.Error](err); ok {
		return refused
	}
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err
	}
	words := err.Error()
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		words = "Timeout"
	} else if errors.Is(err, syscall.ECONNREFUSED) {
		words = "Connection refused"
	}
	return fault.Wrap(fault.Unavailable, err, words)
}
