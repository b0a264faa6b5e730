// Package share is the view-and-share page of a certificate: its owner sees and
// downloads it there, hands its address on, and may ask for a correction. Nobody
// comes upon it who was not given the address.
package share

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/pages/frame"
	"github.com/vecctl/vecctl/agent/pages/kin"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

//go:embed share.html
var files embed.FS

// Vault is what is needed of the store.
type Vault interface {
	ByShareToken(ctx context.Context, token string) (vault.Certificate, error)
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
}

// Document is a verified PDF that can be sent.
type Document interface {
	io.ReadSeeker
	io.Closer
}

// Options are what the page is made of.
type Options struct {
	Vault       Vault
	Frame       *frame.Frame
	Institution func(id uint32) (vault.Institution, bool)
	VerifyURL   func(reference string) string
	ShareURL    func(vault.Certificate) string
	// Open opens a certificate's verified PDF; FileName names it.
	Open     func(context.Context, vault.Certificate) (Document, error)
	FileName func(vault.Certificate) string
	// Draw makes a PNG of the verified PDF's first page; nil where nothing here can.
	Draw func(context.Context, vault.Certificate) ([]byte, error)
	// Ask takes a wish for a correction down.
	Ask func(context.Context, vault.Certificate, vault.CorrectionRequest) error
	Now func() time.Time
	Log *slog.Logger
}

// Pages are the view-and-share pages.
type Pages struct {
	Options
	body     frame.Body
	pictures *pictures
	asking   frame.Pace
}

// askedAnHour is how many corrections one caller may ask for in an hour.
const askedAnHour = 10

// New reads the page's templates.
func New(o Options) (*Pages, error) {
	p := &Pages{Options: o, asking: frame.Pace{Most: askedAnHour, Span: time.Hour}}
	if o.Draw != nil {
		p.pictures = newPictures(o.Draw)
	}
	var err error
	p.body, err = o.Frame.Parse(files, "share.html")
	return p, err
}

// Route adds the page's addresses.
func (p *Pages) Route(mux *http.ServeMux) {
	mux.HandleFunc("GET /c/{token}", p.serve)
	mux.HandleFunc("POST /c/{token}", p.ask)
	mux.HandleFunc("GET /c/{token}/certificate.pdf", p.document)
	mux.HandleFunc("GET /c/{token}/page.png", p.picture)
}

// find looks a page's certificate up and answers where there is none.
func (p *Pages) find(w http.ResponseWriter, r *http.Request) (c vault.Certificate, v frame.View, ok bool) {
	c, err := p.Vault.ByShareToken(r.Context(), r.PathValue("token"))
	if err == nil && c.Validity() == vault.ValidityUnknown { // an application, which is no certificate
		c, err = vault.Certificate{}, fault.New(fault.NotFound, "Certificate not found.")
	}
	if fault.Is(err, fault.NotFound) {
		p.Frame.Tell(w, r, http.StatusNotFound, "share.gone")
		return c, v, false
	}
	who, known := p.Institution(c.Institution)
	if err == nil && !known {
		err = fmt.Errorf("institution %d is missing", c.Institution)
	}
	if err != nil {
		p.Frame.Broken(w, r, err)
		return c, v, false
	}
	return c, p.Frame.View(r, who), true
}

func (p *Pages) serve(w http.ResponseWriter, r *http.Request) {
	c, v, ok := p.find(w, r)
	if !ok {
		return
	}
	said := ""
	if r.URL.Query().Get("asked") == "1" {
		said = v.T("share.mend.done")
	}
	p.show(w, r, http.StatusOK, c, v, said)
}

// show draws the page; said is what became of a wish, if anything.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, c vault.Certificate, v frame.View, said string) {
	page, err := p.content(r.Context(), c, v)
	if err != nil {
		p.Frame.Broken(w, r, err)
		return
	}
	page.Said = said
	around := frame.Page{View: v, Title: page.Verdict, Meta: []frame.Meta{{Property: "og:type", Content: "website"}}}
	if c.Validity().Issued() {
		around.Title = c.Title
		around.Meta = append(around.Meta,
			frame.Meta{Property: "og:title", Content: c.Title},
			frame.Meta{Property: "og:description", Content: c.Name + " – " + v.Institution.Name},
			frame.Meta{Property: "og:site_name", Content: v.Institution.Name},
			frame.Meta{Property: "og:url", Content: page.URL})
		if page.Picture != "" {
			around.Meta = append(around.Meta, frame.Meta{Property: "og:image", Content: page.URL + "/page.png"})
		}
	}
	p.Frame.Show(w, r, status, around, p.body, page)
}

// content is what the page shows.
type content struct {
	Certificate                   vault.Certificate
	Standing, Verdict, Text, Mark string
	Issued, Valid, Assigned       bool
	Institution, Date             string
	RevokedSince                  string
	URL, VerifyURL                string
	Successor, Predecessor        string // reference IDs
	SuccessorLink                 string
	PredecessorLink               string
	Here, Document, Picture, Join string
	LinkedIn                      string
	Fields                        []field // of LinkedIn's form
	Said                          string
}

