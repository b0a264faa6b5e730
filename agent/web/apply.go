package web

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/vecctl/vecctl/agent/api/form"
	"github.com/vecctl/vecctl/agent/httpserver"
	"github.com/vecctl/vecctl/agent/web/layout"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
	"github.com/vecctl/vecctl/pkg/vault"
)

// applicationSubmitter is where applications are submitted.
type applicationSubmitter interface {
	// TakeEvidence checks a file and stores it; what no application names is swept.
	TakeEvidence(ctx context.Context, r io.Reader, name string) (vault.File, error)
	Apply(ctx context.Context, who vault.Account, d vault.ApplicationDraft) (vault.Certificate, error)
	ApplyByMail(ctx context.Context, d vault.ApplicationDraft) error
}

// applicationConfirmer finds applications by the secrets of their links.
type applicationConfirmer interface {
	WaitingApplication(ctx context.Context, secret string) (vault.UnconfirmedApplication, error)
	ConfirmApplication(ctx context.Context, secret string) (vault.Certificate, error)
}

// applyOptions are what the pages are made of.
type applyOptions struct {
	Applications  applicationSubmitter
	Confirmations applicationConfirmer
	Layout        *layout.Layout
	Accounts      *accountPages // know which account a browser is signed in to
	Now           func() time.Time
	Log           *slog.Logger
}

// applyPages are those of applications.
type applyPages struct {
	applyOptions
	formPage, confirmPage, messagePage layout.Template
	perCaller, perAddress, overall     httpserver.RateLimiter
	inProgress                         callerSlots
}

// How many applications are taken in an hour: from one address that is not proven,
// from one caller, and in all from people who are not signed in. And how many of one
// caller and in all are taken in at once, so that slow ones are not everybody's turn.
// Who is signed in is a caller of his own, since whole schools share an address.
const (
	maxApplicationsPerAddress = 5
	maxApplicationsPerCaller  = 20
	maxApplicationsTotal      = vault.MaxUnconfirmed
	maxConcurrentPerCaller    = 4
	maxConcurrentTotal        = 64
)

// decisionTime is when somebody whose applications wait for staff may try again.
const decisionTime = time.Hour

// newApplyPages reads the pages' templates.
func newApplyPages(o applyOptions) (*applyPages, error) {
	p := &applyPages{
		applyOptions: o,
		perCaller:    httpserver.RateLimiter{Limit: maxApplicationsPerCaller, Period: time.Hour}, perAddress: httpserver.RateLimiter{Limit: maxApplicationsPerAddress, Period: time.Hour},
		overall: httpserver.RateLimiter{Limit: maxApplicationsTotal, Period: time.Hour},
	}
	return p, o.Layout.ParseTemplates(templates, map[string]*layout.Template{"apply.html": &p.formPage, "apply_confirm.html": &p.confirmPage, "apply_message.html": &p.messagePage})
}

// Route adds the pages' addresses.
func (p *applyPages) Route(mux router.Routes) {
	mux.HandleFunc("GET /apply", p.serveForm)
	mux.HandleFunc("POST /apply", p.submit)
	mux.HandleFunc("GET /apply/confirm/{secret}", p.serveConfirm)
	mux.HandleFunc("POST /apply/confirm/{secret}", p.confirm)
}

// renderMessage is a page that says something and leads on.
func (p *applyPages) renderMessage(w http.ResponseWriter, r *http.Request, status int, name, to string) {
	v := p.Layout.CurrentPageContext(r)
	message := struct{ Title, Text, Link, Go string }{Title: v.T(name), Text: v.T(name + ".text")}
	if to != "" {
		message.Link, message.Go = v.Link(to), v.T(name+".go")
	}
	p.Layout.RenderPage(w, r, status, layout.Page{PageContext: v, Title: message.Title}, p.messagePage, message)
}

// applicant finds out who applies, and answers where nobody may.
func (p *applyPages) applicant(w http.ResponseWriter, r *http.Request, status int) (who vault.Account, policy vault.ApplicationPolicy, ok bool) {
	policy = p.Layout.Institutions.Primary().ApplicationPolicy()
	if policy.Who == vault.NobodyMayApply {
		p.Layout.RenderMessage(w, r, http.StatusNotFound, "missing")
		return who, policy, false
	}
	who, signedIn, err := p.Accounts.Visitor(r)
	switch {
	case err != nil:
		p.Layout.RenderError(w, r, err)
		return who, policy, false
	case !signedIn && policy.Who != vault.AnyoneMayApply:
		p.renderMessage(w, r, status, "apply.signin", "/sign-in")
		return who, policy, false
	}
	return who, policy, true
}

