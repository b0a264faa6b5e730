// Package layout is what all public pages have in common: their layout, texts,
// styles and headers. Everything comes from the agent itself; pages ask no other
// host for anything.
package layout

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/agent/httpserver"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/vault"
)

//go:embed layout.html message.html assets
var files embed.FS

// Options are what a layout needs to know.
type Options struct {
	// Institutions are those that the pages are about. The path of their base URL stands
	// before every address.
	Institutions institutions.Directory
	Now          func() time.Time
	Log          *slog.Logger
}

// Layout renders pages. It is safe for concurrent use.
type Layout struct {
	Options
	pageTemplate    Template
	messageTemplate Template
	languages       languages
	assets          map[string]asset // by address
	basePath        atomic.Pointer[basePath]

	mu       sync.RWMutex
	rendered map[layoutKey]renderedLayout
}

// New makes a layout; it starts nothing.
func New(o Options) (*Layout, error) {
	f := &Layout{Options: o, rendered: map[layoutKey]renderedLayout{}}
	var err error
	if f.languages, err = loadLanguages(); err != nil {
		return nil, err
	}
	if f.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if f.pageTemplate, err = f.ParseTemplate(files, "layout.html"); err != nil {
		return nil, err
	}
	f.messageTemplate, err = f.ParseTemplate(files, "message.html")
	return f, err
}

// PageContext is what a page knows of its visitor and its institution.
type PageContext struct {
	Language
	Institution         vault.Institution
	explicitLanguage    bool // the address says the language
	acceptsApplications bool // people may apply here
	basePath            string
}

// CacheKey tells page contexts apart that pages are rendered differently for.
type CacheKey struct {
	language            string
	explicitLanguage    bool
	acceptsApplications bool
	basePath            string
	institution         vault.Institution
}

// CacheKey is the page context's.
func (v PageContext) CacheKey() CacheKey {
	return CacheKey{v.Tag, v.explicitLanguage, v.acceptsApplications, v.basePath, v.Institution}
}

// PageContext finds the language in which a visitor reads an institution's page.
func (f *Layout) PageContext(r *http.Request, of vault.Institution) PageContext {
	v := PageContext{Institution: of, acceptsApplications: f.acceptsApplications(of), basePath: f.BasePath()}
	v.Language, v.explicitLanguage = f.languages.choose(r)
	return v
}

// acceptsApplications reports whether people may apply at an institution: one that these
// pages are not of takes its applications elsewhere.
func (f *Layout) acceptsApplications(at vault.Institution) bool {
	return at.ApplicationPolicy().Who != vault.NobodyMayApply && at.ID == f.Institutions.Primary().ID
}

// CurrentPageContext finds the language in which a visitor reads a page of whose pages these are.
func (f *Layout) CurrentPageContext(r *http.Request) PageContext {
	return f.PageContext(r, f.Institutions.Primary())
}

// basePath is the path of a base URL.
type basePath struct{ baseURL, path string }

// BasePath is the path that stands before every address, "" for none.
func (f *Layout) BasePath() string {
	baseURL := f.Institutions.BaseURL()
	if known := f.basePath.Load(); known != nil && known.baseURL == baseURL {
		return known.path
	}
	found := &basePath{baseURL: baseURL}
	if u, err := url.Parse(baseURL); err == nil {
		found.path = strings.TrimRight(u.EscapedPath(), "/")
	}
	f.basePath.Store(found)
	return found.path
}

// Link is an address of the pages, in the language that the visitor asked for.
func (v PageContext) Link(path string) string {
	if v.explicitLanguage {
		path += "?lang=" + v.Tag
	}
	return v.basePath + path
}

// LinkWith is Link with one more thing to say.
func (v PageContext) LinkWith(path, name, value string) string {
	q := url.Values{name: {value}}
	if v.explicitLanguage {
		q.Set("lang", v.Tag)
	}
	return v.basePath + path + "?" + q.Encode()
}

// FileLink is the address of something that is the same in every language.
func (v PageContext) FileLink(path string) string { return v.basePath + path }

// LanguageParam is the language that the address says, "" where it says none. Forms that
// make an address of their fields hand it on.
func (v PageContext) LanguageParam() string {
	if !v.explicitLanguage {
		return ""
	}
	return v.Tag
}

// Page is what stands around a template.
type Page struct {
	PageContext
	Title string
	// Meta is what a link to the page is shown with elsewhere.
	Meta []Meta
}

// Meta is a line of the Open Graph protocol.
type Meta struct{ Property, Content string }

// layoutKey is what a layout is rendered for.
type layoutKey struct {
	CacheKey
	title string
}

