// Package account is where recipients see all that was issued to them: they prove
// an address by a link in a mail, and there is no password. No answer tells whether
// an address is known.
package account

import (
	"context"
	"embed"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/pages/frame"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

//go:embed signin.html sent.html confirm.html me.html
var files embed.FS

// Options are what the pages are made of.
type Options struct {
	Links    Links
	Sessions Sessions
	Owned    Owned
	// Applications lists what somebody applied for.
	Applications Applications
	Frame        *frame.Frame
	// Institution finds the one that issued a certificate.
	Institution func(id uint32) (vault.Institution, bool)
	BaseURL     func() string
	// Send has a link mailed to an address.
	Send   func(ctx context.Context, to, link string) error
	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger
}

// Links is what is needed of the store to sign somebody in.
type Links interface {
	AddMagicLink(ctx context.Context, s vault.MagicLink) error
	MagicLink(ctx context.Context, hash string, now time.Time) (vault.MagicLink, error)
	RedeemMagicLink(ctx context.Context, hash string, fresh vault.Account, begin vault.Session, now time.Time) (vault.Account, int, error)
}

// Pages are those of accounts.
type Pages struct {
	Options
	form, sent, confirm, mine frame.Body
	callers, addresses, all   frame.Pace
}

// How many links are sent in an hour: to one address, as its page says, for one
// caller, and in all.
const (
	linksToOne  = 5
	linksForOne = 20
	linksInAll  = 2000
)

// New reads the pages' templates.
func New(o Options) (*Pages, error) {
	p := &Pages{
		Options: o,
		callers: frame.Pace{Most: linksForOne, Span: time.Hour}, addresses: frame.Pace{Most: linksToOne, Span: time.Hour},
		all: frame.Pace{Most: linksInAll, Span: time.Hour},
	}
	return p, o.Frame.ParseAll(files, map[string]*frame.Body{
		"signin.html": &p.form, "sent.html": &p.sent, "confirm.html": &p.confirm, "me.html": &p.mine,
	})
}

// Route adds the pages' addresses.
func (p *Pages) Route(mux *http.ServeMux) {
	mux.HandleFunc("GET /me", p.serveMine)
	mux.HandleFunc("GET /sign-in", p.serveForm)
	mux.HandleFunc("POST /sign-in", p.send)
	mux.HandleFunc("GET /sign-in/{secret}", p.serveConfirm)
	mux.HandleFunc("POST /sign-in/{secret}", p.prove)
	mux.HandleFunc("POST /sign-out", p.signOut)
}

func (p *Pages) serveForm(w http.ResponseWriter, r *http.Request) {
	p.showForm(w, r, http.StatusOK, "", "")
}

func (p *Pages) showForm(w http.ResponseWriter, r *http.Request, status int, typed, complaint string) {
	v := p.Frame.Own(r)
	p.Frame.Show(w, r, status, frame.Page{View: v, Title: v.T("signin")}, p.form,
		struct{ Here, Typed, Complaint string }{v.Link("/sign-in"), typed, complaint})
}

// longestForm is more than any form of these pages has bytes.
const longestForm = 8 << 10

// send mails a link to whatever address is given, known or not: who asks learns
// nothing, neither from the answer nor from the time that it takes.
func (p *Pages) send(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, longestForm)
	typed := strings.TrimSpace(r.PostFormValue("email"))
	if !vault.ValidEmail(vault.Clean(typed)) || len(typed) > vault.MaxEmail {
		p.showForm(w, r, http.StatusUnprocessableEntity, typed, p.Frame.Own(r).T("signin.bad"))
		return
	}
	now := p.Now()
	if !p.callers.Allow(frame.Caller(r), now) || !p.all.Allow("", now) {
		p.Frame.Tell(w, r, http.StatusTooManyRequests, "busy")
		return
	}
	// An address that has had its links gets the same answer.
	if p.addresses.Allow(vault.FoldEmail(typed), now) {
		if err := p.sendLink(r.Context(), vault.Clean(typed)); err != nil {
			p.Frame.Broken(w, r, err)
			return
		}
	}
	v := p.Frame.Own(r)
	p.Frame.Show(w, r, http.StatusOK, frame.Page{View: v, Title: v.T("signin.sent")}, p.sent, nil)
}

func (p *Pages) sendLink(ctx context.Context, to string) error {
	link, secret, err := vault.NewMagicLink(p.Random, to, p.Now())
	if err != nil {
		return err
	}
	if err := p.Links.AddMagicLink(ctx, link); err != nil {
		return err
	}
	return p.Send(ctx, to, strings.TrimRight(p.BaseURL(), "/")+"/sign-in/"+secret)
}

// serveConfirm asks the visitor to press a button: programs that look at the links
// in mails must not use them up.
func (p *Pages) serveConfirm(w http.ResponseWriter, r *http.Request) {
	_, err := p.Links.MagicLink(r.Context(), vault.HashSecret(r.PathValue("secret")), p.Now())
	switch {
	case fault.Is(err, fault.NotFound):
		p.showUsed(w, r)
		return
	case err != nil:
		p.Frame.Broken(w, r, err)
		return
	}
	v := p.Frame.Own(r)
	p.Frame.Show(w, r, http.StatusOK, frame.Page{View: v, Title: v.T("signin.confirm")}, p.confirm,
		struct{ Here string }{v.Link("/sign-in/" + r.PathValue("secret"))})
}

func (p *Pages) showUsed(w http.ResponseWriter, r *http.Request) {
	v := p.Frame.Own(r)
	p.showForm(w, r, http.StatusGone, "", v.T("signin.used")+". "+v.T("signin.used.text"))
}

// prove uses a link up, begins a session, and leads to what is assigned now.
func (p *Pages) prove(w http.ResponseWriter, r *http.Request) {
	now := p.Now()
	fresh, err := vault.NewAccount(p.Random, "", now)
	if err != nil {
		p.Frame.Broken(w, r, err)
		return
	}
	session, secret, err := vault.NewSession(p.Random, now)
	if err != nil {
		p.Frame.Broken(w, r, err)
		return
	}
	_, n, err := p.Links.RedeemMagicLink(r.Context(), vault.HashSecret(r.PathValue("secret")), fresh, session, now)
	switch {
	case fault.Is(err, fault.NotFound):
		p.showUsed(w, r)
		return
	case err != nil:
		p.Frame.Broken(w, r, err)
		return
	}
	p.Log.Info("an address was proven", "assigned", n)
	p.setCookie(w, r, secret)
	http.Redirect(w, r, p.Frame.Own(r).Link("/me"), http.StatusSeeOther)
}
