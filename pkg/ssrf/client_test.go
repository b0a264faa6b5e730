package ssrf_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/ssrf"
)

// answers is a resolver that gives each name its next list of addresses.
type answers func(host string) []string

func (a answers) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	var found []netip.Addr
	for _, text := range a(host) {
		found = append(found, netip.MustParseAddr(text))
	}
	return found, nil
}

func ask(t *testing.T, c *ssrf.Client, method, url string) (ssrf.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("{}"))
	if err != nil {
		return ssrf.Response{}, err
	}
	return c.Do(req)
}

// open answers a connection like a server that is content, over plain HTTP.
func open(reply string) ssrf.Dial {
	return func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			req, err := http.ReadRequest(bufio.NewReader(there))
			if err == nil {
				io.Copy(io.Discard, req.Body)
				io.WriteString(there, reply)
			}
		}()
		return here, nil
	}
}

func TestDNSAnswersThatFlip(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	canary := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(canary.Close)
	public := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(public.Close)
	roots := public.Client().Transport.(*http.Transport).TLSClientConfig

	asked, sent := 0, 0
	c := ssrf.New(ssrf.Policy{
		TLS: &tls.Config{RootCAs: roots.RootCAs, ServerName: "example.com", MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(1)},
		Resolver: answers(func(string) []string {
			asked++
			switch asked % 4 {
			case 0:
				return []string{"127.0.0.1"}
			case 1:
				return []string{"93.184.216.34"}
			case 2:
				return []string{"127.0.0.1", "93.184.216.34"}
			}
			return []string{"93.184.216.34", "::ffff:127.0.0.1"}
		}),
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			var d net.Dialer
			if address != "93.184.216.34:443" {
				reached.Add(1)
				return d.DialContext(ctx, network, canary.Listener.Addr().String())
			}
			return d.DialContext(ctx, network, public.Listener.Addr().String())
		},
	})
	for range 1000 {
		answer, err := ask(t, c, http.MethodPost, "https://flip.example/hook")
		switch {
		case err == nil && answer.Status == http.StatusNoContent:
			sent++
		case !fault.Is(err, fault.Forbidden):
			t.Fatal(answer.Status, err)
		}
	}
	if reached.Load() != 0 {
		t.Errorf("%d connections to the canary", reached.Load())
	}
	if asked != 1000 || sent != 750 {
		t.Errorf("%d lookups, %d requests arrived", asked, sent)
	}
}

func TestKeptConnectionsStayWhereTheyWereJudged(t *testing.T) {
	t.Parallel()
	var dialled []string
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	first := true
	c := ssrf.New(ssrf.Policy{
		MaxIdle: 2,
		TLS:     &tls.Config{RootCAs: roots, ServerName: "example.com", MinVersion: tls.VersionTLS12},
		Resolver: answers(func(string) []string {
			if first {
				first = false
				return []string{"93.184.216.34"}
			}
			return []string{"10.0.0.1"}
		}),
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled = append(dialled, address)
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		},
	})
	for range 3 {
		if _, err := ask(t, c, http.MethodPost, "https://flip.example/"); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	if _, err := ask(t, c, http.MethodPost, "https://flip.example/"); !fault.Is(err, fault.Forbidden) {
		t.Error("after the connection was closed:", err)
	}
	if len(dialled) != 1 || dialled[0] != "93.184.216.34:443" {
		t.Error(dialled)
	}
}

func TestNoProxyAndNoRedirect(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, "http://10.9.9.9:3128")
	}
	hits := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(server.Close)
	answer, err := ask(t, ssrf.New(ssrf.Policy{AllowPrivate: true}), http.MethodPost, server.URL)
	if err != nil || answer.Status != http.StatusTemporaryRedirect || hits != 1 {
		t.Error(answer.Status, hits, err)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("x", 100)
	for _, test := range []struct {
		name, reply string
		most        int64
		want        string
		cut, fails  bool
	}{
		{"shorter", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + body, 200, body, false, false},
		{"as long", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + body, 100, body, false, false},
		{"longer", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + body, 99, body[:99], true, false},
		{"endless", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n" + body + "\r\n64\r\n" + body, 150, (body + body)[:150], true, false},
		{"broken off", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", 200, "abc", false, true},
		{"huge header", "HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("x", 70<<10) + "\r\n\r\n", 99, "", false, true},
		{"no HTTP", "SSH-2.0-OpenSSH_9.6\r\n", 99, "", false, true},
		{"packed", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 99, "abc", false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := ssrf.New(ssrf.Policy{AllowPrivate: true, MaxBody: test.most, Dial: open(test.reply)})
			got, err := ask(t, c, http.MethodPost, "http://127.0.0.1/")
			if string(got.Body) != test.want || got.Truncated != test.cut || (err != nil) != test.fails {
				t.Errorf("%d bytes, cut %v, %v", len(got.Body), got.Truncated, err)
			}
			if err != nil && !fault.Is(err, fault.Unavailable) {
				t.Error(err)
			}
		})
	}
}

func TestTimeIsBounded(t *testing.T) {
	t.Parallel()
	silent := func(net.Conn) {}
	drip := func(c net.Conn) {
		if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"); err != nil {
			return
		}
		for {
			time.Sleep(time.Second)
			if _, err := c.Write([]byte("x")); err != nil {
				return
			}
		}
	}
	for name, serve := range map[string]func(net.Conn){"never answers": silent, "one byte a second": drip} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := ssrf.New(ssrf.Policy{AllowPrivate: true, Dial: func(context.Context, string, string) (net.Conn, error) {
					here, there := net.Pipe()
					go func() { // an answer before the request would be none
						req, err := http.ReadRequest(bufio.NewReader(there))
						if err == nil {
							_, err = io.Copy(io.Discard, req.Body)
						}
						if err == nil {
							serve(there)
						}
					}()
					return here, nil
				}})
				began := time.Now()
				_, err := ask(t, c, http.MethodPost, "http://127.0.0.1/")
				if message, _ := fault.Message(err); message != "Timeout" || time.Since(began) != 10*time.Second {
					t.Error(time.Since(began), err)
				}
				time.Sleep(2 * time.Second) // the dripping server notices
			})
		})
	}
}

func TestADeadAddressLeavesTimeForTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		live := open("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		c := ssrf.New(ssrf.Policy{
			AllowPrivate: true,
			Resolver:     answers(func(string) []string { return []string{"fd00::1", "10.0.0.1"} }),
			Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				if strings.HasPrefix(address, "[fd00") {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return live(ctx, network, address)
			},
		})
		if got, err := ask(t, c, http.MethodPost, "http://inside.example/"); err != nil || got.Status != http.StatusOK {
			t.Error(got.Status, err)
		}
	})
}

func TestErrorsSayWhatHappenedWithoutTheAddress(t *testing.T) {
	t.Parallel()
	const gone = "127.0.0.1:1" // one that was free a moment ago may be another test's now
	c := ssrf.New(ssrf.Policy{AllowPrivate: true})
	_, err := ask(t, c, http.MethodPost, "http://"+gone+"/secret-path")
	if message, _ := fault.Message(err); message != "Connection refused" || strings.Contains(err.Error(), "secret-path") {
		t.Error(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+gone, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(req); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	lost := ssrf.New(ssrf.Policy{Resolver: answers(func(string) []string { return nil })})
	if _, err := ask(t, lost, http.MethodPost, "https://nowhere.example/"); !fault.Is(err, fault.Unavailable) {
		t.Error(fmt.Sprint(err))
	}
}
