package client

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// DefaultTimeout is how long a server may be silent.
const DefaultTimeout = time.Minute

// TransportOptions say how a client reaches servers on other machines.
type TransportOptions struct {
	// UserAgent is what requests say of the program, such as vecctl/1.2.0.
	UserAgent string
	// CA names a PEM file with certificates that are trusted besides those of the system.
	CA string
	// Timeout is how long a server may be silent: nothing of the request leaves, and
	// nothing of the response arrives. A call that makes progress may take any time. 0 is
	// DefaultTimeout.
	Timeout time.Duration
}

// Transport reaches servers on other machines. It ends calls to a server that is silent,
// and says of a certificate that is not trusted why, and which fingerprint it has.
type Transport struct {
	http      *http.Transport
	userAgent string
	timeout   time.Duration
}

// NewTransport returns a transport; it connects to nothing yet.
func NewTransport(o TransportOptions) (*Transport, error) {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	const (
		connectTimeout = 20 * time.Second // each for the connection and for TLS
		pingAfter      = 15 * time.Second // of silence on a connection that is shared
	)
	t := &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: min(connectTimeout, o.Timeout)}).DialContext, TLSHandshakeTimeout: min(connectTimeout, o.Timeout),
		ForceAttemptHTTP2: true, HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingAfter},
		MaxIdleConns: 100, MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: 1 << 20,
	}
	if o.CA != "" {
		roots, err := readRoots(o.CA)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return &Transport{http: t, userAgent: o.UserAgent, timeout: o.Timeout}, nil
}

// readRoots returns the system's certificates and those of a file.
func readRoots(path string) (*x509.CertPool, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the certificates in %s cannot be read; check its name and permissions", path))
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a machine without any
	}
	if !roots.AppendCertsFromPEM(raw) {
		return nil, fault.Newf(fault.Invalid, "%s holds no certificate; want a PEM file that begins with -----BEGIN CERTIFICATE-----", path)
	}
	return roots, nil
}

// errSilent is the cause of the error of a call whose server was silent for too long.
var errSilent = errors.New("the server is silent")

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	silence := &watchdog{timeout: t.timeout, timer: time.AfterFunc(t.timeout, func() { cancel(errSilent) })}
	inner := r.Clone(ctx)
	if t.userAgent != "" && r.Header.Get("User-Agent") == "" {
		inner.Header.Set("User-Agent", t.userAgent)
	}
	inner.Body = silence.watchRequest(r.Body, r.ContentLength)
	if r.GetBody != nil {
		inner.GetBody = func() (io.ReadCloser, error) {
			again, err := r.GetBody()
			return silence.watchRequest(again, r.ContentLength), err
		}
	}
	resp, err := t.http.RoundTrip(inner)
	silence.timer.Stop()
	if err != nil {
		err = t.explain(ctx, r, err)
		cancel(nil)
		return nil, err
	}
	resp.Body = &responseBody{ReadCloser: resp.Body, transport: t, request: r, watchdog: silence, ctx: ctx, cancel: cancel}
	return resp, nil
}

// CloseIdleConnections closes the connections that no call uses.
func (t *Transport) CloseIdleConnections() { t.http.CloseIdleConnections() }

// explain gives an error of a call the words for its reason.
func (t *Transport) explain(ctx context.Context, r *http.Request, err error) error {
	if r.Context().Err() != nil {
		return err
	}
	silent := errors.Is(context.Cause(ctx), errSilent)
	if timeout, ok := errors.AsType[net.Error](err); silent || ok && timeout.Timeout() {
		t.http.CloseIdleConnections() // the next attempt must not take the same connection
		limit := "in time"
		if silent {
			limit = fmt.Sprintf("within %v", t.timeout)
		}
		return fault.Wrap(fault.Unavailable, errSilent, fmt.Sprintf(
			"%s did not answer %s; check the address, and that it runs and no firewall swallows the connection", r.URL.Host, limit))
	}
	if failed, ok := errors.AsType[*tls.CertificateVerificationError](err); ok && len(failed.UnverifiedCertificates) > 0 {
		return untrusted(failed, r.URL.Host)
	}
	return err
}