func (p *applyPages) serveForm(w http.ResponseWriter, r *http.Request) {
	if who, policy, ok := p.applicant(w, r, http.StatusOK); ok {
		p.renderForm(w, r, http.StatusOK, newApplicationForm(r.Context(), p.Applications, policy, who), nil)
	}
}

// submit takes an application in. Nothing of a form that is refused is kept but its
// texts, in the answer.
func (p *applyPages) submit(w http.ResponseWriter, r *http.Request) {
	who, policy, ok := p.applicant(w, r, http.StatusForbidden)
	if !ok {
		return
	}
	caller, now := cmp.Or(who.ID, httpserver.CallerKey(r)), p.Now()
	if !p.perCaller.Allow(caller, now) || who.Email == "" && !p.overall.Allow("", now) {
		httpserver.SetRetryAfter(w, p.perCaller.Left(now))
		p.Layout.RenderMessage(w, r, http.StatusTooManyRequests, "busy")
		return
	}
	if !p.inProgress.acquire(caller) {
		httpserver.SetRetryAfter(w, time.Minute)
		p.Layout.RenderMessage(w, r, http.StatusTooManyRequests, "busy")
		return
	}
	defer p.inProgress.release(caller)
	f := newApplicationForm(r.Context(), p.Applications, policy, who)
	err := f.read(w, r)
	switch {
	case errors.Is(err, form.ErrBodyTooLarge):
		p.renderForm(w, r, http.StatusRequestEntityTooLarge, f, []fieldError{{fieldEvidence, errorText{key: "apply.bad.large"}}})
	case errors.Is(err, form.ErrMalformed):
		p.renderForm(w, r, http.StatusBadRequest, f, f.formErrors("apply.bad.form"))
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Full):
		p.renderForm(w, r, http.StatusServiceUnavailable, f, f.formErrors("apply.full"))
	case err != nil:
		p.Layout.RenderError(w, r, err)
	case len(f.errors()) > 0:
		p.renderForm(w, r, http.StatusUnprocessableEntity, f, f.errors())
	case who.Email != "":
		p.submitSignedIn(w, r, f, who)
	default:
		p.submitByMail(w, r, f)
	}
}

// submitSignedIn submits the application of somebody who is signed in.
func (p *applyPages) submitSignedIn(w http.ResponseWriter, r *http.Request, f *applicationForm, who vault.Account) {
	_, err := p.Applications.Apply(r.Context(), who, f.draft())
	switch {
	case err == nil:
		http.Redirect(w, r, p.Layout.CurrentPageContext(r).LinkWith("/me", "applied", "1"), http.StatusSeeOther)
	case fault.Is(err, fault.Illegal):
		p.renderForm(w, r, http.StatusConflict, f, f.formErrors("apply.twice"))
	case fault.Is(err, fault.Unavailable):
		httpserver.SetRetryAfter(w, decisionTime)
		p.renderForm(w, r, http.StatusTooManyRequests, f, f.formErrors("apply.many"))
	default:
		p.renderSubmitError(w, r, f, err)
	}
}

// submitByMail has the link mailed that makes an application count. An address that
// has had its mails gets the same answer.
func (p *applyPages) submitByMail(w http.ResponseWriter, r *http.Request, f *applicationForm) {
	if p.perAddress.Allow(vault.FoldEmail(f.draft().Email), p.Now()) {
		err := p.Applications.ApplyByMail(r.Context(), f.draft())
		switch {
		case fault.Is(err, fault.Unavailable):
			p.renderForm(w, r, http.StatusServiceUnavailable, f, f.formErrors("apply.full"))
			return
		case err != nil:
			p.renderSubmitError(w, r, f, err)
			return
		}
	}
	p.renderMessage(w, r, http.StatusOK, "apply.sent", "")
}

// renderSubmitError answers when the institution changed its mind while a form was filled in,
// and when something is wrong with us.
func (p *applyPages) renderSubmitError(w http.ResponseWriter, r *http.Request, f *applicationForm, err error) {
	switch {
	case fault.Is(err, fault.Forbidden):
		p.Layout.RenderMessage(w, r, http.StatusForbidden, "apply.closed")
	case fault.Is(err, fault.Invalid):
		f.policy = p.Layout.Institutions.Primary().ApplicationPolicy()
		p.renderForm(w, r, http.StatusUnprocessableEntity, f, f.formErrors("apply.changed"))
	case fault.Is(err, fault.Full):
		p.renderForm(w, r, http.StatusServiceUnavailable, f, f.formErrors("apply.full"))
	default:
		p.Layout.RenderError(w, r, err)
	}
}
