package web

import (
	"context"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/agent/badges"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
	"github.com/vecctl/vecctl/pkg/vault"
)

// badgeStore is what is needed of the store.
type badgeStore interface {
	ByReference(ctx context.Context, reference string) (vault.Certificate, error)
}

// badgePages publish certificates as Open Badges 3.0, their issuers and status lists.
type badgePages struct {
	Store  badgeStore
	Badges *badges.Service
	Share  *sharePages
	Log    *slog.Logger
}

// Route adds the addresses.
func (p *badgePages) Route(mux router.Routes) {
	if p.Badges == nil {
		return
	}
	mux.HandleFunc("GET /v/{reference}/{file}", p.servePublic)
	mux.HandleFunc("GET /badge/{file}", p.serveLive)
	mux.HandleFunc("GET /c/{token}/card.png", p.serveCard)
	for _, form := range badges.Forms() {
		mux.HandleFunc("GET /c/{token}/badge."+form, func(w http.ResponseWriter, r *http.Request) { p.serveOwn(w, r, form) })
	}
	for _, path := range []string{"/did.json", "/.well-known/did.json"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { p.serveIssuer(w, r, 1) })
	}
	mux.HandleFunc("GET /issuers/{institution}/did.json", func(w http.ResponseWriter, r *http.Request) {
		p.serveIssuer(w, r, number(r, "institution"))
	})
	mux.HandleFunc("GET /credentials/status/{institution}/{list}", p.serveStatusList)
}

// number reads a number of an address; 0 where it is none.
func number(r *http.Request, name string) uint32 {
	n, err := strconv.ParseUint(r.PathValue(name), 10, 31)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// How long answers may be kept. A status list says what counts now.
const (
	statusCacheControl  = "public, max-age=60"
	issuerCacheControl  = "public, max-age=3600"
	pictureCacheControl = "public, max-age=3600"
	liveCacheControl    = "public, max-age=300"
)

// serveIssuer sends the DID document of an institution.
func (p *badgePages) serveIssuer(w http.ResponseWriter, r *http.Request, institution uint32) {
	document, err := p.Badges.DIDDocument(institution)
	p.write(w, r, "application/did+json", issuerCacheControl, document, err)
}

func (p *badgePages) serveStatusList(w http.ResponseWriter, r *http.Request) {
	list, err := p.Badges.StatusList(r.Context(), number(r, "institution"), int(number(r, "list")))
	p.write(w, r, badges.ContentType("json"), statusCacheControl, list, err)
}

// servePublic sends the credential and the picture of a certificate to everyone who knows its
// reference ID.
func (p *badgePages) servePublic(w http.ResponseWriter, r *http.Request) {
	switch file := r.PathValue("file"); file {
	case "badge.json", "badge.jwt":
		p.serveCredential(w, r, strings.TrimPrefix(file, "badge."))
	case "picture.png", "picture.svg":
		p.servePicture(w, r, strings.TrimPrefix(file, "picture."))
	default:
		p.fail(w, r, fault.New(fault.NotFound, "There is nothing at this address."))
	}
}

func (p *badgePages) serveCredential(w http.ResponseWriter, r *http.Request, form string) {
	var file []byte
	c, err := p.certificate(r)
	if err == nil {
		file, err = p.Badges.File(r.Context(), c, form)
	}
	p.write(w, r, badges.ContentType(form), "no-store", file, err)
}

// servePicture sends the badge picture of a certificate, without its credential.
func (p *badgePages) servePicture(w http.ResponseWriter, r *http.Request, form string) {
	var file []byte
	c, err := p.certificate(r)
	if err == nil && !c.Validity().Issued() {
		err = fault.New(fault.NotFound, "There is no such certificate.")
	}
	if err == nil {
		file, err = p.Badges.Picture(c, form)
	}
	p.write(w, r, badges.ContentType(form), pictureCacheControl, file, err)
}

// serveLive sends a small picture for web sites that says what a certificate counts for now.
func (p *badgePages) serveLive(w http.ResponseWriter, r *http.Request) {
	reference, svg := strings.CutSuffix(r.PathValue("file"), ".svg")
	c, err := p.Store.ByReference(r.Context(), reference)
	if err == nil && (!svg || c.Validity() == vault.ValidityUnknown) {
		err = fault.New(fault.NotFound, "There is no such certificate.")
	}
	var picture []byte
	if err == nil {
		who, _ := p.Share.Institutions.ByID(c.Institution)
		state := c.ValidityOn(who.Today(p.Share.Layout.Now()))
		w.Header().Add("Vary", "Accept-Language")
		picture, err = p.Badges.Live(c, state, p.Share.Layout.PageContext(r, who).T("state."+string(state)))
	}
	p.write(w, r, badges.ContentType("svg"), liveCacheControl, picture, err)
}

// serveCard sends the picture that social networks show of a certificate's page. Where it cannot be
// drawn, the badge picture serves.
func (p *badgePages) serveCard(w http.ResponseWriter, r *http.Request) {
	c, v, ok := p.Share.lookup(w, r)
	if !ok {
		return
	}
	var card []byte
	var err error
	if drawn := false; c.Validity().Issued() {
		if card, drawn, err = p.Badges.Card(c, v.T("card.kicker")); err == nil && !drawn {
			card, err = p.Badges.Picture(c, "png")
		}
	} else {
		err = fault.New(fault.NotFound, "There is no such certificate.")
	}
	p.write(w, r, badges.ContentType("png"), pictureCacheControl, card, err)
}

func (p *badgePages) certificate(r *http.Request) (vault.Certificate, error) {
	return p.Store.ByReference(r.Context(), r.PathValue("reference"))
}

// serveOwn sends the credential to those who have the certificate's page.
func (p *badgePages) serveOwn(w http.ResponseWriter, r *http.Request, form string) {
	c, v, ok := p.Share.lookup(w, r)
	if !ok {
		return
	}
	file, err := p.Badges.File(r.Context(), c, form)
	if fault.Is(err, fault.NotFound) {
		p.Share.Layout.RenderMessageFor(w, r, http.StatusNotFound, v, "share.gone")
		return
	}
	w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	if err == nil && (r.URL.Query().Has("download") || (form == "png" || form == "svg")) {
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": c.Reference + "." + form}))
	}
	p.write(w, r, badges.ContentType(form), "no-store", file, err)
}

// write answers with a file that programs of other sites may read.
func (p *badgePages) write(w http.ResponseWriter, r *http.Request, kind, cacheControl string, body []byte, err error) {
	if err != nil {
		p.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", cacheControl)
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	// Someone may open the picture as a page of its own.
	h.Set("Content-Security-Policy", "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'")
	_, _ = w.Write(body) // a client who has gone does not wait for it
}

func (p *badgePages) fail(w http.ResponseWriter, r *http.Request, err error) {
	writeFailure(w, r, p.Log, "badge", err)
}
