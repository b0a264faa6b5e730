package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/httpserver"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/agent/web/layout"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
	"github.com/vecctl/vecctl/pkg/vault"
)

// verifyStore is what is needed of the store.
type verifyStore interface {
	ByReference(ctx context.Context, reference string) (vault.Certificate, error)
	ByVerifiedSHA256(ctx context.Context, sums ...string) ([]*vault.Certificate, error)
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
	// Version is another number after each change of a certificate.
	Version(reference string) uint64
}

// verifyOptions are what the page is made of.
type verifyOptions struct {
	Store        verifyStore
	Layout       *layout.Layout
	Institutions institutions.Directory
	Log          *slog.Logger
}

// verifyPages are the verification page and the one that asks for a reference ID.
type verifyPages struct {
	verifyOptions
	page, homePage layout.Template
	cache          *verifyCache
	perCaller      httpserver.RateLimiter // of questions by a file's hash
}

// newVerifyPages reads the pages' templates.
func newVerifyPages(o verifyOptions) (*verifyPages, error) {
	p := &verifyPages{verifyOptions: o, cache: newVerifyCache(), perCaller: httpserver.RateLimiter{Limit: maxHashesPerMinute, Period: time.Minute}}
	return p, o.Layout.ParseTemplates(templates, map[string]*layout.Template{"verify.html": &p.page, "home.html": &p.homePage})
}

// Route adds the pages' addresses. Links are printed in either case.
func (p *verifyPages) Route(mux router.Routes) {
	mux.HandleFunc("GET /{$}", p.serveHome)
	mux.HandleFunc("GET /v", p.search)
	mux.HandleFunc("GET /v/{reference}", p.serve)
	mux.HandleFunc("GET /V/{reference}", p.serve)
	mux.HandleFunc("GET /v/by-hash/{sha256}", p.serveByHash)
	mux.HandleFunc("GET /v/qr/{name}", p.serveQRCode)
}

// verifyResult is what is found out about a reference ID.
type verifyResult struct {
	validity               vault.Validity
	certificate            vault.Certificate
	institution            vault.Institution
	successor, predecessor string // reference IDs
}

// lookup looks a reference ID up.
func (p *verifyPages) lookup(ctx context.Context, reference string) (verifyResult, error) {
	c, err := p.Store.ByReference(ctx, reference)
	if fault.Is(err, fault.NotFound) {
		return verifyResult{validity: vault.ValidityUnknown, institution: p.Layout.Institutions.Primary()}, nil
	}
	if err != nil {
		return verifyResult{}, err
	}
	return p.describe(ctx, c)
}

// describe finds out what is known of a certificate.
func (p *verifyPages) describe(ctx context.Context, c vault.Certificate) (verifyResult, error) {
	if c.Validity() == vault.ValidityUnknown {
		return verifyResult{validity: vault.ValidityUnknown, institution: p.Layout.Institutions.Primary()}, nil
	}
	var err error
	f := verifyResult{certificate: c}
	var ok bool
	if f.institution, ok = p.Institutions.ByID(c.Institution); !ok {
		return f, fmt.Errorf("institution %d is missing", c.Institution)
	}
	f.validity = c.ValidityOn(f.institution.Today(p.Layout.Now()))
	f.successor, f.predecessor, err = lineage(ctx, p.Store, c)
	return f, err
}

// isShown reports whether everyone who checks a certificate sees a field of it.
func isShown(field vault.Field, c vault.Content) bool { return field.Public && field.Get(c) != "" }

// fact returns a field that is shown, as its page has it; a date also as programs
// read it.
func (f verifyResult) fact(v layout.PageContext, field vault.Field) (text, day string) {
	switch {
	case field.ID == vault.FieldName:
		return f.displayName(), ""
	case field.Kind == vault.DateField:
		day = field.Get(f.certificate.Content)
		return v.FormatDate(vault.Date(day)), day
	}
	return field.Get(f.certificate.Content), ""
}

// verifyFact is one line of what a certificate says.
type verifyFact struct{ Label, Text, Day string }

// displayName is the recipient's name as the institution lets it be shown.
func (f verifyResult) displayName() string {
	if f.institution.PartialNames {
		return vault.PartialName(f.certificate.Name)
	}
	return f.certificate.Name
}

func (p *verifyPages) serve(w http.ResponseWriter, r *http.Request) {
	reference := r.PathValue("reference")
	if meant, ok := vault.FindReference(reference); ok && !vault.IsReference(reference) {
		http.Redirect(w, r, p.Layout.CurrentPageContext(r).Link("/v/"+meant), http.StatusSeeOther)
		return
	}
	asJSON := wantsJSON(r.Header.Get("Accept"))
	if !asJSON && p.serveCached(w, r, reference) {
		return
	}
	version := p.Store.Version(reference)
	f, err := p.lookup(r.Context(), reference)
	status := http.StatusOK
	switch {
	case err != nil && layout.Interrupted(w, r):
		return
	case err != nil:
		p.Log.Error("verifying a certificate failed", "error", err)
		f, status = verifyResult{institution: p.Layout.Institutions.Primary()}, http.StatusInternalServerError
	case f.validity == vault.ValidityUnknown:
		status = http.StatusNotFound
	}
	if asJSON {
		p.writeJSON(w, status, reference, f, err)
		return
	}
	if k, ok := cacheable(f, version); err == nil && ok {
		p.cache.add(k)
		if p.writeCached(w, r, k, f.institution) {
			return
		}
	}
	v := p.Layout.PageContext(r, f.institution)
	if err != nil {
		p.Layout.RenderMessageFor(w, r, status, v, "broken")
		return
	}
	title := v.T("verdict." + string(f.validity))
	p.Layout.RenderPage(w, r, status, layout.Page{PageContext: v, Title: title}, p.page, p.data(v, f, title, reference))
}

