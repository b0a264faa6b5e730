package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vecctl/vecctl/agent/httpserver"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/agent/web/layout"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// accountOptions are what the pages are made of.
type accountOptions struct {
	SignIns      signInStore
	Sessions     sessionStore
	Certificates ownedCertificates
	// Applications lists what somebody applied for.
	Applications ownApplications
	PersonalData PersonalData
	Layout       *layout.Layout
	Institutions institutions.Directory
	Mails        wake.Waker // woken when a mail was queued
	Now          func() time.Time
	Random       io.Reader
	Log          *slog.Logger
}

// signInStore is what is needed of the store to sign somebody in.
type signInStore interface {
	QueueMail(ctx context.Context, m vault.Mail) error
	AddMagicLink(ctx context.Context, s vault.MagicLink) error
	MagicLink(ctx context.Context, hash string, now time.Time) (vault.MagicLink, error)
	RedeemMagicLink(ctx context.Context, hash string, fresh vault.Account, begin vault.Session, now time.Time) (vault.Account, int, error)
}

// accountPages are those of accounts.
type accountPages struct {
	accountOptions
	signInPage, sentPage, confirmPage, accountPage layout.Template
	perCaller, perAddress, overall                 httpserver.RateLimiter
	exporting                                      sync.Mutex // held while personal data are gathered
}

// How many links are sent in an hour: to one address, as its page says, for one
// caller, and in all.
const (
	maxLinksPerAddress = 5
	maxLinksPerCaller  = 20
	maxLinksTotal      = 2000
)

// newAccountPages reads the pages' templates.
func newAccountPages(o accountOptions) (*accountPages, error) {
	p := &accountPages{
		accountOptions: o,
		perCaller:      httpserver.RateLimiter{Limit: maxLinksPerCaller, Period: time.Hour}, perAddress: httpserver.RateLimiter{Limit: maxLinksPerAddress, Period: time.Hour},
		overall: httpserver.RateLimiter{Limit: maxLinksTotal, Period: time.Hour},
	}
	return p, o.Layout.ParseTemplates(templates, map[string]*layout.Template{
		"signin.html": &p.signInPage, "signin_sent.html": &p.sentPage, "signin_confirm.html": &p.confirmPage, "account.html": &p.accountPage,
	})
}

// Route adds the pages' addresses.
func (p *accountPages) Route(mux router.Routes) {
	mux.HandleFunc("GET /me", p.serveAccount)
	mux.HandleFunc("POST /me/data", p.servePersonalData)
	mux.HandleFunc("GET /sign-in", p.serveSignIn)
	mux.HandleFunc("POST /sign-in", p.requestLink)
	mux.HandleFunc("GET /sign-in/{secret}", p.serveConfirm)
	mux.HandleFunc("POST /sign-in/{secret}", p.signIn)
	mux.HandleFunc("POST /sign-out", p.signOut)
}

func (p *accountPages) serveSignIn(w http.ResponseWriter, r *http.Request) {
	p.renderSignIn(w, r, http.StatusOK, "", "")
}

func (p *accountPages) renderSignIn(w http.ResponseWriter, r *http.Request, status int, typed, complaint string) {
	v := p.Layout.CurrentPageContext(r)
	p.Layout.RenderPage(w, r, status, layout.Page{PageContext: v, Title: v.T("signin")}, p.signInPage,
		struct{ Here, Typed, Complaint string }{v.Link("/sign-in"), typed, complaint})
}

// maxSignInForm is more than any form of these pages has bytes.
const maxSignInForm = 8 << 10

// requestLink mails a link to whatever address is given, known or not: who asks learns
// nothing, neither from the answer nor from the time that it takes.
func (p *accountPages) requestLink(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxSignInForm)
	typed := strings.TrimSpace(r.PostFormValue("email"))
	if !vault.ValidEmail(vault.Clean(typed)) || len(typed) > vault.MaxEmail {
		p.renderSignIn(w, r, http.StatusUnprocessableEntity, typed, p.Layout.CurrentPageContext(r).T("signin.bad"))
		return
	}
	now := p.Now()
	if !p.perCaller.Allow(httpserver.CallerKey(r), now) || !p.overall.Allow("", now) {
		httpserver.SetRetryAfter(w, p.perCaller.Left(now))
		p.Layout.RenderMessage(w, r, http.StatusTooManyRequests, "busy")
		return
	}
	// An address that has had its links gets the same answer.
	if p.perAddress.Allow(vault.FoldEmail(typed), now) {
		if err := p.sendLink(r.Context(), vault.Clean(typed)); err != nil {
			p.Layout.RenderError(w, r, err)
			return
		}
	}
	v := p.Layout.CurrentPageContext(r)
	p.Layout.RenderPage(w, r, http.StatusOK, layout.Page{PageContext: v, Title: v.T("signin.sent")}, p.sentPage, nil)
}

func (p *accountPages) sendLink(ctx context.Context, to string) error {
	link, secret, err := vault.NewMagicLink(p.Random, to, p.Now())
	if err != nil {
		return err
	}
	if err := p.SignIns.AddMagicLink(ctx, link); err != nil {
		return err
	}
	address := strings.TrimRight(p.Institutions.BaseURL(), "/") + "/sign-in/" + secret
	err = p.SignIns.QueueMail(ctx, vault.NewSignInMail(p.Layout.Institutions.Primary().ID, to, address, p.Now()))
	p.Mails.Wake()
	return err
}

// serveConfirm asks the visitor to press a button: programs that look at the links
// in mails must not use them up.
func (p *accountPages) serveConfirm(w http.ResponseWriter, r *http.Request) {
	_, err := p.SignIns.MagicLink(r.Context(), vault.HashSecret(r.PathValue("secret")), p.Now())
	switch {
	case fault.Is(err, fault.NotFound):
		p.renderLinkUsed(w, r)
		return
	case err != nil:
		p.Layout.RenderError(w, r, err)
		return
	}
	v := p.Layout.CurrentPageContext(r)
	p.Layout.RenderPage(w, r, http.StatusOK, layout.Page{PageContext: v, Title: v.T("signin.confirm")}, p.confirmPage,
		struct{ Here string }{v.Link("/sign-in/" + r.PathValue("secret"))})
}

func (p *accountPages) renderLinkUsed(w http.ResponseWriter, r *http.Request) {
	v := p.Layout.CurrentPageContext(r)
	p.renderSignIn(w, r, http.StatusGone, "", v.T("signin.used")+". "+v.T("signin.used.text"))
}

// signIn uses a link up, begins a session, and leads to what is assigned now.
func (p *accountPages) signIn(w http.ResponseWriter, r *http.Request) {
	now := p.Now()
	fresh, err := vault.NewAccount(p.Random, "", now)
	if err != nil {
		p.Layout.RenderError(w, r, err)
		return
	}
	session, secret, err := vault.NewSession(p.Random, now)
	if err != nil {
		p.Layout.RenderError(w, r, err)
		return
	}
	_, n, err := p.SignIns.RedeemMagicLink(r.Context(), vault.HashSecret(r.PathValue("secret")), fresh, session, now)
	switch {
	case fault.Is(err, fault.NotFound):
		p.renderLinkUsed(w, r)
		return
	case err != nil:
		p.Layout.RenderError(w, r, err)
		return
	}
	p.Log.Info("an address was proven", "assigned", n)
	p.setCookie(w, r, secret)
	http.Redirect(w, r, p.Layout.CurrentPageContext(r).Link("/me"), http.StatusSeeOther)
}
