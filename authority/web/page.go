// Package web serves the badges as pictures, and the page that a badge links to: the state of
// its certification in words, and whether the badge may be shown on the domain. A badge is drawn
// as SVG and as PNG of the same outlines, so it looks alike whatever fonts there are.
package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // the page and its style
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/pkg/fault"
)

//go:embed page.html
var pageText string

//go:embed page.css
var style string

// Verifier finds certifications.
type Verifier interface {
	Verify(ctx context.Context, hash string) (authority.Certification, error)
}

// Page answers GET /verify/{hash}.
type Page struct {
	verifier Verifier
	baseURL  func() string
	now      func() time.Time
	log      *slog.Logger
	template *template.Template
	policy   string
}

// New returns the page.
func New(o Verifier, baseURL func() string, now func() time.Time, log *slog.Logger) (*Page, error) {
	parsed, err := template.New("page").Parse(pageText)
	if err != nil {
		return nil, fmt.Errorf("reading the page: %w", err)
	}
	sum := sha256.Sum256([]byte(style))
	// Allow only the style in the page, and images from this server.
	policy := "default-src 'none'; img-src 'self'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return &Page{verifier: o, baseURL: baseURL, now: now, log: log, template: parsed, policy: policy}, nil
}

// view has the data of a page.
type view struct {
	Heading, Words, Tone, Mark string
	Style                      template.CSS
	Badge                      *picture
	Facts                      []fact
	Domain, Snippet            string
	status                     int
}

type picture struct{ Image, Name string }

type fact struct{ Name, Value, Time string }

// ServeHTTP shows one certification. ?domain= names the domain that shows the badge.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := p.verifier.Verify(r.Context(), strings.TrimPrefix(r.URL.Path, "/verify/"))
	v := p.view(c, r)
	if err != nil {
		v = p.errorView(r, err)
	}
	v.Style = template.CSS(style) //nolint:gosec // our own file
	var body bytes.Buffer
	if err := p.template.Execute(&body, v); err != nil {
		p.log.Error("a page of the authority could not be rendered", "error", err)
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(v.status)
	_, _ = w.Write(body.Bytes()) // the client may be gone
}

func (p *Page) errorView(r *http.Request, err error) view {
	if refusal, ok := errors.AsType[*authority.ContractError](err); ok && refusal.Code == authority.NotFound {
		return view{status: http.StatusNotFound, Tone: "bad", Mark: "✕", Heading: "Not a certification",
			Words: "There is no certification with this number. A badge that leads here certifies nothing."}
	}
	if !errors.Is(err, context.Canceled) {
		p.log.Error("a page of the authority failed", "path", r.URL.Path, "error", err)
	}
	return view{status: http.StatusInternalServerError, Tone: "bad", Mark: "✕", Heading: "Not available just now",
		Words: "The certification could not be looked up. Try again later."}
}

func (p *Page) view(c authority.Certification, r *http.Request) view {
	v := view{status: http.StatusOK, Tone: "bad", Mark: "✕", Domain: c.Domain}
	v.Facts = []fact{
		{Name: "Project", Value: c.Project}, {Name: "Domain", Value: c.Domain}, {Name: "Badge", Value: c.Badge.Name() + " (" + string(c.Badge) + ")"},
		{Name: "SDK version", Value: c.SDKVersion}, timeFact("Issued", c.IssuedAt), timeFact("Expires", c.ExpiresAt),
	}
	query := r.URL.Query()
	switch state := c.At(p.now()); {
	case state == authority.Revoked:
		v.Heading, v.Words = "Revoked", "This certification was revoked and is no longer valid. Reason: "+c.Reason
		v.Facts = append(v.Facts, timeFact("Revoked", c.RevokedAt))
	case state == authority.Expired:
		v.Heading, v.Words = "Expired", "This certification was valid until "+day(c.ExpiresAt)+" and was not renewed."
	case state == authority.Superseded:
		v.Heading, v.Words = "Renewed", "This certification was renewed. Its old number is no longer in use; the domain shows a badge with the new one."
	case state != authority.Active:
		v.Heading, v.Words = "Not valid", "This certification is not valid."
	case query.Has("domain") && !authority.Covers(c.Domain, query.Get("domain")):
		v.Heading = "Not valid on this domain"
		v.Words = fmt.Sprintf("This badge belongs to %s. It was met on %q, where it certifies nothing.", c.Domain, truncate(query.Get("domain")))
	default:
		v.Tone, v.Mark, v.Heading = "good", "✓", "Valid: "+c.Badge.Name()
		v.Words = fmt.Sprintf("The certification of %s on %s is valid until %s.", c.Project, c.Domain, day(c.ExpiresAt))
		v.Badge = &picture{"../badges/" + string(c.Badge) + ".svg?size=200x60", c.Badge.Name()}
		v.Snippet = snippet(p.baseURL(), c, DefaultBadgeSize())
	}
	return v
}

func timeFact(name string, t time.Time) fact {
	return fact{name, t.UTC().Format("2 January 2006, 15:04 UTC"), t.UTC().Format(time.RFC3339)}
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

// truncate shortens a visitor's text before the page shows it.
func truncate(s string) string {
	const most = 100
	return s[:min(len(s), most)]
}

// snippet returns the HTML code that shows a badge with a link to its page.
func snippet(base string, c authority.Certification, size BadgeSize) string {
	base = strings.TrimRight(base, "/")
	return fmt.Sprintf(`<a href="%s/verify/%s?domain=%s"><img src="%s/badges/%s.svg?size=%s" width="%d" height="%d" alt="VendWeave: %s"></a>`,
		template.HTMLEscapeString(base), c.Hash, template.URLQueryEscaper(c.Domain), template.HTMLEscapeString(base), c.Badge, size, size.Width, size.Height, c.Badge.Name())
}

// Embed returns the HTML code of an active certification's badge, in a size by name.
func (p *Page) Embed(c authority.Certification, size string) (string, error) {
	s, ok := ParseBadgeSize(size)
	if !ok {
		return "", fault.Newf(fault.Invalid, "%q is not a size of a badge; use 80x20, 150x40 or 200x60", size)
	}
	if state := c.At(p.now()); state != authority.Active {
		return "", fault.Newf(fault.Illegal, "the certification is %s; only an active one has a badge", state)
	}
	return snippet(p.baseURL(), c, s), nil
}
