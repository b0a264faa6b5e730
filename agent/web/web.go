// Package web is the public pages: the verification page of each certificate, its
// view-and-share page, the account of its owner, and the form to apply with.
package web

import (
	"context"
	"embed"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/agent/badges"
	"github.com/vecctl/vecctl/agent/httpserver"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/agent/web/layout"
	"github.com/vecctl/vecctl/pkg/router"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

//go:embed *.html
var templates embed.FS

// Store is what is needed of the store.
type Store interface {
	verifyStore
	shareStore
	signInStore
	sessionStore
	ownedCertificates
	logStore
}

// ApplicationService is where people apply.
type ApplicationService interface {
	applicationSubmitter
	applicationConfirmer
	ownApplications
}

// Previewer draws the first page of a certificate's verified PDF as a PNG.
type Previewer interface {
	RenderPreview(ctx context.Context, c vault.Certificate) ([]byte, error)
}

// PersonalData is what is known of people.
type PersonalData interface {
	// ExportAccount writes all that is known of an account's holder as a zip. Nothing is written
	// where it fails before it begins.
	ExportAccount(ctx context.Context, who vault.Account, w io.Writer) error
}

// Options are what the pages are made of.
type Options struct {
	Store        Store
	Institutions institutions.Directory
	Documents    *results.Exporter
	Badges       *badges.Service
	Previews     Previewer // nil if this machine cannot draw pages
	PersonalData PersonalData
	Mails        wake.Waker // woken when a mail was queued
	Applications ApplicationService
	Now          func() time.Time
	Random       io.Reader
	Log          *slog.Logger
}

// Pages are all of them.
type Pages struct {
	Options
	layout *layout.Layout
	verify *verifyPages
	parts  []interface{ Route(mux router.Routes) }
}

// New makes the pages; it starts nothing.
func New(o Options) (*Pages, error) {
	f, err := layout.New(layout.Options{Institutions: o.Institutions, Now: o.Now, Log: o.Log})
	if err != nil {
		return nil, err
	}
	v, err := newVerifyPages(verifyOptions{Store: o.Store, Layout: f, Institutions: o.Institutions, Log: o.Log})
	if err != nil {
		return nil, err
	}
	s, err := newSharePages(shareOptions{Store: o.Store, Layout: f, Institutions: o.Institutions,
		Documents: o.Documents, Badges: o.Badges != nil, Previews: o.Previews, Mails: o.Mails, Log: o.Log})
	if err != nil {
		return nil, err
	}
	a, err := newAccountPages(accountOptions{SignIns: o.Store, Sessions: o.Store, Certificates: o.Store, Applications: o.Applications, PersonalData: o.PersonalData, Layout: f, Institutions: o.Institutions,
		Mails: o.Mails, Now: o.Now, Random: o.Random, Log: o.Log})
	if err != nil {
		return nil, err
	}
	at, err := newApplyPages(applyOptions{Applications: o.Applications, Confirmations: o.Applications, Layout: f, Accounts: a,
		Now: o.Now, Log: o.Log})
	if err != nil {
		return nil, err
	}
	return &Pages{Options: o, layout: f, verify: v, parts: []interface{ Route(mux router.Routes) }{v, s, a, at, &logPages{Store: o.Store, Institutions: o.Institutions, Log: o.Log},
		&badgePages{Store: o.Store, Badges: o.Badges, Share: s, Log: o.Log}}}, nil
}

// Routes lists the pages. A form that another site's page sends is refused.
func (p *Pages) Routes() router.Routes {
	mux := router.Routes{}
	for _, part := range p.parts {
		part.Route(mux)
	}
	mux.HandleFunc("GET /logo/{id}", p.serveLogo)
	mux.HandleFunc("GET /robots.txt", p.serveRobots)
	mux.HandleFunc("GET /assets/{name}", func(w http.ResponseWriter, r *http.Request) {
		if !p.layout.ServeAsset(w, r) {
			p.notFound(w, r)
		}
	})
	for _, folder := range []string{"/v/", "/V/", "/c/", "/me/", "/sign-in/", "/apply/", "/log/", "/credentials/", "/issuers/", "/badge/"} {
		mux.HandleFunc("GET "+folder, p.notFound)
	}
	sameOrigin := http.NewCrossOriginProtection()
	for pattern, h := range mux {
		mux[pattern] = sameOrigin.Handler(h)
	}
	return mux
}

// FailFull answers a form when the agent takes nothing new, in words for people.
func (p *Pages) FailFull(w http.ResponseWriter, r *http.Request, _ error) {
	httpserver.SetRetryAfter(w, time.Minute)
	p.layout.RenderMessage(w, r, http.StatusServiceUnavailable, "full")
}

// serveLogo sends an institution's logo.
func (p *Pages) serveLogo(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 32)
	who, ok := p.Institutions.ByID(uint32(id))
	if err != nil || !ok || who.Logo == nil {
		p.notFound(w, r)
		return
	}
	layout.SetFileHeaders(w, who.Logo.Type, "public, max-age=86400")
	_, _ = w.Write(who.Logo.Data)
}
