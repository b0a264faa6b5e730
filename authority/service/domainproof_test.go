package service

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/pkg/ssrf"
)

var testDomain = authority.Domain{Name: "example.com", Store: "s", Token: "0123456789abcdef"}

// server is a DNS server that has TXT records for the challenge's absolute name
// and nothing for any other.
func server(t *testing.T, records ...string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil {
				continue
			}
			m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
			if q := m.Questions[0]; q.Name.String() != testDomain.RecordName() {
				m.RCode = dnsmessage.RCodeNameError
			} else if q.Type == dnsmessage.TypeTXT {
				for _, text := range records {
					m.Answers = append(m.Answers, dnsmessage.Resource{
						Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
						Body:   &dnsmessage.TXTResource{TXT: []string{text}},
					})
				}
			}
			answer, err := m.Pack()
			if err == nil {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	}()
	return NewResolver(conn.LocalAddr().String())
}

// silent is a resolver that fails.
func silent() *net.Resolver {
	return &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("the server misbehaves")
	}}
}

// noPage is a front page that cannot be fetched.
type noPage struct{}

func (noPage) Do(*http.Request) (ssrf.Response, error) {
	return ssrf.Response{}, context.DeadlineExceeded
}

func TestRecords(t *testing.T) {
	t.Parallel()
	right, other := testDomain.Record(), authority.TagName+"=another"
	for name, test := range map[string]struct {
		resolvers []*net.Resolver
		proven    bool
		found     string
	}{
		"both":             {[]*net.Resolver{server(t, right), server(t, right)}, true, ""},
		"among others":     {[]*net.Resolver{server(t, "v=spf1 -all", right), server(t, right, other)}, true, ""},
		"one alone":        {[]*net.Resolver{server(t, right)}, false, "at least two"},
		"one of two":       {[]*net.Resolver{server(t, right), server(t)}, false, "disagree"},
		"the other of two": {[]*net.Resolver{server(t), server(t, right)}, false, "disagree"},
		"two of three":     {[]*net.Resolver{server(t, right), server(t, right), server(t, other)}, false, "disagree"},
		"one silent":       {[]*net.Resolver{server(t, right), silent()}, false, "disagree"},
		"both silent":      {[]*net.Resolver{silent(), silent()}, false, "did not answer"},
		"both another":     {[]*net.Resolver{server(t, other), server(t, other)}, false, "something else"},
		"none":             {[]*net.Resolver{server(t), server(t)}, false, "no TXT record at _vendweave-challenge.example.com."},
		"more than it":     {[]*net.Resolver{server(t, right+"0"), server(t, right+"0")}, false, "something else"},
		"in capitals":      {[]*net.Resolver{server(t, strings.ToUpper(right)), server(t, strings.ToUpper(right))}, false, "something else"},
	} {
		proof, found := (&DomainValidator{Resolvers: test.resolvers, HTTP: noPage{}}).Validate(t.Context(), testDomain)
		if (proof == authority.ByRecord) != test.proven || !strings.Contains(found, test.found) {
			t.Errorf("%s: %q, %q", name, proof, found)
		}
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	tag := testDomain.Tag()
	for page, want := range map[string]bool{
		"<html><head>" + tag + "</head></html>":                                        true,
		"<!doctype html><title>x</title>" + tag:                                        true,
		"<HEAD><META CONTENT='0123456789abcdef' NAME=Vendweave-Domain-Verification />": true,
		"<head><script>if (a < b) '<body>'</script>" + tag:                             true,
		"<head></head><body>" + tag:                                                    false,
		"<p>hello" + tag:                                                               false,
		"<head><!-- " + tag + " --></head>":                                            false,
		"<head><title>" + tag + "</title>":                                             false,
		"<head><script>'" + tag + "'</script>":                                         false,
		"<head><noscript>" + tag + "</noscript>":                                       false,
		strings.Replace(tag, "abcdef", "abcdee", 1):                                    false,
		"<meta content=0123456789abcdef>":                                              false,
		"":                                                                             false,
	} {
		if got := slices.Contains(verificationTags([]byte(page)), testDomain.Token); got != want {
			t.Errorf("%s: %v", page, got)
		}
	}
}

func FuzzTags(f *testing.F) {
	f.Add([]byte("<html><head>" + testDomain.Tag() + "</head></html>"))
	f.Add([]byte("<meta name=x content='"))
	f.Fuzz(func(t *testing.T, page []byte) {
		for _, found := range verificationTags(page) {
			if len(found) > len(page)*3 {
				t.Error("more comes out than went in")
			}
		}
	})
}

// resolver finds one address for every name.
type resolver netip.Addr

func (r resolver) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.Addr(r)}, nil
}

// A real server answers for example.com, at an address that is taken for a public
// one; then at one that is not.
func TestFrontPages(t *testing.T) {
	t.Parallel()
	var answer http.HandlerFunc
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r) }))
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	pages := func(at string) HTTPClient {
		return ssrf.New(ssrf.Policy{
			Timeout: 2 * time.Second, MaxBody: PageSize, Resolver: resolver(netip.MustParseAddr(at)), TLS: &tls.Config{RootCAs: roots},
			Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
			},
		})
	}
	respond := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
	}
	for name, test := range map[string]struct {
		at     string
		answer http.HandlerFunc
		found  string
	}{
		"there":       {"93.184.215.14", respond("<head>" + testDomain.Tag()), ""},
		"missing":     {"93.184.215.14", respond("<head>"), "no such meta tag"},
		"too far":     {"93.184.215.14", respond("<head><script>" + strings.Repeat("x", PageSize) + "</script>" + testDomain.Tag()), "no such meta tag"},
		"loopback":    {"127.0.0.1", respond("<head>" + testDomain.Tag()), "not at a public address"},
		"private":     {"10.0.0.1", respond("<head>" + testDomain.Tag()), "not at a public address"},
		"error":       {"93.184.215.14", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, "status 404"},
		"redirection": {"93.184.215.14", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) }, "status 302"},
	} {
		answer = test.answer
		proof, found := (&DomainValidator{Resolvers: []*net.Resolver{silent(), silent()}, HTTP: pages(test.at)}).Validate(t.Context(), testDomain)
		if (proof == authority.ByTag) != (test.found == "") || !strings.Contains(found, test.found) {
			t.Errorf("%s: %q, %q", name, proof, found)
		}
	}
}

func TestServers(t *testing.T) {
	t.Parallel()
	got, err := ParseServers([]string{"1.1.1.1", "9.9.9.9:5353", "2620:fe::fe"})
	if err != nil || !slices.Equal(got, []string{"1.1.1.1:53", "9.9.9.9:5353", "[2620:fe::fe]:53"}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range [][]string{nil, {"1.1.1.1"}, {"1.1.1.1", "1.1.1.1:53"}, {"1.1.1.1", "dns.example.org"}} {
		if _, err := ParseServers(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