func (p *Pages) content(ctx context.Context, c vault.Certificate, v frame.View) (content, error) {
	standing := c.Validity()
	here := "/c/" + c.ShareToken
	page := content{
		Certificate: c, Standing: string(standing), Issued: standing.Issued(), Assigned: c.Owner() != "",
		Verdict: v.T("verdict." + string(standing)), Text: v.T("verdict." + string(standing) + ".text"), Mark: frame.Mark(standing),
		Institution: v.Institution.Name, Date: v.Day(c.IssueDate), URL: p.ShareURL(c), VerifyURL: p.VerifyURL(c.Reference),
		Here: v.Link(here), Join: v.Link("/sign-in"),
	}
	page.Valid = standing == vault.ValidityGenuine || standing == vault.ValiditySuperseded
	if !page.Issued {
		return page, nil
	}
	if c.Revocation != nil {
		page.RevokedSince = v.Since(c.Revocation.At)
	}
	if page.Valid {
		page.Document = v.Plain(here + "/certificate.pdf")
		if p.pictures != nil {
			page.Picture = v.Plain(here + "/page.png")
		}
	}
	if standing == vault.ValidityGenuine {
		page.LinkedIn, page.Fields = linkedIn(c, page), fieldsOf(v, c, page)
	}
	var err error
	page.Successor, page.Predecessor, err = kin.Of(ctx, p.Vault, c)
	page.SuccessorLink, page.PredecessorLink = v.Link("/v/"+page.Successor), v.Link("/v/"+page.Predecessor)
	return page, err
}

// field is a text to copy.
type field struct{ ID, Label, Value string }

// fieldsOf are the texts that LinkedIn's form asks for.
func fieldsOf(v frame.View, c vault.Certificate, page content) []field {
	return []field{
		{"linkedin-name", v.T("linkedin.name"), c.Title}, {"linkedin-organization", v.T("linkedin.organization"), page.Institution},
		{"linkedin-issued", v.T("linkedin.issued"), page.Date}, {"linkedin-id", v.T("linkedin.id"), c.Reference},
		{"linkedin-url", v.T("linkedin.url"), page.VerifyURL},
	}
}

// linkedIn is the address of LinkedIn's form for a new certification, filled in.
func linkedIn(c vault.Certificate, page content) string {
	q := url.Values{
		"startTask": {"CERTIFICATION_NAME"}, "name": {c.Title}, "organizationName": {page.Institution},
		"certId": {c.Reference}, "certUrl": {page.VerifyURL},
	}
	if day, err := time.Parse(time.DateOnly, string(c.IssueDate)); err == nil {
		q.Set("issueYear", strconv.Itoa(day.Year()))
		q.Set("issueMonth", strconv.Itoa(int(day.Month())))
	}
	return "https://www.linkedin.com/profile/add?" + q.Encode()
}

// document sends the verified PDF.
func (p *Pages) document(w http.ResponseWriter, r *http.Request) {
	c, v, ok := p.find(w, r)
	if !ok {
		return
	}
	if s := c.Validity(); s != vault.ValidityGenuine && s != vault.ValiditySuperseded {
		p.Frame.Note(w, r, http.StatusNotFound, v, "share.gone")
		return
	}
	d, err := p.Open(r.Context(), c)
	if err != nil {
		p.Frame.Broken(w, r, err)
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
	how := "inline"
	if r.URL.Query().Has("download") {
		how = "attachment"
	}
	h.Set("Content-Disposition", mime.FormatMediaType(how, map[string]string{"filename": p.FileName(c)}))
	http.ServeContent(w, r, "", c.ApprovedAt, d)
}

// picture sends the picture of the first page.
func (p *Pages) picture(w http.ResponseWriter, r *http.Request) {
	c, v, ok := p.find(w, r)
	if !ok {
		return
	}
	if s := c.Validity(); p.pictures == nil || s != vault.ValidityGenuine && s != vault.ValiditySuperseded {
		p.Frame.Note(w, r, http.StatusNotFound, v, "share.gone")
		return
	}
	drawn, err := p.pictures.of(r.Context(), c)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			p.Log.Warn("a certificate's page cannot be drawn", "reference", c.Reference, "error", err)
		}
		http.Error(w, "The page cannot be drawn.", http.StatusNotFound)
		return
	}
	frame.KeepFor(w, "image/png", "private, max-age=300")
	w.Header().Set("Content-Length", strconv.Itoa(len(drawn)))
	_, _ = w.Write(drawn) // a visitor who has gone does not wait for it
}

// longestForm is more than any form of these pages has bytes.
const longestForm = 64 << 10

// ask takes a wish for a correction.
func (p *Pages) ask(w http.ResponseWriter, r *http.Request) {
	c, v, ok := p.find(w, r)
	if !ok {
		return
	}
	if !c.Validity().Issued() {
		p.Frame.Note(w, r, http.StatusNotFound, v, "share.gone")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, longestForm)
	wish, err := vault.NewCorrectionRequest(c, strings.ReplaceAll(r.PostFormValue("correction"), "\r\n", "\n"), p.Now())
	if err != nil {
		p.show(w, r, http.StatusUnprocessableEntity, c, v, v.T("share.mend.bad"))
		return
	}
	if !p.asking.Allow(frame.Caller(r), p.Now()) {
		p.Frame.Note(w, r, http.StatusTooManyRequests, v, "busy")
		return
	}
	err = p.Ask(r.Context(), c, wish)
	switch {
	case fault.Is(err, fault.Unavailable):
		p.Frame.Note(w, r, http.StatusTooManyRequests, v, "busy")
	case err != nil:
		p.Frame.Broken(w, r, err)
	default:
		http.Redirect(w, r, v.LinkWith("/c/"+c.ShareToken, "asked", "1"), http.StatusSeeOther)
	}
}