// levelText says how far a file is made to last; "" where that is not known.
func levelText(v layout.PageContext, level vault.SealLevel) string {
	if level == "" {
		return ""
	}
	return v.T("check.level." + strings.ToLower(string(level)))
}

// verifyData is what the page shows. It is nearly flat, and texts only: templates are
// quickest with such.
type verifyData struct {
	Validity, Symbol, Verdict, Text string
	Issued, Known                   bool
	Facts                           []verifyFact
	Institution, Reference          string
	RevokedSince, Reason            string
	Successor, SuccessorLink        string
	Predecessor, PredecessorLink    string
	SHA256, Same, URL, Enter, Lang  string
	Level                           string // of the file, and what is missing for the next one
	Now                             string // when the certificate was looked up
	Pages                           string // address below which the pages are
	LogEntry, LogLink               string // where the certificate is in which log; "" where it is in none
}

// logTexts says where a certificate is in which log, and where its checkpoint is.
func logTexts(v layout.PageContext, place *vault.LogPlace) (entry, link string) {
	if place == nil {
		return "", ""
	}
	return v.T("fact.log.entry", strconv.FormatInt(place.Index, 10), place.Log), v.FileLink("/log/" + place.Log + "/checkpoint")
}

func (p *verifyPages) data(v layout.PageContext, f verifyResult, verdict, reference string) *verifyData {
	c := &verifyData{
		Validity: string(f.validity), Symbol: layout.Symbol(f.validity), Verdict: verdict, Text: v.T("verdict." + string(f.validity) + ".text"),
		Known: f.validity != vault.ValidityUnknown, Issued: f.validity.Issued(),
		Institution: f.institution.Name, Reference: f.certificate.Reference, Now: v.LocalTime(p.Layout.Now()), Pages: v.FileLink("/v/"),
	}
	if !c.Known {
		c.Reference, c.Enter, c.Lang = reference, v.Link("/v"), v.LanguageParam()
		return c
	}
	c.URL = p.Institutions.Links().Verify(c.Reference)
	if !c.Issued {
		return c
	}
	for _, field := range vault.Fields() {
		if isShown(field, f.certificate.Content) {
			text, day := f.fact(v, field)
			c.Facts = append(c.Facts, verifyFact{v.T("fact." + field.Flag), text, day})
		}
	}
	c.LogEntry, c.LogLink = logTexts(v, f.certificate.Log)
	if f.successor != "" {
		c.Successor, c.SuccessorLink = f.successor, v.Link("/v/"+f.successor)
	}
	if f.predecessor != "" {
		c.Predecessor, c.PredecessorLink = f.predecessor, v.Link("/v/"+f.predecessor)
	}
	if why := f.certificate.Revocation; why != nil {
		c.RevokedSince, c.Reason = v.LocalDate(why.At), why.Reason
	}
	if doc := f.certificate.Verified; doc != nil {
		c.SHA256, c.Same, c.Level = doc.SHA256, v.T("check.same"), levelText(v, doc.Level)
		if f.validity != vault.ValidityGenuine {
			c.Same = v.T("check.same." + string(f.validity))
		}
	}
	return c
}

// serveHome asks for a reference ID.
func (p *verifyPages) serveHome(w http.ResponseWriter, r *http.Request) {
	v := p.Layout.CurrentPageContext(r)
	p.renderHome(w, r, http.StatusOK, v, "")
}

// renderHome asks for a reference ID or a file. The sum is that of a file of which nothing is
// known; "" where none was asked about.
func (p *verifyPages) renderHome(w http.ResponseWriter, r *http.Request, status int, v layout.PageContext, sum string) {
	data := struct{ Enter, Lang, Pages, Sum, Now, Home string }{
		v.Link("/v"), v.LanguageParam(), v.FileLink("/v/"), sum, v.LocalTime(p.Layout.Now()), strings.TrimSuffix(p.Institutions.Links().Verify(""), "v/"),
	}
	title := v.T("home")
	if sum != "" {
		title = v.T("file.unknown")
	}
	p.Layout.RenderPage(w, r, status, layout.Page{PageContext: v, Title: title}, p.homePage, data)
}

// maxReference is more than any reference ID is long, with room for what
// people type around it.
const maxReference = 100

// maxLink is how much is read of a link that was pasted.
const maxLink = 2000

// search leads to the page of a reference ID that was typed in, or of the certificate whose
// verified PDF has a SHA-256.
func (p *verifyPages) search(w http.ResponseWriter, r *http.Request) {
	asked := r.FormValue("reference")
	v := p.Layout.CurrentPageContext(r)
	if sum, ok := parseSHA256(asked); ok {
		p.searchByHash(w, r, v, sum)
		return
	}
	typed := strings.ToUpper(strings.Join(strings.Fields(asked), ""))
	to := v.Link("/")
	if meant, ok := vault.FindReference(asked[:min(len(asked), maxLink)]); ok {
		to = v.Link("/v/" + meant)
	} else if typed != "" && len(typed) <= maxReference {
		to = v.Link("/v/" + url.PathEscape(typed))
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
