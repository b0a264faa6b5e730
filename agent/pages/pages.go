// Package pages is what the public sees: the verification page of each
// certificate, the view-and-share page that its owner hands on, the owner's
// account, and the form to apply with.
package pages

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/agent/pages/account"
	"github.com/vecctl/vecctl/agent/pages/apply"
	"github.com/vecctl/vecctl/agent/pages/frame"
	"github.com/vecctl/vecctl/agent/pages/share"
	"github.com/vecctl/vecctl/agent/pages/verify"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Vault is what is needed of the store.
type Vault interface {
	verify.Vault
	share.Vault
	account.Links
	account.Sessions
	account.Owned
}

// Applications is the desk at which people apply.
type Applications interface {
	apply.Desk
	apply.Proofs
	account.Applications
}

// Options are what the pages are made of.
type Options struct {
	Vault       Vault
	Institution func(id uint32) (vault.Institution, bool)
	Current     func() vault.Institution
	BaseURL     func() string
	VerifyURL   func(reference string) string
	ShareURL    func(vault.Certificate) string
	Open        func(context.Context, vault.Certificate) (share.Document, error)
	FileName    func(vault.Certificate) string
	Draw        func(context.Context, vault.Certificate) ([]byte, error) // nil where nothing here can
	Ask         func(context.Context, vault.Certificate, vault.CorrectionRequest) error
	SendLink    func(ctx context.Context, to, link string) error
	Desk        Applications
	ReadForm    apply.ReadForm
	Now         func() time.Time
	Random      io.Reader
	Log         *slog.Logger
}

// Pages are all of them.
type Pages struct {
	Options
	frame *frame.Frame
	parts []interface{ Route(mux *http.ServeMux) }
}

// New makes the pages; it starts nothing.
func New(o Options) (*Pages, error) {
	f, err := frame.New(frame.Options{BaseURL: o.BaseURL, Current: o.Current, Applying: o.applying, Log: o.Log})
	if err != nil {
		return nil, err
	}
	v, err := verify.New(verify.Options{Vault: o.Vault, Frame: f, Institution: o.Institution, VerifyURL: o.VerifyURL, Log: o.Log})
	if err != nil {
		return nil, err
	}
	s, err := share.New(share.Options{Vault: o.Vault, Frame: f, Institution: o.Institution,
		VerifyURL: o.VerifyURL, ShareURL: o.ShareURL, Open: o.Open, FileName: o.FileName, Draw: o.Draw, Ask: o.Ask, Now: o.Now, Log: o.Log})
	if err != nil {
		return nil, err
	}
	a, err := account.New(account.Options{Links: o.Vault, Sessions: o.Vault, Owned: o.Vault, Applications: o.Desk, Frame: f, Institution: o.Institution,
		BaseURL: o.BaseURL, Send: o.SendLink, Now: o.Now, Random: o.Random, Log: o.Log})
	if err != nil {
		return nil, err
	}
	at, err := apply.New(apply.Options{Desk: o.Desk, Proofs: o.Desk, Frame: f, Visitor: a.Visitor,
		Read: o.ReadForm, Now: o.Now, Log: o.Log})
	if err != nil {
		return nil, err
	}
	return &Pages{Options: o, frame: f, parts: []interface{ Route(mux *http.ServeMux) }{v, s, a, at}}, nil
}

// applying tells whether people may apply at an institution: one that these pages
// are not of takes its applications elsewhere.
func (o Options) applying(at vault.Institution) bool {
	return at.ApplicationPolicy().Who != vault.NobodyMayApply && at.ID == o.Current().ID
}

// mux routes the pages' addresses.
func (p *Pages) mux() *http.ServeMux {
	mux := http.NewServeMux()
	for _, part := range p.parts {
		part.Route(mux)
	}
	mux.HandleFunc("GET /logo/{id}", p.logo)
	mux.HandleFunc("GET /assets/{name}", func(w http.ResponseWriter, r *http.Request) {
		if !p.frame.ServeAsset(w, r) {
			p.missing(w, r)
		}
	})
	for _, room := range []string{"/v/", "/V/", "/c/", "/me/", "/sign-in/", "/apply/"} {
		mux.HandleFunc("GET "+room, p.missing)
	}
	return mux
}

// Handler answers at the pages' addresses, and has next answer at all others. A
// form that another site's page sends is refused.
func (p *Pages) Handler(next http.Handler) http.Handler {
	own, all := p.mux(), p.mux()
	all.Handle("/", next)
	guarded := http.NewCrossOriginProtection().Handler(own)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			all.ServeHTTP(w, r)
			return
		}
		if _, pattern := own.Handler(r); pattern == "" {
			next.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// Refuse answers forms of the pages when the agent takes nothing, in words for
// people, and has others answer all else.
func (p *Pages) Refuse(others func(http.ResponseWriter, *http.Request, error)) func(http.ResponseWriter, *http.Request, error) {
	own := p.mux()
	return func(w http.ResponseWriter, r *http.Request, err error) {
		if _, pattern := own.Handler(r); pattern == "" {
			others(w, r, err)
			return
		}
		p.frame.Tell(w, r, http.StatusServiceUnavailable, "full")
	}
}

func (p *Pages) missing(w http.ResponseWriter, r *http.Request) {
	p.frame.Tell(w, r, http.StatusNotFound, "missing")
}

// logo sends an institution's logo.
func (p *Pages) logo(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 32)
	who, ok := p.Institution(uint32(id))
	if err != nil || !ok || who.Logo == nil {
		p.missing(w, r)
		return
	}
	frame.KeepFor(w, who.Logo.Type, "public, max-age=86400")
	_, _ = w.Write(who.Logo.Data)
}
