package client

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
)

// CheckAddress returns a server's base URL without slashes at its end. Without InsecureHTTP
// it refuses to send a secret over plain HTTP to another machine. The error names an
// example of an address.
func CheckAddress(base, example string, hasSecret bool, options ...Option) (string, error) {
	u, err := url.Parse(base)
	if err == nil && u.User != nil {
		// It would stand in messages and logs.
		return "", fault.New(fault.Invalid, "the address of a server must not hold a user name or a password; a token is given beside it")
	}
	if err != nil || u.Host == "" || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", fault.Newf(fault.Invalid, "%q is not the address of a server; want one such as %s", base, example)
	}
	if hasSecret && u.Scheme == "http" && !isThisMachine(u) && !slices.Contains(options, InsecureHTTP) {
		return "", fault.Newf(fault.Invalid, "the token is not sent to %s over plain HTTP, where everybody on the way can read it; "+
			"use the https:// address, or --insecure-http if the way there is safe", u.Host)
	}
	return strings.TrimRight(base, "/"), nil
}

// isThisMachine reports whether requests to an address stay on this machine. Names below
// localhost do not count: a proxy of the environment may get requests to them.
func isThisMachine(u *url.URL) bool {
	host := u.Hostname()
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

// CheckRedirect returns a policy of redirects for an http.Client whose requests have their
// secrets in some headers. A redirect within the server is followed as it is. Reading is
// redirected to other servers too, without the secrets; a request that changes something
// is not, and neither is one that would become another or leave HTTPS: the redirect
// itself is the response then.
func CheckRedirect(secrets ...string) func(next *http.Request, via []*http.Request) error {
	return func(next *http.Request, via []*http.Request) error {
		const most = 10
		first := via[0]
		if len(via) >= most || next.Method != first.Method || first.URL.Scheme == "https" && next.URL.Scheme != "https" {
			return http.ErrUseLastResponse
		}
		if sameServer(first.URL, next.URL) {
			return nil
		}
		if first.Method != http.MethodGet && first.Method != http.MethodHead {
			return http.ErrUseLastResponse
		}
		for _, name := range append(secrets, "Referer", "Cookie") {
			next.Header.Del(name)
		}
		return nil
	}
}

// sameServer reports whether two addresses are of one server: the same scheme, name and
// port, or HTTPS on its usual port in place of HTTP on its own.
func sameServer(from, to *url.URL) bool {
	if !strings.EqualFold(from.Hostname(), to.Hostname()) {
		return false
	}
	if from.Scheme == to.Scheme {
		return portOf(from) == portOf(to)
	}
	return from.Scheme == "http" && to.Scheme == "https" && portOf(from) == "80" && portOf(to) == "443"
}

func portOf(u *url.URL) string {
	switch port := u.Port(); {
	case port != "":
		return port
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}
