package httpserver

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// called sends a request through a perimeter, and tells how it came in: "" where it
// was not let in.
func called(t *testing.T, proxies, peer string, headers ...string) (from, scheme string) {
	t.Helper()
	p := ProxyPolicy{Fail: func(http.ResponseWriter, *http.Request, error) {}}
	if proxies != "" {
		p.Proxies = []netip.Prefix{netip.MustParsePrefix(proxies)}
	}
	r := httptest.NewRequest(http.MethodGet, "/business/batches", nil)
	r.RemoteAddr = peer
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	p.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		from, scheme = r.RemoteAddr, r.URL.Scheme
	})).ServeHTTP(httptest.NewRecorder(), r)
	return from, scheme
}

func TestProxyPolicy(t *testing.T) {
	t.Parallel()
	const proto, passed = "X-Forwarded-Proto", "X-Forwarded-For"
	for _, tt := range []struct {
		name, proxies, peer, want string
		headers                   []string
	}{
		{name: "this machine", peer: "127.0.0.1:5", want: "127.0.0.1:5"},
		{name: "another machine, plainly", peer: "192.0.2.7:5"},
		{name: "a stranger who claims HTTPS", proxies: "10.0.0.1/32", peer: "192.0.2.7:5", headers: []string{proto, "https"}},
		{name: "by a proxy", proxies: "10.0.0.0/8", peer: "10.1.2.3:5", headers: []string{proto, "https", passed, "192.0.2.7"}, want: "192.0.2.7:0"},
		{name: "by two proxies", proxies: "10.0.0.0/8", peer: "10.1.2.3:5", headers: []string{proto, "https", passed, "198.51.100.9, 192.0.2.7,10.9.9.9"}, want: "192.0.2.7:0"},
		{name: "by a proxy, plainly", proxies: "10.0.0.1/32", peer: "10.0.0.1:5", headers: []string{proto, "http", passed, "192.0.2.7"}},
		{name: "the caller's own claim before the proxy's", proxies: "10.0.0.1/32", peer: "10.0.0.1:5", headers: []string{proto, "https", proto, "http"}},
		{name: "a proxy on this machine that has lost the address", proxies: "127.0.0.1/32", peer: "127.0.0.1:5", headers: []string{proto, "https", passed, "unknown"}, want: "127.0.0.1:0"},
	} {
		if from, _ := called(t, tt.proxies, tt.peer, tt.headers...); from != tt.want {
			t.Errorf("%s: from %q, want %q", tt.name, from, tt.want)
		}
	}
}

// TestRouteOfForwarded counts calls by a proxy by their routes, as those without.
func TestRouteOfForwarded(t *testing.T) {
	t.Parallel()
	p := ProxyPolicy{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /business/{name}", func(http.ResponseWriter, *http.Request) {})
	for _, peer := range []string{"127.0.0.1:5", "10.0.0.1:5"} {
		r := httptest.NewRequest(http.MethodGet, "/business/batches", nil)
		r.RemoteAddr = peer
		r.Header.Set("X-Forwarded-Proto", "https")
		if p.Wrap(mux).ServeHTTP(httptest.NewRecorder(), r); r.Pattern != "GET /business/{name}" {
			t.Errorf("by %s: counted as %q", peer, r.Pattern)
		}
	}
}

// FuzzForwarded holds that a caller is never taken for a proxy's neighbour by what he
// says himself, and that a caller who is behind the proxy has an address.
func FuzzForwarded(f *testing.F) {
	f.Add("https", "192.0.2.7")
	f.Add("http, https", "::1, 10.0.0.1")
	f.Add("", ",,%,fe80::1%eth0")
	f.Fuzz(func(t *testing.T, proto, passed string) {
		if from, _ := called(t, "10.0.0.0/8", "192.0.2.1:5", "X-Forwarded-Proto", proto, "X-Forwarded-For", passed); from != "" {
			t.Errorf("a stranger was let in over plain HTTP as %s", from)
		}
		// What the proxy adds stands last.
		from, scheme := called(t, "10.0.0.0/8", "10.0.0.1:5", "X-Forwarded-Proto", proto, "X-Forwarded-Proto", "https",
			"X-Forwarded-For", passed, "X-Forwarded-For", "192.0.2.7")
		if from != "192.0.2.7:0" || scheme != "https" {
			t.Errorf("the proxy says 192.0.2.7 over HTTPS: %s over %s", from, scheme)
		}
		from, _ = called(t, "10.0.0.0/8", "10.0.0.1:5", "X-Forwarded-Proto", proto, "X-Forwarded-For", passed)
		if _, err := netip.ParseAddrPort(from); from != "" && err != nil {
			t.Errorf("%q leads to %q, which is no address", passed, from)
		}
	})
}