// renderedLayout is a rendered layout before and after its template.
type renderedLayout struct{ before, after []byte }

// maxRendered is how many rendered layouts are kept.
const maxRendered = 512

// renderLayout renders the layout of a page, or takes the one that was rendered for another
// page of its kind.
func (f *Layout) renderLayout(p Page) (renderedLayout, error) {
	k := layoutKey{p.CacheKey(), p.Title}
	keep := len(p.Meta) == 0
	if keep {
		f.mu.RLock()
		h, ok := f.rendered[k]
		f.mu.RUnlock()
		if ok {
			return h, nil
		}
	}
	const body = "\x00"
	var out bytes.Buffer
	err := f.pageTemplate[p.Tag].Execute(&out, struct {
		Page
		Body             template.HTML
		Style, Script    string
		Logo             string
		OtherLanguages   []Language
		Home, Mine, Icon string
		Apply            string // "" where nobody may
	}{
		p, body, p.basePath + stylePath(f.assets), p.basePath + scriptPath(f.assets), p.logoURL(),
		f.languages.except(p.Language), p.Link("/"), p.Link("/me"), p.basePath + iconPath(f.assets), p.applyURL(),
	})
	if err != nil {
		return renderedLayout{}, fmt.Errorf("drawing a page's frame: %w", err)
	}
	before, after, _ := bytes.Cut(out.Bytes(), []byte(body))
	h := renderedLayout{before, after}
	if keep {
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(f.rendered) >= maxRendered {
			clear(f.rendered)
		}
		f.rendered[k] = h
	}
	return h, nil
}

// logoURL is the address of the institution's logo, "" where it has none. It changes
// with the logo.
func (p Page) logoURL() string {
	if p.Institution.Logo == nil {
		return ""
	}
	return fmt.Sprintf("%s/logo/%d?v=%s", p.basePath, p.Institution.ID, p.Institution.Logo.Sum()[:12])
}

// applyURL is the address where people apply, "" where nobody may.
func (p Page) applyURL() string {
	if !p.acceptsApplications {
		return ""
	}
	return p.Link("/apply")
}

// buffers keep their room from one page to the next.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Execute renders a whole page, whose content a template makes of data.
func (f *Layout) Execute(out *bytes.Buffer, p Page, body Template, data any) error {
	h, err := f.renderLayout(p)
	if err != nil {
		return err
	}
	out.Write(h.before)
	if err := body[p.Tag].Execute(out, data); err != nil {
		return fmt.Errorf("drawing a page: %w", err)
	}
	out.Write(h.after)
	return nil
}

// RenderPage answers with a page.
func (f *Layout) RenderPage(w http.ResponseWriter, r *http.Request, status int, p Page, body Template, data any) {
	out, _ := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(out)
	out.Reset()
	if err := f.Execute(out, p, body, data); err != nil {
		f.Log.Error("drawing a page failed", "path", redacted(r.URL.Path), "error", err)
		http.Error(w, "This page cannot be shown; the agent's log says why.", http.StatusInternalServerError)
		return
	}
	WriteHTML(w, status, out.Bytes())
}

// WriteHTML answers with a page that is drawn. One that refuses for now says when to try
// again.
func WriteHTML(w http.ResponseWriter, status int, page []byte) {
	setHeaders(w.Header())
	if (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) && w.Header().Get("Retry-After") == "" {
		httpserver.SetRetryAfter(w, time.Minute)
	}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(page))}
	w.WriteHeader(status)
	_, _ = w.Write(page) // a visitor who has gone does not wait for it
}

// redacted is an address without what is secret in it.
func redacted(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return "/" + first
}

// securityPolicy is what a browser may do on a page: show what comes from here, run the one
// script, and ask here for what is known of a file.
const securityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; frame-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// setHeaders sets what every page is sent with.
func setHeaders(h http.Header) {
	h["Content-Type"] = htmlType
	h["Content-Security-Policy"] = policyHeader
	h["X-Content-Type-Options"] = noSniff
	h["Referrer-Policy"] = sameOrigin
	h["X-Robots-Tag"] = noIndex
	h["Cache-Control"] = noCache
	h["Vary"] = vary
	h["Cross-Origin-Opener-Policy"] = sameOrigin
}

// The headers' values; nobody changes them.
var (
	htmlType     = []string{"text/html; charset=utf-8"}
	policyHeader = []string{securityPolicy}
	noSniff      = []string{"nosniff"}
	sameOrigin   = []string{"same-origin"}
	noIndex      = []string{"noindex, nofollow"}
	noCache      = []string{"no-store"}
	vary         = []string{"Accept, Accept-Language, Cookie"}
)
