package contract

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestGuideCallsThroughPrism runs the guide's own calls through a proxy that is told
// to refuse what is not as the agent's own description says, calls and answers
// alike. scripts/test installs it and says where it is.
func TestGuideCallsThroughPrism(t *testing.T) {
	t.Parallel()
	prism := os.Getenv("VECCTL_PRISM")
	if prism == "" {
		t.Skip("VECCTL_PRISM names no prism; scripts/test installs it where there is npm")
	}
	s := newSite(t)
	proxied := *s
	proxied.base = startPrism(t, prism, liar(t, s.base))
	runGuide(&proxied)

	// A proxy that lets everything pass would prove nothing.
	for _, header := range []string{lie, "Accept"} {
		path := map[string]string{lie: "/business/certificate-templates", "Accept": "/business/not-described"}[header]
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, proxied.base+path, http.NoBody)
		s.check(err)
		r.Header.Set("Authorization", "Bearer "+s.token)
		r.Header.Set(header, "application/json")
		answer, err := http.DefaultClient.Do(r)
		s.check(err)
		s.check(answer.Body.Close())
		if answer.StatusCode < http.StatusBadRequest {
			t.Errorf("%s with %s is let pass: %s", path, header, answer.Status)
		}
	}
}

// lie is a header that makes the liar answer.
const lie = "X-Lie"

// liar stands before an agent, and answers what it is told to itself: not as the
// agent's description says.
func liar(t *testing.T, base string) string {
	t.Helper()
	upstream, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	agent := httputil.NewSingleHostReverseProxy(upstream)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(lie) == "" {
			agent.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"templates": "none"}`)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// startPrism starts the proxy and returns its address.
func startPrism(t *testing.T, prism, upstream string) string {
	t.Helper()
	description := filepath.Join(t.TempDir(), "openapi.json")
	answer, err := http.Get(upstream + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(description, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	ctx, stop := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, prism, "proxy", "--errors", "--host", "127.0.0.1", "--port", port, description, upstream)
	said, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = c.Stdout
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "iolation") {
				t.Log(lines.Text())
			}
			if strings.Contains(lines.Text(), "Prism is listening") {
				close(ready)
			}
		}
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		_ = c.Wait()
	})
	select {
	case <-ready:
	case <-ended:
		t.Fatal("prism ended before it listened")
	case <-time.After(2 * time.Minute):
		t.Fatal("prism does not listen after two minutes")
	}
	return "http://127.0.0.1:" + port
}

// freePort is a port on which a program can listen. It is none of those that the
// system gives to any process that asks: another test could have it by then.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := fmt.Sprint(20_000 + rand.IntN(12_000))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}
