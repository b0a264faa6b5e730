package ssrf_test

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/ssrf"
)

// inner reports whether an address, or an IPv4 one at any place where one may be
// inside it, is of this machine or of networks that nobody outside can reach, as
// far as the library knows them.
func inner(a netip.Addr) bool {
	if a = a.WithZone(""); a.Is4In6() {
		a = a.Unmap()
	}
	if a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() {
		return true
	}
	if !a.Is6() {
		return false
	}
	b := a.As16()
	six := netip.MustParsePrefix("2002::/16")
	nat := netip.MustParsePrefix("64:ff9b::/96")
	return six.Contains(a) && inner(netip.AddrFrom4([4]byte(b[2:6]))) || nat.Contains(a) && inner(netip.AddrFrom4([4]byte(b[12:16])))
}

// FuzzAddress holds that nothing inner is connected to, however the name that leads
// to it or the address itself is written.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{
		"https://example.com/", "https://127.0.0.1/", "https://0x7f.1/", "https://[::ffff:10.0.0.1]/", "https://[64:ff9b::a00:1]:8443/x?y", "https://１２７。0.0.1/",
		"http://8.8.8.8/", "https://[fe80::1%25eth0]/", "https://a:b@[2002:7f00:1::]/", "https:127.1", "https://%31%32%37.1/", "https://[::]:0/",
	} {
		f.Add(seed, []byte{127, 0, 0, 1})
	}
	f.Add("https://example.com/", netip.MustParseAddr("2002:a00:1::").AsSlice())
	f.Fuzz(func(t *testing.T, address string, found []byte) {
		target, err := url.Parse(address)
		if err != nil {
			return
		}
		answer, ok := netip.AddrFromSlice(found)
		if !ok {
			answer = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
		c := ssrf.New(ssrf.Policy{
			Resolver: answers(func(string) []string { return []string{answer.String()} }),
			Dial: func(_ context.Context, _, to string) (net.Conn, error) {
				if there, err := netip.ParseAddrPort(to); err != nil || inner(there.Addr()) {
					t.Errorf("%q, where names lead to %v: connects to %s", address, answer, to)
				}
				return nil, net.ErrClosed
			},
		})
		if err := c.Check(target); err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", address, err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, nil)
		if err != nil {
			return
		}
		if _, err := c.Do(r); err == nil {
			t.Errorf("%q: no error from a connection that failed", address)
		}
	})
}