// untrusted returns the error of a server whose certificate is not trusted.
func untrusted(failed *tls.CertificateVerificationError, host string) error {
	leaf := failed.UnverifiedCertificates[0]
	why, fix := "no authority that this machine trusts has signed it",
		"If the server's operator names the same fingerprint, save the certificate, or that of the operator's authority, as a PEM file and name it with --ca FILE."
	if wrong, ok := errors.AsType[x509.HostnameError](failed); ok {
		why, fix = "it is for "+namesOf(wrong.Certificate), "Use one of these names in the address."
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](failed); ok {
		why = invalid.Error()
		if invalid.Reason == x509.Expired {
			why = fmt.Sprintf("it is valid from %s to %s", leaf.NotBefore.Format(time.DateOnly), leaf.NotAfter.Format(time.DateOnly))
			fix = "Check this machine's clock; if it is right, the server's operator must renew the certificate."
		}
	}
	return fault.Wrap(fault.Unavailable, failed, fmt.Sprintf("the certificate of %s is not trusted: %s. Its SHA-256 fingerprint is %s. %s", host, why, fingerprint(leaf), fix))
}

// namesOf lists the names and addresses that a certificate is for.
func namesOf(c *x509.Certificate) string {
	const most = 5
	names := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	switch {
	case len(names) == 0:
		return "no name at all"
	case len(names) > most:
		names = append(names[:most], "...")
	}
	return strings.Join(names, ", ")
}

// fingerprint is a certificate's SHA-256, as OpenSSL and browsers print it.
func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

// IsUntrusted reports whether an error is that of a server whose certificate is not
// trusted, so that calling it again is no use.
func IsUntrusted(err error) bool {
	_, is := errors.AsType[*tls.CertificateVerificationError](err)
	return is
}

// watchdog ends a call when nothing moves for a while.
type watchdog struct {
	timeout time.Duration
	timer   *time.Timer
}

// watchRequest returns a request's body whose reading counts as progress.
func (w *watchdog) watchRequest(body io.ReadCloser, size int64) io.ReadCloser {
	if body == nil || body == http.NoBody {
		return body
	}
	return &requestBody{ReadCloser: body, watchdog: w, size: size}
}

// requestBody is a request's body on its way out.
type requestBody struct {
	io.ReadCloser
	watchdog   *watchdog
	size, sent int64
}

// The end of a body may lie in the machine's buffers for a while after it was read:
// bufferedBytes at most, which leave at slowestLink bytes a second or quicker.
const (
	bufferedBytes = 1 << 20
	slowestLink   = 16 << 10
)

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.sent += int64(n)
	timeout := b.watchdog.timeout
	if err != nil || b.size > 0 && b.sent >= b.size {
		timeout += time.Duration(min(b.sent, bufferedBytes)) * time.Second / slowestLink
	}
	b.watchdog.timer.Reset(timeout)
	return n, err
}

// responseBody is a response's body. The time counts while somebody waits for it.
type responseBody struct {
	io.ReadCloser
	transport *Transport
	request   *http.Request
	watchdog  *watchdog
	ctx       context.Context //nolint:containedctx // the call's; its cause says why reading failed
	cancel    context.CancelCauseFunc
}

func (b *responseBody) Read(p []byte) (int, error) {
	b.watchdog.timer.Reset(b.watchdog.timeout)
	n, err := b.ReadCloser.Read(p)
	b.watchdog.timer.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.transport.explain(b.ctx, b.request, err)
	}
	return n, err
}

func (b *responseBody) Close() error {
	err := b.ReadCloser.Close()
	b.watchdog.timer.Stop()
	b.cancel(nil)
	return err
}
