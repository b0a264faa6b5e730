package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// certificateWarning is how long before its end a web server's certificate should have been renewed.
const certificateWarning = 14 * 24 * time.Hour

// CheckBaseURL looks at the address that QR codes lead to.
func (p Target) CheckBaseURL(ctx context.Context) []Finding {
	const check = "base-url"
	const set = "vecctl init --base-url https://YOUR-PUBLIC-ADDRESS"
	u, err := url.Parse(p.BaseURL)
	switch {
	case err != nil || u.Host == "":
		return failure(check, set, "the base URL %q is no address", p.BaseURL)
	case p.BaseURL == p.Default:
		return failure(check, set, "no base URL is set: QR codes lead to %s, which works on this machine alone", p.Default)
	case isLoopback(u.Hostname()):
		return failure(check, set, "the base URL %s works on this machine alone", p.BaseURL)
	}
	var found []Finding
	if u.Scheme != "https" {
		found = failure("tls", set, "links begin with %s: without TLS, a person who checks a certificate cannot rely on the answer", p.BaseURL)
	}
	state, err := p.fetchBaseURL(ctx)
	switch {
	case isTLSError(err):
		return append(found, failure("tls", "renew the certificate of the web server at "+u.Host+", or install its whole chain",
			"browsers will refuse %s: %v", p.BaseURL, rootCause(err))...)
	case err != nil:
		return append(found, failure(check, "check the name, the firewall, and that the web server there passes calls on to the agent",
			"%s cannot be reached from here: %v", p.BaseURL, rootCause(err))...)
	}
	found = append(found, ok(check, "%s can be reached", p.BaseURL)...)
	if state == nil || len(state.PeerCertificates) == 0 {
		return found
	}
	end := state.PeerCertificates[0].NotAfter
	if left := end.Sub(p.Now()); left < certificateWarning {
		return append(found, failure("tls", "renew it", "the certificate of %s ends on %s, in %d days", u.Host, end.Format(time.DateOnly), days(left))...)
	}
	return append(found, ok("tls", "the certificate of %s is valid until %s", u.Host, end.Format(time.DateOnly))...)
}

// fetchBaseURL calls the base URL; any answer will do.
func (p Target) fetchBaseURL(ctx context.Context) (*tls.ConnectionState, error) {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.BaseURL, nil)
	if err != nil {
		return nil, err
	}
	c := http.Client{Transport: p.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	return resp.TLS, resp.Body.Close()
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func isTLSError(err error) bool {
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, name := errors.AsType[x509.HostnameError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	return verification || unknown || name || record
}

// rootCause is the part of an error that says what happened.
func rootCause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
