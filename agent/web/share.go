package web

import (
	"context"
	"fmt"
	"html"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/httpserver"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/agent/web/layout"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// shareStore is what is needed of the store.
type shareStore interface {
	ByShareToken(ctx context.Context, token string) (vault.Certificate, error)
	AddCorrection(ctx context.Context, c vault.CorrectionRequest) (vault.CorrectionRequest, error)
	QueueMail(ctx context.Context, m vault.Mail) error
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
}

// shareOptions are what the page is made of.
type shareOptions struct {
	Store        shareStore
	Layout       *layout.Layout
	Institutions institutions.Directory
	Documents    *results.Exporter
	Badges       bool       // there are badges of certificates
	Previews     Previewer  // nil if this machine cannot draw pages
	Mails        wake.Waker // woken when a mail was queued
	Log          *slog.Logger
}

// sharePages are the view-and-share pages.
type sharePages struct {
	shareOptions
	page        layout.Template
	previews    *previewCache
	corrections httpserver.RateLimiter
}

// maxCorrectionsPerHour is how many corrections one caller may ask for in an hour.
const maxCorrectionsPerHour = 10

// newSharePages reads the page's templates.
func newSharePages(o shareOptions) (*sharePages, error) {
	p := &sharePages{shareOptions: o, corrections: httpserver.RateLimiter{Limit: maxCorrectionsPerHour, Period: time.Hour}}
	if o.Previews != nil {
		p.previews = newPreviewCache(o.Previews)
	}
	var err error
	p.page, err = o.Layout.ParseTemplate(templates, "share.html")
	return p, err
}

// Route adds the page's addresses.
func (p *sharePages) Route(mux router.Routes) {
	mux.HandleFunc("GET /c/{token}", p.serve)
	mux.HandleFunc("POST /c/{token}", p.requestCorrection)
	mux.HandleFunc("GET /c/{token}/certificate.pdf", p.servePDF)
	mux.HandleFunc("GET /c/{token}/page.png", p.servePreview)
}

// lookup looks a page's certificate up and answers where there is none.
func (p *sharePages) lookup(w http.ResponseWriter, r *http.Request) (c vault.Certificate, v layout.PageContext, ok bool) {
	c, err := p.Store.ByShareToken(r.Context(), r.PathValue("token"))
	if err == nil && c.Validity() == vault.ValidityUnknown { // an application, which is no certificate
		c, err = vault.Certificate{}, fault.New(fault.NotFound, "Certificate not found.")
	}
	if fault.Is(err, fault.NotFound) {
		p.Layout.RenderMessage(w, r, http.StatusNotFound, "share.gone")
		return c, v, false
	}
	who, known := p.Institutions.ByID(c.Institution)
	if err == nil && !known {
		err = fmt.Errorf("institution %d is missing", c.Institution)
	}
	if err != nil {
		p.Layout.RenderError(w, r, err)
		return c, v, false
	}
	return c, p.Layout.PageContext(r, who), true
}

func (p *sharePages) serve(w http.ResponseWriter, r *http.Request) {
	c, v, ok := p.lookup(w, r)
	if !ok {
		return
	}
	message := ""
	if r.URL.Query().Get("asked") == "1" {
		message = v.T("share.correct.done")
	}
	p.render(w, r, http.StatusOK, c, v, message)
}

// render draws the page; message is what became of a request, if anything.
func (p *sharePages) render(w http.ResponseWriter, r *http.Request, status int, c vault.Certificate, v layout.PageContext, message string) {
	page, err := p.data(r.Context(), c, v)
	if err != nil {
		p.Layout.RenderError(w, r, err)
		return
	}
	page.Message = message
	layoutPage := layout.Page{PageContext: v, Title: page.Verdict, Meta: []layout.Meta{{Property: "og:type", Content: "website"}}}
	if page.Issued {
		layoutPage.Title = c.Title
		layoutPage.Meta = append(layoutPage.Meta,
			layout.Meta{Property: "og:title", Content: c.Title},
			layout.Meta{Property: "og:description", Content: c.Name + " – " + v.Institution.Name},
			layout.Meta{Property: "og:site_name", Content: v.Institution.Name},
			layout.Meta{Property: "og:url", Content: page.URL})
		if page.Card != "" {
			layoutPage.Meta = append(layoutPage.Meta, layout.Meta{Property: "og:image", Content: page.Card},
				layout.Meta{Property: "og:image:width", Content: "1200"}, layout.Meta{Property: "og:image:height", Content: "630"},
				layout.Meta{Property: "og:image:alt", Content: c.Title}, layout.Meta{Property: "twitter:card", Content: "summary_large_image"},
				layout.Meta{Property: "twitter:image", Content: page.Card})
		} else if page.Picture != "" {
			layoutPage.Meta = append(layoutPage.Meta, layout.Meta{Property: "og:image", Content: page.URL + "/page.png"})
		}
	}
	p.Layout.RenderPage(w, r, status, layoutPage, p.page, page)
}

// shareData is what the page shows.
type shareData struct {
	Certificate                     vault.Certificate
	Validity, Verdict, Text, Symbol string
	Issued, Valid, Assigned         bool
	Institution, Date               string
	RevokedSince                    string
	Expires, LastDay                string
	URL, VerifyURL                  string
	Successor, Predecessor          string // reference IDs
	SuccessorLink                   string
	PredecessorLink                 string
	Here, Document, Picture, Join   string
	LinkedIn                        string
	Badge, Wallet, Embed, Card      string      // addresses; Embed is HTML to copy
	Fields                          []copyField // of LinkedIn's form
	Message                         string
}

func (p *sharePages) data(ctx context.Context, c vault.Certificate, v layout.PageContext) (shareData, error) {
	validity := c.ValidityOn(v.Institution.Today(p.Layout.Now()))
	here := "/c/" + c.ShareToken
	page := shareData{
		Certificate: c, Validity: string(validity), Issued: validity.Issued(), Assigned: c.Owner() != "",
		Verdict: v.T("verdict." + string(validity)), Text: v.T("verdict." + string(validity) + ".text"), Symbol: layout.Symbol(validity),
		Institution: v.Institution.Name, Date: v.FormatDate(c.IssueDate), URL: p.Institutions.Links().Share(c), VerifyURL: p.Institutions.Links().Verify(c.Reference),
		Here: v.Link(here), Join: v.Link("/sign-in"),
	}
	page.Valid = validity.Downloadable()
	if !page.Issued {
		return page, nil
	}
	if c.ExpiryDate != "" {
		page.Expires, page.LastDay = v.FormatDate(c.ExpiryDate), string(c.ExpiryDate)
	}
	if c.Revocation != nil {
		page.RevokedSince = v.LocalDate(c.Revocation.At)
	}
	if page.Valid {
		page.Document = v.FileLink(here + "/certificate.pdf")
		if p.previews != nil {
			page.Picture = v.FileLink(here + "/page.png")
		}
	}
	if p.Badges {
		page.Card = page.URL + "/card.png"
	}
	if p.Badges && page.Valid {
		page.Badge, page.Wallet = v.FileLink(here+"/badge.png"), v.FileLink(here+"/badge.json")
		picture := strings.TrimSuffix(p.Institutions.Links().Verify(""), "v/") + "badge/" + c.Reference + ".svg"
		page.Embed = `<a href="` + html.EscapeString(page.VerifyURL) + `"><img src="` + html.EscapeString(picture) + `" alt="` +
			html.EscapeString(c.Title+" – "+page.Institution) + `" height="28"></a>`
	}
	if validity == vault.ValidityGenuine {
		page.LinkedIn, page.Fields = linkedInURL(c, page), linkedInFields(v, c, page)
	}
	var err error
	page.Successor, page.Predecessor, err = lineage(ctx, p.Store, c)
	page.SuccessorLink, page.PredecessorLink = v.Link("/v/"+page.Successor), v.Link("/v/"+page.Predecessor)
	return page, err
}

// copyField is a text to copy.
type copyField struct{ ID, Label, Value string }

// linkedInFields are the texts that LinkedIn's form asks for.
func linkedInFields(v layout.PageContext, c vault.Certificate, page shareData) []copyField {
	return []copyField{
		{"linkedin-name", v.T("linkedin.name"), c.Title}, {"linkedin-organization", v.T("linkedin.organization"), page.Institution},
		{"linkedin-issued", v.T("linkedin.issued"), page.Date}, {"linkedin-id", v.T("linkedin.id"), c.Reference},
		{"linkedin-url", v.T("linkedin.url"), page.VerifyURL},
	}
}

// linkedInURL is the address of LinkedIn's form for a new certification, filled in.
func linkedInURL(c vault.Certificate, page shareData) string {
	q := url.Values{
		"startTask": {"CERTIFICATION_NAME"}, "name": {c.Title}, "organizationName": {page.Institution},
		"certId": {c.Reference}, "certUrl": {page.VerifyURL},
	}
	if day, err := time.Parse(time.DateOnly, string(c.IssueDate)); err == nil {
		q.Set("issueYear", strconv.Itoa(day.Year()))
		q.Set("issueMonth", strconv.Itoa(int(day.Month())))
	}
	if day, err := time.Parse(time.DateOnly, string(c.ExpiryDate)); err == nil {
		q.Set("expirationYear", strconv.Itoa(day.Year()))
		q.Set("expirationMonth", strconv.Itoa(int(day.Month())))
	}
	return "https://www.linkedin.com/profile/add?" + q.Encode()
}

// servePDF sends the verified PDF.
func (p *sharePages) servePDF(w http.ResponseWriter, r *http.Request) {
	c, v, ok := p.lookup(w, r)
	if !ok {
		return
	}
	if !c.Validity().Downloadable() {
		p.Layout.RenderMessageFor(w, r, http.StatusNotFound, v, "share.gone")
		return
	}
	d, err := p.Documents.Open(r.Context(), c)
	if err != nil {
		p.Layout.RenderError(w, r, err)
		return
	}
	defer d.Close()
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	// Browsers' own viewers of PDF run in the page and are stopped by more than this.
	h.Set("Content-Security-Policy", "frame-ancestors 'self'")
	disposition := "inline"
	if r.URL.Query().Has("download") {
		disposition = "attachment"
	}
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": c.VerifiedFileName()}))
	http.ServeContent(w, r, "", c.ApprovedAt, d)
}

// servePreview sends the picture of the first page.
func (p *sharePages) servePreview(w http.ResponseWriter, r *http.Request) {
	c, v, ok := p.lookup(w, r)
	if !ok {
		return
	}
	if p.previews == nil || !c.Validity().Downloadable() {
		p.Layout.RenderMessageFor(w, r, http.StatusNotFound, v, "share.gone")
		return
	}
	image, err := p.previews.get(r.Context(), c)
	if err != nil {
		if layout.Interrupted(w, r) {
			return
		}
		p.Log.Warn("a certificate's page cannot be drawn", "reference", c.Reference, "error", err)
		http.Error(w, "The page cannot be drawn.", http.StatusNotFound)
		return
	}
	layout.SetFileHeaders(w, "image/png", "private, max-age=300")
	w.Header().Set("Content-Length", strconv.Itoa(len(image)))
	_, _ = w.Write(image) // a visitor who has gone does not wait for it
}

// maxCorrectionForm is more than any form of these pages has bytes.
const maxCorrectionForm = 64 << 10

// requestCorrection takes a request for a correction.
func (p *sharePages) requestCorrection(w http.ResponseWriter, r *http.Request) {
	c, v, ok := p.lookup(w, r)
	if !ok {
		return
	}
	if !c.Validity().Issued() {
		p.Layout.RenderMessageFor(w, r, http.StatusNotFound, v, "share.gone")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxCorrectionForm)
	correction, err := vault.NewCorrectionRequest(c, strings.ReplaceAll(r.PostFormValue("correction"), "\r\n", "\n"), p.Layout.Now())
	if err != nil {
		p.render(w, r, http.StatusUnprocessableEntity, c, v, v.T("share.correct.bad"))
		return
	}
	if !p.corrections.Allow(httpserver.CallerKey(r), p.Layout.Now()) {
		httpserver.SetRetryAfter(w, p.corrections.Left(p.Layout.Now()))
		p.Layout.RenderMessageFor(w, r, http.StatusTooManyRequests, v, "busy")
		return
	}
	err = p.storeCorrection(r.Context(), c, correction)
	switch {
	case fault.Is(err, fault.Unavailable):
		httpserver.SetRetryAfter(w, decisionTime) // as many wait as one certificate may have
		p.Layout.RenderMessageFor(w, r, http.StatusTooManyRequests, v, "busy")
	case err != nil:
		p.Layout.RenderError(w, r, err)
	default:
		http.Redirect(w, r, v.LinkWith("/c/"+c.ShareToken, "asked", "1"), http.StatusSeeOther)
	}
}

// storeCorrection stores a correction request and queues the mail that tells staff of it.
func (p *sharePages) storeCorrection(ctx context.Context, c vault.Certificate, correction vault.CorrectionRequest) error {
	kept, err := p.Store.AddCorrection(ctx, correction)
	if err != nil {
		return err
	}
	if err := p.Store.QueueMail(ctx, vault.NewCorrectionMail(c, "", kept.Text, p.Layout.Now())); err != nil {
		// Staff see the request in their list all the same.
		p.Log.Error("the mail about a correction request could not be queued", "correction", kept.ID, "error", err)
	}
	p.Mails.Wake()
	return nil
}
