package httpserver

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
)

// ProxyPolicy keeps plain HTTP from other machines out: tokens and personal data
// would travel in the open (guide, step 2: "Requests over HTTP will be rejected").
// Proxies that are trusted say how and from where a request came to them.
type ProxyPolicy struct {
	Proxies []netip.Prefix
	Fail    func(http.ResponseWriter, *http.Request, error)
}

// Wrap lets through to next what may come in.
func (p ProxyPolicy) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer := peerAddr(r)
		safe := r.TLS != nil || peer.IsLoopback()
		if p.trusts(peer) {
			outer := r
			r = p.applyForwarded(r, peer)
			defer func() { outer.Pattern = r.Pattern }() // calls are counted by route
			// A proxy that does not say is on the operator.
			safe = r.TLS != nil || r.URL.Scheme != "http"
		}
		if !safe {
			p.Fail(w, r, fault.New(fault.Forbidden, "Requests over HTTP are rejected; use HTTPS. "+
				"The operator can set it up with --tls-cert and --tls-key, or with a proxy that the agent is told to trust with --proxies."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (p ProxyPolicy) trusts(peer netip.Addr) bool {
	for _, network := range p.Proxies {
		if network.Contains(peer) {
			return true
		}
	}
	return false
}

// applyForwarded is a request as it came to a trusted proxy. Of the addresses that it
// passed, the last that is not a trusted proxy's is the caller's: what stands
// before it, the caller may have made up.
func (p ProxyPolicy) applyForwarded(r *http.Request, peer netip.Addr) *http.Request {
	inner, address := r.WithContext(r.Context()), *r.URL
	inner.URL = &address
	if scheme := lastValue(r.Header.Values("X-Forwarded-Proto")); scheme == "http" || scheme == "https" {
		inner.URL.Scheme = scheme
	}
	passed := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(passed) - 1; i >= 0 && p.trusts(peer); i-- {
		before, err := netip.ParseAddr(strings.TrimSpace(passed[i]))
		if err != nil {
			break
		}
		peer = before.Unmap()
	}
	inner.RemoteAddr = netip.AddrPortFrom(peer, 0).String()
	return inner
}

func lastValue(values []string) string {
	all := strings.Split(strings.Join(values, ","), ",")
	return strings.ToLower(strings.TrimSpace(all[len(all)-1]))
}

// peerAddr is the other end of a request's connection.
func peerAddr(r *http.Request) netip.Addr {
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Addr().Unmap()
}
