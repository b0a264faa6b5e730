package contract

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// fetch makes a call that is none of the API's.
func (s *site) fetch(method, path, accept string) answer {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, s.base+path, nil)
	s.check(err)
	req.Header["Accept"] = []string{accept}
	resp, err := http.DefaultClient.Do(req)
	s.check(err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	s.check(err)
	return answer{resp.StatusCode, resp.Header, raw}
}

// TestUnknownAddresses answers a browser with a page and a program with JSON, with a token or
// without, whatever it tries to do there.
func TestUnknownAddresses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const firefox = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, path := range []string{"/nothing", "/nothing/here.php", "/business/nothing", "/.git/config", "/v1/%2e%2e/x", "/metrics/x"} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			for accept, page := range map[string]bool{firefox: true, "application/xhtml+xml": true, "": false, "*/*": false,
				"application/json": false, "application/json, text/html": false, "text/plain": false} {
				a := s.fetch(method, path, accept)
				what := fmt.Sprintf("%s %s, %q", method, path, accept)
				kind := a.header.Get("Content-Type")
				switch {
				case a.status != http.StatusNotFound, a.header.Get("Strict-Transport-Security") != "":
					t.Errorf("%s: %d %v", what, a.status, a.header)
				case page && (!strings.HasPrefix(kind, "text/html") || !strings.Contains(string(a.body), "<html lang=") || a.header.Get("Content-Security-Policy") == ""):
					t.Errorf("%s: %s, %.200s", what, kind, a.body)
				case !page && (kind != "application/json" || a.message() != "There is nothing at this address."):
					t.Errorf("%s: %s, %.200s", what, kind, a.body)
				case !strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Accept"):
					t.Errorf("%s: a cache may confuse the two: %v", what, a.header)
				}
			}
		}
	}
}

// TestRobots keeps crawlers off what is one person's.
func TestRobots(t *testing.T) {
	t.Parallel()
	a := newSite(t).fetch(http.MethodGet, "/robots.txt", "*/*")
	for _, line := range []string{"User-agent: *\n", "\nDisallow: /c/\n", "\nDisallow: /me\n", "\nDisallow: /business/\n"} {
		if !strings.Contains(string(a.body), line) || a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") {
			t.Errorf("%d %v: %s", a.status, a.header, a.body)
		}
	}
}
