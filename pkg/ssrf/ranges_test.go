package ssrf_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/ssrf"
)

// who may be called.
const (
	never    = iota // by no setting
	allowed         // with the setting for private addresses
	everyone        // public
)

func TestFormsOfAddress(t *testing.T) {
	t.Parallel()
	for host, who := range map[string]int{
		// Public, in several forms.
		"93.184.216.34": everyone, "8.8.8.8": everyone, "[2606:4700:4700::1111]": everyone, "[2a00:1450:4001::5]": everyone,
		"[::ffff:8.8.8.8]": everyone, "[64:ff9b::808:808]": everyone, "[2002:808:808::1]": everyone,
		"９３.184.216.34": everyone, "[2606:4700::5efe:808:808]": everyone,
		// This machine.
		"127.0.0.1": allowed, "127.255.255.254": allowed, "[::1]": allowed, "[::ffff:127.0.0.1]": allowed, "[::ffff:7f00:1]": allowed,
		"[0:0:0:0:0:0:0:1]": allowed, "[0:0:0:0:0:ffff:127.0.0.1]": allowed, "１２７.0.0.1": allowed, "127。0。0。1": allowed,
		// Private networks and their edges.
		"10.0.0.1": allowed, "10.255.255.255": allowed, "172.16.0.1": allowed, "172.31.255.255": allowed, "172.32.0.1": everyone,
		"192.168.1.1": allowed, "192.169.0.1": everyone, "100.64.0.1": allowed, "100.127.255.255": allowed, "100.128.0.1": everyone,
		"[fc00::1]": allowed, "[fdff::1]": allowed, "[::ffff:10.0.0.1]": allowed, "[fd00:ec2::254]": allowed,
		// Numbers in place of an address.
		"2130706433": never, "0x7f000001": never, "0x7f.1": never, "017700000001": never, "127.1": never, "0177.0.0.1": never,
		"127.0.0.1.": never, "127.0.0.01": never, "1.2.3": never, "0": never, "a.0x1": never,
		// Registries, version 4.
		"0.0.0.0": never, "0.1.2.3": never, "169.254.169.254": never, "168.63.129.16": never, "192.0.0.1": never, "192.0.0.170": never,
		"192.0.2.1": never, "192.31.196.1": never, "192.52.193.1": never, "192.88.99.1": never, "192.175.48.1": never,
		"198.18.0.1": never, "198.19.255.255": never, "198.51.100.1": never, "203.0.113.1": never, "224.0.0.1": never,
		"239.255.255.255": never, "240.0.0.1": never, "255.255.255.255": never,
		// Registries, version 6.
		"[::]": never, "[64:ff9b:1::1]": never, "[100::1]": never, "[100:0:0:1::1]": never, "[2001:1::1]": never, "[2001:2::1]": never, "[2001:3::1]": never,
		"[2001:4:112::1]": never, "[2001:10::1]": never, "[2001:20::1]": never, "[2001:30::1]": never, "[2001:db8::1]": never,
		"[2620:4f:8000::1]": never, "[3fff::1]": never, "[5f00::1]": never, "[fe80::1]": never, "[fe80::1%25eth0]": never, "[fec0::1]": never,
		"[ff02::1]": never, "[4000::1]": never, "[8000::1]": never, "[1000::1]": never, "[::127.0.0.1]": never, "[::ffff:0:127.0.0.1]": never,
		"[2606:4700::1%251]": never, "[::1%25lo]": never,
		// IPv4 inside.
		"[::ffff:169.254.169.254]": never, "[64:ff9b::7f00:1]": never, "[64:ff9b::10.0.0.1]": never, "[64:ff9b::a9fe:a9fe]": never,
		"[2002:7f00:1::]": never, "[2002:a00:1::1]": never, "[2002:a9fe:a9fe::]": never,
		"[2001:0:808:808:0:0:f5ff:fffe]": never, "[2001:0:a00:1::f7f7:f7f7]": never, "[2001:0:808:808::f7f7:f7f7]": everyone,
		"[2606:4700::5efe:a00:1]": never, "[2606:4700::200:5efe:7f00:1]": never,
	} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			for _, private := range []bool{false, true} {
				want := who == everyone || who == allowed && private
				if got := reached(t, "https://"+host+"/", ssrf.Policy{AllowPrivate: private}); got != want {
					t.Errorf("private %v: connected %v", private, got)
				}
				if got := reached(t, "http://"+host+"/", ssrf.Policy{AllowPrivate: private}); got != (who == allowed && private) {
					t.Errorf("private %v, plain HTTP: connected %v", private, got)
				}
				if got := reached(t, "http://"+host+"/", ssrf.Policy{AllowPrivate: private, AllowPlain: true}); got != want {
					t.Errorf("private %v, plain HTTP allowed: connected %v", private, got)
				}
			}
		})
	}
}

