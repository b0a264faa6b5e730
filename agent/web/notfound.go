package web

import (
	"io"
	"net/http"
	"strings"

	"github.com/vecctl/vecctl/agent/web/layout"
)

// NotFound answers at an address that is nobody's: a browser gets a page, a program what
// the API says.
func (p *Pages) NotFound(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if preferredType(r.Header.Get("Accept")) != typeHTML {
			w.Header().Add("Vary", "Accept")
			api.ServeHTTP(w, r)
			return
		}
		p.notFound(w, r)
	})
}

func (p *Pages) notFound(w http.ResponseWriter, r *http.Request) {
	p.layout.RenderMessage(w, r, http.StatusNotFound, "missing")
}

// FailInsecure answers a browser that came over plain HTTP from another machine. It reports
// false for a program, which is answered as the API does.
func (p *Pages) FailInsecure(w http.ResponseWriter, r *http.Request) bool {
	if preferredType(r.Header.Get("Accept")) != typeHTML {
		return false
	}
	p.layout.RenderMessage(w, r, http.StatusForbidden, "insecure")
	return true
}

// robots keeps crawlers away from what is one person's or a program's. They may read the
// other pages, which ask not to be listed.
const robots = `User-agent: *
Disallow: /api/
Disallow: /apply/
Disallow: /business/
Disallow: /c/
Disallow: /mail/
Disallow: /me
Disallow: /sign-in
Disallow: /webhooks/
`

func (p *Pages) serveRobots(w http.ResponseWriter, _ *http.Request) {
	layout.SetFileHeaders(w, "text/plain; charset=utf-8", "public, max-age=86400")
	_, _ = io.WriteString(w, robots) // a crawler that has gone does not wait for it
}

// Types that an answer may have.
const (
	typeHTML = "text/html"
	typeJSON = "application/json"
)

// preferredType is the first of HTML and JSON that an Accept header names, as browsers name
// HTML first; "" for neither.
func preferredType(accept string) string {
	for part := range strings.SplitSeq(accept, ",") {
		kind, _, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case typeJSON:
			return typeJSON
		case typeHTML, "application/xhtml+xml":
			return typeHTML
		}
	}
	return ""
}
