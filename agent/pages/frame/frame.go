// Package frame is what the pages that the public sees have in common: their
// frame, looks, texts and headers. A page is a body in that frame. Everything
// comes from the agent itself; no foreign host is asked for anything.
package frame

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

	"github.com/vecctl/vecctl/pkg/vault"
)

//go:embed frame.html note.html assets
var files embed.FS

// Options are what a frame needs to know.
type Options struct {
	// BaseURL is what links begin with; its path stands before every address.
	BaseURL func() string
	// Current is whose pages these are.
	Current func() vault.Institution
	// Applying tells whether people may apply at an institution's pages.
	Applying func(vault.Institution) bool
	Log      *slog.Logger
}

// Frame draws pages. It is safe for concurrent use.
type Frame struct {
	Options
	around    Body
	note      Body
	languages languages
	assets    map[string]asset // by address
	prefix    atomic.Pointer[prefix]

	mu    sync.RWMutex
	drawn map[key]halves
}

// New makes a frame; it starts nothing.
func New(o Options) (*Frame, error) {
	f := &Frame{Options: o, drawn: map[key]halves{}}
	var err error
	if f.languages, err = loadLanguages(); err != nil {
		return nil, err
	}
	if f.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if f.around, err = f.Parse(files, "frame.html"); err != nil {
		return nil, err
	}
	f.note, err = f.Parse(files, "note.html")
	return f, err
}

// View is what a page knows of its visitor and its institution.
type View struct {
	Language
	Institution vault.Institution
	asked       bool // the address says the language
	applying    bool // people may apply here
	prefix      string
}

// Sort tells views apart that pages are drawn differently for.
type Sort struct {
	language    string
	asked       bool
	applying    bool
	prefix      string
	institution vault.Institution
}

// Sort is the view's.
func (v View) Sort() Sort { return Sort{v.Tag, v.asked, v.applying, v.prefix, v.Institution} }

// View finds the language in which a visitor reads an institution's page.
func (f *Frame) View(r *http.Request, of vault.Institution) View {
	v := View{Institution: of, applying: f.Applying(of), prefix: f.Prefix()}
	v.Language, v.asked = f.languages.choose(r)
	return v
}

// Own finds the language in which a visitor reads a page of whose pages these are.
func (f *Frame) Own(r *http.Request) View { return f.View(r, f.Current()) }

// prefix is the path of a base URL.
type prefix struct{ baseURL, path string }

// Prefix is the path that stands before every address, "" for none.
func (f *Frame) Prefix() string {
	baseURL := f.BaseURL()
	if known := f.prefix.Load(); known != nil && known.baseURL == baseURL {
		return known.path
	}
	found := &prefix{baseURL: baseURL}
	if u, err := url.Parse(baseURL); err == nil {
		found.path = strings.TrimRight(u.EscapedPath(), "/")
	}
	f.prefix.Store(found)
	return found.path
}

// Link is an address of the pages, in the language that the visitor asked for.
func (v View) Link(path string) string {
	if v.asked {
		path += "?lang=" + v.Tag
	}
	return v.prefix + path
}

// LinkWith is Link with one more thing to say.
func (v View) LinkWith(path, name, value string) string {
	q := url.Values{name: {value}}
	if v.asked {
		q.Set("lang", v.Tag)
	}
	return v.prefix + path + "?" + q.Encode()
}

// Plain is the address of something that is the same in every language.
func (v View) Plain(path string) string { return v.prefix + path }

// Asked is the language that the address says, "" where it says none. Forms that
// make an address of their fields hand it on.
func (v View) Asked() string {
	if !v.asked {
		return ""
	}
	return v.Tag
}

// Page is what is drawn around a body.
type Page struct {
	View
	Title string
	// Meta is what a link to the page is shown with elsewhere.
	Meta []Meta
}

// Meta is a line of the Open Graph protocol.
type Meta struct{ Property, Content string }

// key is what a frame is drawn for.
type key struct {
	Sort
	title string
}

// halves are a drawn frame before and after its body.
type halves struct{ before, after []byte }

// mostDrawn is how many drawn frames are kept.
const mostDrawn = 512

// halvesOf draws the frame of a page, or takes the one that was drawn for another
// page of its kind.
func (f *Frame) halvesOf(p Page) (halves, error) {
	k := key{p.Sort(), p.Title}
	keep := len(p.Meta) == 0
	if keep {
		f.mu.RLock()
		h, ok := f.drawn[k]
		f.mu.RUnlock()
		if ok {
			return h, nil
		}
	}
	const body = "\x00"
	var out bytes.Buffer
	err := f.around[p.Tag].Execute(&out, struct {
		Page
		Body             template.HTML
		Style, Script    string
		Logo             string
		OtherLanguages   []Language
		Home, Mine, Icon string
		Apply            string // "" where nobody may
	}{
		p, body, p.prefix + styleAddress(f.assets), p.prefix + scriptAddress(f.assets), p.logo(),
		f.languages.but(p.Language), p.Link("/"), p.Link("/me"), p.prefix + iconAddress(f.assets), p.apply(),
	})
	if err != nil {
		return halves{}, fmt.Errorf("drawing a page's frame: %w", err)
	}
	before, after, _ := bytes.Cut(out.Bytes(), []byte(body))
	h := halves{before, after}
	if keep {
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(f.drawn) >= mostDrawn {
			clear(f.drawn)
		}
		f.drawn[k] = h
	}
	return h, nil
}

// logo is the address of the institution's logo, "" where it has none. It changes
// with the logo.
func (p Page) logo() string {
	if p.Institution.Logo == nil {
		return ""
	}
	return fmt.Sprintf("%s/logo/%d?v=%s", p.prefix, p.Institution.ID, p.Institution.Logo.Sum()[:12])
}

// apply is the address where people apply, "" where nobody may.
func (p Page) apply() string {
	if !p.applying {
		return ""
	}
	return p.Link("/apply")
}

// buffers keep their room from one page to the next.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Draw draws a whole page, whose body a template makes of data.
func (f *Frame) Draw(out *bytes.Buffer, p Page, body Body, data any) error {
	h, err := f.halvesOf(p)
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

// Show answers with a page.
func (f *Frame) Show(w http.ResponseWriter, r *http.Request, status int, p Page, body Body, data any) {
	out, _ := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(out)
	out.Reset()
	if err := f.Draw(out, p, body, data); err != nil {
		f.Log.Error("drawing a page failed", "path", redacted(r.URL.Path), "error", err)
		http.Error(w, "This page cannot be shown; the agent's log says why.", http.StatusInternalServerError)
		return
	}
	Send(w, status, out.Bytes())
}

// Send answers with a page that is drawn.
func Send(w http.ResponseWriter, status int, page []byte) {
	setHeaders(w.Header())
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(page))}
	w.WriteHeader(status)
	_, _ = w.Write(page) // a visitor who has gone does not wait for it
}

// redacted is an address without what is secret in it.
func redacted(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return "/" + first
}

// policy is what a browser may do on a page: show what comes from here, and run the
// one script.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; frame-src 'self'; " +
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
	policyHeader = []string{policy}
	noSniff      = []string{"nosniff"}
	sameOrigin   = []string{"same-origin"}
	noIndex      = []string{"noindex, nofollow"}
	noCache      = []string{"no-store"}
	vary         = []string{"Accept, Accept-Language, Cookie"}
)
