package contract

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/pkg/client"
)

// TestBelowAPath calls a vault whose base URL has a path, by a proxy that hands the
// path on, by one that takes it away, and by none.
func TestBelowAPath(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, func(c *config.Config) { c.BaseURL = "https://vec.example.edu/certificates/" })
	inside, err := url.Parse(s.base)
	s.check(err)
	proxy := func(taken string) string {
		mux := http.NewServeMux()
		mux.Handle("/certificates/", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(inside)
			r.Out.Host = "vec.example.edu"
			r.Out.URL.Path = strings.TrimPrefix(r.In.URL.Path, taken)
		}})
		server := httptest.NewServer(mux)
		t.Cleanup(server.Close)
		return server.URL + "/certificates"
	}
	status := func(address string) int {
		resp, err := http.Get(address)
		s.check(err)
		s.check(resp.Body.Close())
		return resp.StatusCode
	}
	for name, base := range map[string]string{"handed-on": proxy(""), "taken-away": proxy("/certificates"), "none": s.base} {
		c, err := client.New(base, s.token, http.DefaultTransport)
		s.check(err)
		made, err := c.Upload(t.Context(), client.NewCertificate{Content: client.Content{Title: "Diploma", Name: "Ann", Email: "ann@" + name + ".example"}, File: document(name)}, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		page, err := c.List(t.Context(), client.Filter{PerPage: 1})
		s.check(err)
		want := s.base
		if base != s.base {
			want = "http://vec.example.edu/certificates"
		}
		if page.Meta.Path != want+vaultPath || *page.Links.First != want+vaultPath+"?page=1&per_page=1" || page.Data[0].UUID != made.UUID {
			t.Errorf("%s: path %s, first page %s", name, page.Meta.Path, *page.Links.First)
		}
		for path, want := range map[string]int{
			"/webhooks/vec": http.StatusMethodNotAllowed, "/api/certify/status": http.StatusUnauthorized,
			"/v/" + made.ReferenceID: http.StatusOK, "/docs": http.StatusOK, "/nothing": http.StatusNotFound,
		} {
			if got := status(base + path); got != want {
				t.Errorf("%s: %s answers %d", name, path, got)
			}
		}
		other := s.as("")
		other.base = base
		docs := other.want(other.get("/docs"), http.StatusOK)
		for _, link := range regexp.MustCompile(`(?:href|src)="([^"]+)"`).FindAllSubmatch(docs.body, -1) {
			at, err := url.Parse(base + "/docs")
			s.check(err)
			file, err := at.Parse(string(link[1]))
			s.check(err)
			if got := status(file.String()); got != http.StatusOK {
				t.Errorf("%s: %s of /docs answers %d", name, link[1], got)
			}
		}
	}
}
