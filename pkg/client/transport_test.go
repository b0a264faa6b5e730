package client_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/authorityclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

// TestPlainHTTP keeps tokens and keys off the open network.
func TestPlainHTTP(t *testing.T) {
	t.Parallel()
	for base, safe := range map[string]bool{
		"http://127.0.0.1:7780": true, "http://127.8.9.1": true, "http://[::1]:80/": true, "http://localhost": true, "http://LOCALHOST:1/x": true,
		"http://[::ffff:127.0.0.1]": true, "https://vault.example.edu": true,
		"http://vault.example.edu": false, "http://10.0.0.1": false, "http://0.0.0.0": false, "http://127.1": false, "http://x.localhost": false,
		"http://localhost.example.edu": false, "http://[fe80::1]": false, "HTTP://vault.example.edu": false, "http://127.0.0.1.example.edu": false,
	} {
		_, withToken := client.New(base, "t", http.DefaultTransport)
		_, withKey := authorityclient.New(base, "k", "s", http.DefaultTransport)
		for what, err := range map[string]error{"a token": withToken, "a key": withKey} {
			message, _ := fault.Message(err)
			if safe != (err == nil) || !safe && (!fault.Is(err, fault.Invalid) || !strings.Contains(message, "--insecure-http")) {
				t.Errorf("%s to %s: %v", what, base, err)
			}
		}
		_, allowed := client.New(base, "t", http.DefaultTransport, client.InsecureHTTP)
		_, secretless := client.New(base, "", http.DefaultTransport)
		if allowed != nil || secretless != nil {
			t.Errorf("%s: %v, %v", base, allowed, secretless)
		}
	}
	for _, base := range []string{"https://ann:secret@vault.example.edu", "https://ann@vault.example.edu", "https://:443"} {
		if _, err := client.New(base, "", http.DefaultTransport); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", base, err)
		}
	}
}