// reached reports whether a request makes a connection. Check may let pass what is
// then refused, but must not refuse what is open.
func reached(t *testing.T, address string, p ssrf.Policy) bool {
	dialled := false
	p.Resolver = answers(func(string) []string { return []string{"127.0.0.1"} })
	p.Dial = func(context.Context, string, string) (net.Conn, error) {
		dialled = true
		return nil, net.ErrClosed
	}
	c := ssrf.New(p)
	if _, err := ask(t, c, http.MethodPost, address); err == nil {
		t.Error("no error from a connection that failed")
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	odd := strings.ContainsAny(u.Host, "１９。") // refused before, for their looks
	if err := c.Check(u); err != nil && (dialled && !odd || !fault.Is(err, fault.Invalid)) {
		t.Errorf("Check of %s: %v", address, err)
	}
	return dialled
}

func TestNamesAreJudgedByTheirAddresses(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"127.0.0.1", "10.1.1.1", "169.254.169.254", "::1", "fd00::1", "::ffff:192.168.0.1", "64:ff9b::a00:1", "fe80::1%eth0", "0.0.0.0", "::"} {
		var dialled []string
		c := ssrf.New(ssrf.Policy{
			Resolver: answers(func(string) []string { return []string{addr} }),
			Dial: func(_ context.Context, _, address string) (net.Conn, error) {
				dialled = append(dialled, address)
				return nil, net.ErrClosed
			},
		})
		if _, err := ask(t, c, http.MethodPost, "https://localhost/"); !fault.Is(err, fault.Forbidden) || dialled != nil {
			t.Error(addr, dialled, err)
		}
	}
}

func TestCheckOfForms(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"https://example.com/hook": true, "https://example.com:8443/hook?a=b": true, "https://8.8.8.8": true,
		"http://example.com/": false, "ftp://example.com/": false, "https:///hook": false, "https:example.com": false,
		"https://user@example.com/": false, "https://user:word@example.com/": false, "https://127.0.0.1/": false,
		"https://0x7f.1/": false, "https://[::1]/": false, "/hook": false, "": false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := ssrf.New(ssrf.Policy{}).Check(u); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, address := range []string{"https://localhost/x", "https://LOCALHOST.:8443/", "https://api.localhost/", "https://①②⑦.⓪.⓪.①/", "https://①⑥⑨.②⑤④.①⑥⑨.②⑤④/",
		"https://１２７。0。0。1/", "https://⓪x7f000001/", "https://ⓛocalhost/"} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := ssrf.New(ssrf.Policy{}).Check(u); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", address, err)
		}
	}
	for address, ok := range map[string]bool{"https://localhost/": true, "http://127.0.0.1:9/": true, "http://example.com/": true, "http://8.8.8.8/": false, "https://8.8.8.8/": true, "https://169.254.169.254/": false} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := ssrf.New(ssrf.Policy{AllowPrivate: true}).Check(u); (err == nil) != ok {
			t.Errorf("private %q: %v", address, err)
		}
	}
}

// names is a resolver that knows some names.
type names map[string][]netip.Addr

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if n[host] == nil {
		return nil, errors.New("no such host")
	}
	return n[host], nil
}

// TestPlainHTTPToNames refuses, before anything is sent, a name that leads into the open over
// plain HTTP, whatever is allowed.
func TestPlainHTTPToNames(t *testing.T) {
	t.Parallel()
	public, private := netip.MustParseAddr("93.184.215.14"), netip.MustParseAddr("10.0.0.1")
	c := ssrf.New(ssrf.Policy{AllowPrivate: true, Resolver: names{
		"public.example.com": {public}, "lms.example.edu": {private}, "both.example.com": {public, private}, "odd.example.com": {netip.MustParseAddr("169.254.169.254")},
	}})
	for address, ok := range map[string]bool{
		"http://public.example.com/": false, "http://ＰＵＢＬＩＣ.example.com./": false, "http://odd.example.com/": false, "https://public.example.com/": true,
		"http://lms.example.edu/": true, "http://both.example.com/": true, "http://later.example.com/": true, "http://10.0.0.1/": true,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.CheckName(t.Context(), u); (err == nil) != ok || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