// transportFor returns a transport that says who it is and waits for half a second.
func transportFor(t *testing.T, o client.TransportOptions) *client.Transport {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = 500 * time.Millisecond
	}
	transport, err := client.NewTransport(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// TestUntrustedCertificates says why a certificate is not trusted and what its fingerprint
// is, once, and trusts those of a file.
func TestUntrustedCertificates(t *testing.T) {
	t.Parallel()
	calls := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if got := r.Header.Get("User-Agent"); got != "vecctl/1.2.3" {
			t.Errorf("the program calls itself %q", got)
		}
		_, _ = io.WriteString(w, "[]")
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	sum := sha256.Sum256(server.Certificate().Raw)
	fingerprint := strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
	waits := 0
	patient := client.RetryPolicy{Attempts: 5, Sleep: func(context.Context, time.Duration) error { waits++; return nil }}
	call := func(base string, o client.TransportOptions) error {
		c, err := client.New(base, "secret", transportFor(t, o))
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.WithRetries(patient).Templates(t.Context())
		return err
	}
	err := call(server.URL, client.TransportOptions{})
	message, _ := fault.Message(err)
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(message, "is not trusted") || !strings.Contains(message, fingerprint) || !strings.Contains(message, "--ca FILE") {
		t.Errorf("%v", err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	trusting := client.TransportOptions{CA: ca, UserAgent: "vecctl/1.2.3"}
	err = call(strings.Replace(server.URL, "127.0.0.1", "localhost", 1), trusting)
	if message, _ := fault.Message(err); !strings.Contains(message, "it is for example.com") || !strings.Contains(message, fingerprint) {
		t.Errorf("another name: %v", err)
	}
	if calls > 0 || waits > 1 { // a connection may break on a busy machine, once
		t.Errorf("%d calls arrived, and %d were tried again", calls, waits)
	}
	if err := call(server.URL, trusting); err != nil {
		t.Errorf("a certificate of the file: %v", err)
	}
	a, err := authorityclient.New(server.URL, "k", "s", transportFor(t, client.TransportOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Status(t.Context(), "example.com"); !strings.Contains(err.Error(), fingerprint) {
		t.Errorf("an authority: %v", err)
	}
	for _, bad := range []string{filepath.Join(t.TempDir(), "none.pem"), filepath.Join("..", "..", "go.mod")} {
		if _, err := client.NewTransport(client.TransportOptions{CA: bad}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestSilentServers ends calls to servers from which nothing comes, wherever they fall silent.
func TestSilentServers(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"nothing": "", "half a line": "HTTP/1.1 200", "half a header": "HTTP/1.1 200 OK\r\nContent-", "no body": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
		"half a body": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[", "half a chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[",
	} {
		for _, scheme := range []string{"http", "https"} {
			if scheme == "https" && name != "nothing" {
				continue
			}
			t.Run(scheme+" "+name, func(t *testing.T) {
				t.Parallel()
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				go func() {
					for {
						conn, err := l.Accept()
						if err != nil {
							return
						}
						defer conn.Close()
						go func() {
							// An answer to a request that has not come yet would be no answer.
							_, _ = conn.Read(make([]byte, 1))
							_, _ = io.WriteString(conn, answer)
						}()
					}
				}()
				waits := 0
				c, err := client.New(scheme+"://"+l.Addr().String(), "t", transportFor(t, client.TransportOptions{Timeout: 100 * time.Millisecond}))
				if err != nil {
					t.Fatal(err)
				}
				c = c.WithRetries(client.RetryPolicy{Attempts: 7, Sleep: func(context.Context, time.Duration) error { waits++; return nil }})
				_, err = c.Templates(t.Context())
				message, _ := fault.Message(err)
				if !fault.Is(err, fault.Unavailable) || !strings.Contains(message, "did not answer") || waits != 1 {
					t.Errorf("%v, tried %d times more", err, waits)
				}
				ended, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
				defer cancel()
				if _, err := c.Templates(ended); err == nil || strings.Contains(err.Error(), "did not answer") {
					t.Errorf("a caller that gave up itself: %v", err)
				}
			})
		}
	}
}

// TestSlowButAlive lets a call take many times the limit while it makes progress, up and down.
func TestSlowButAlive(t *testing.T) {
	t.Parallel()
	const limit, piece, pieces = 1500 * time.Millisecond, 8 << 10, 9
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stuck" {
			time.Sleep(3 * limit) // reads nothing
			return
		}
		control := http.NewResponseController(w)
		tick := time.NewTicker(limit / 6)
		defer tick.Stop()
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil || n != piece*pieces {
			t.Errorf("%d bytes arrived: %v", n, err)
		}
		for range pieces {
			<-tick.C
			_, _ = io.WriteString(w, " ")
			_ = control.Flush()
		}
	}))
	defer server.Close()
	transport := transportFor(t, client.TransportOptions{Timeout: limit})
	send := func(path string, body io.Reader, size int64) error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, body)
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = size
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	if err := send("/slow", &slowReader{piece: piece, left: pieces, pause: limit / 6}, piece*pieces); err != nil {
		t.Errorf("a slow call: %v", err)
	}
	const large = 32 << 20
	if err := send("/stuck", bytes.NewReader(make([]byte, large)), large); !fault.Is(err, fault.Unavailable) {
		t.Errorf("an upload that nobody reads: %v", err)
	}
}

// slowReader gives a piece after each pause.
type slowReader struct {
	piece, left int
	pause       time.Duration
}

func (s *slowReader) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	<-time.After(s.pause)
	s.left--
	return min(s.piece, len(p)), nil
}

// TestRedirectsKeepTheToken sends the token to no other server, whichever way a redirect leads.
func TestRedirectsKeepTheToken(t *testing.T) {
	t.Parallel()
	arrived := make(chan http.Header, 10)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- r.Header.Clone()
		_, _ = io.WriteString(w, `{"data":{"uuid":"u","file_id":"f"}}`)
	}))
	defer other.Close()
	status, target := http.StatusTemporaryRedirect, ""
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/here") {
			arrived <- r.Header.Clone()
			_, _ = io.WriteString(w, `{"data":{"uuid":"u","file_id":"f"}}`)
			return
		}
		http.Redirect(w, r, target, status)
	}))
	defer first.Close()
	c, err := client.New(first.URL, "secret", http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	a, err := authorityclient.New(first.URL, "secret", "store", http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{other.URL, strings.Replace(other.URL, "127.0.0.1", "localhost", 1), strings.Replace(first.URL, "127.0.0.1", "localhost", 1) + "/here"} {
		target = host
		for _, status = range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
			if _, err := c.Certificate(t.Context(), "u"); err != nil {
				t.Errorf("%d to %s: %v", status, host, err)
			}
			if _, err := a.Status(t.Context(), "example.com"); err != nil {
				t.Errorf("%d to %s: %v", status, host, err)
			}
			for range 2 {
				if h := <-arrived; strings.Contains(fmt.Sprint(h), "secret") || h.Get("Referer") != "" {
					t.Errorf("%d to %s took along %v", status, host, h)
				}
			}
			_, err := c.UploadFile(t.Context(), leaflet(), "k", nil)
			if err == nil || !strings.Contains(err.Error(), "has moved to") {
				t.Errorf("an upload, %d to %s: %v", status, host, err)
			}
		}
	}
	target = first.URL + "/here"
	if _, err := c.UploadFile(t.Context(), leaflet(), "k", nil); err != nil {
		t.Errorf("within the server: %v", err)
	}
	if h := <-arrived; h.Get("Authorization") != "Bearer secret" || len(arrived) > 0 {
		t.Errorf("within the server: %v, and %d more", h, len(arrived))
	}
}
