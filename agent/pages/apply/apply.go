// Package apply is where people apply for certificates: whoever is signed in, and,
// where the institution allows it, whoever proves an address by a link in a mail.
// No answer tells whether an address is known.
package apply

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/vecctl/vecctl/agent/pages/frame"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

//go:embed form.html confirm.html said.html
var files embed.FS

// Desk is where applications are handed in.
type Desk interface {
	// TakeEvidence checks a file and stores it; what no application names is swept.
	TakeEvidence(ctx context.Context, r io.Reader, name string) (vault.File, error)
	Apply(ctx context.Context, who vault.Account, d vault.ApplicationDraft) (vault.Certificate, error)
	ApplyByMail(ctx context.Context, d vault.ApplicationDraft) error
}

// Proofs finds applications by the secrets of their links.
type Proofs interface {
	WaitingApplication(ctx context.Context, secret string) (vault.UnconfirmedApplication, error)
	ConfirmApplication(ctx context.Context, secret string) (vault.Certificate, error)
}

// Options are what the pages are made of.
type Options struct {
	Desk   Desk
	Proofs Proofs
	Frame  *frame.Frame
	// Visitor is the account that a browser is signed in to; ok is false for none.
	Visitor func(*http.Request) (who vault.Account, ok bool, err error)
	Read    ReadForm
	Now     func() time.Time
	Log     *slog.Logger
}

// ReadForm reads a form of at most so many bytes into fields. ErrTooLarge and
// ErrForm are the sender's; any other error is that of a field's File, or ours.
type ReadForm func(w http.ResponseWriter, r *http.Request, most int64, into Fields) error

// Errors of a form that was sent.
var (
	ErrTooLarge = errors.New("the form is too large")
	ErrForm     = errors.New("the form did not come whole, or is none")
)

// Fields takes the fields of a form one by one.
type Fields interface {
	// Wants tells whether a field is to be kept; others are passed over.
	Wants(name string) bool
	Text(name, value string)
	// File is one file; it need not be read to its end.
	File(name, fileName string, r io.Reader) error
}

// Pages are those of applications.
type Pages struct {
	Options
	form, confirm, said     frame.Body
	callers, addresses, all frame.Pace
	hands                   hands
}

// How many applications are taken in an hour: from one address that is not proven,
// from one caller, and in all from people who are not signed in. And how many of one
// caller are taken in at once, so that slow ones are not everybody's turn.
// Who is signed in is a caller of his own, since whole schools share an address.
const (
	fromAddress  = 5
	fromCaller   = 20
	fromAll      = vault.MaxUnconfirmed
	atOnceCaller = 4
)

// New reads the pages' templates.
func New(o Options) (*Pages, error) {
	p := &Pages{
		Options: o,
		callers: frame.Pace{Most: fromCaller, Span: time.Hour}, addresses: frame.Pace{Most: fromAddress, Span: time.Hour},
		all: frame.Pace{Most: fromAll, Span: time.Hour},
	}
	return p, o.Frame.ParseAll(files, map[string]*frame.Body{"form.html": &p.form, "confirm.html": &p.confirm, "said.html": &p.said})
}

// Route adds the pages' addresses.
func (p *Pages) Route(mux *http.ServeMux) {
	mux.HandleFunc("GET /apply", p.serveForm)
	mux.HandleFunc("POST /apply", p.submit)
	mux.HandleFunc("GET /apply/confirm/{secret}", p.serveConfirm)
	mux.HandleFunc("POST /apply/confirm/{secret}", p.prove)
}

// say is a page that says something and leads on.
func (p *Pages) say(w http.ResponseWriter, r *http.Request, status int, name, to string) {
	v := p.Frame.Own(r)
	onward := struct{ Title, Text, Link, Go string }{Title: v.T(name), Text: v.T(name + ".text")}
	if to != "" {
		onward.Link, onward.Go = v.Link(to), v.T(name+".go")
	}
	p.Frame.Show(w, r, status, frame.Page{View: v, Title: onward.Title}, p.said, onward)
}

// applicant finds out who applies, and answers where nobody may.
func (p *Pages) applicant(w http.ResponseWriter, r *http.Request, otherwise int) (who vault.Account, at vault.ApplicationPolicy, ok bool) {
	at = p.Frame.Current().ApplicationPolicy()
	if at.Who == vault.NobodyMayApply {
		p.Frame.Tell(w, r, http.StatusNotFound, "missing")
		return who, at, false
	}
	who, signedIn, err := p.Visitor(r)
	switch {
	case err != nil:
		p.Frame.Broken(w, r, err)
		return who, at, false
	case !signedIn && at.Who != vault.AnyoneMayApply:
		p.say(w, r, otherwise, "apply.signin", "/sign-in")
		return who, at, false
	}
	return who, at, true
}

func (p *Pages) serveForm(w http.ResponseWriter, r *http.Request) {
	if who, at, ok := p.applicant(w, r, http.StatusOK); ok {
		p.show(w, r, http.StatusOK, newForm(r.Context(), p.Desk, at, who), nil)
	}
}

// submit takes an application in. Nothing of a form that is refused is kept but its
// texts, in the answer.
func (p *Pages) submit(w http.ResponseWriter, r *http.Request) {
	who, at, ok := p.applicant(w, r, http.StatusForbidden)
	if !ok {
		return
	}
	caller, now := cmp.Or(who.ID, frame.Caller(r)), p.Now()
	if !p.callers.Allow(caller, now) || who.Email == "" && !p.all.Allow("", now) || !p.hands.take(caller) {
		p.Frame.Tell(w, r, http.StatusTooManyRequests, "busy")
		return
	}
	defer p.hands.give(caller)
	f := newForm(r.Context(), p.Desk, at, who)
	err := p.Read(w, r, largestForm, f)
	switch {
	case errors.Is(err, ErrTooLarge):
		p.show(w, r, http.StatusRequestEntityTooLarge, f, []problem{{fieldEvidence, complaint{text: "apply.bad.large"}}})
	case errors.Is(err, ErrForm):
		p.show(w, r, http.StatusBadRequest, f, f.formProblem("apply.bad.form"))
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Full):
		p.show(w, r, http.StatusServiceUnavailable, f, f.formProblem("apply.full"))
	case err != nil:
		p.Frame.Broken(w, r, err)
	case len(f.problems()) > 0:
		p.show(w, r, http.StatusUnprocessableEntity, f, f.problems())
	case who.Email != "":
		p.handIn(w, r, f, who)
	default:
		p.handInByMail(w, r, f)
	}
}

// handIn hands in what somebody applies for who is signed in.
func (p *Pages) handIn(w http.ResponseWriter, r *http.Request, f *form, who vault.Account) {
	_, err := p.Desk.Apply(r.Context(), who, f.draft())
	switch {
	case err == nil:
		http.Redirect(w, r, p.Frame.Own(r).LinkWith("/me", "applied", "1"), http.StatusSeeOther)
	case fault.Is(err, fault.Illegal):
		p.show(w, r, http.StatusConflict, f, f.formProblem("apply.twice"))
	case fault.Is(err, fault.Unavailable):
		p.show(w, r, http.StatusTooManyRequests, f, f.formProblem("apply.many"))
	default:
		p.refused(w, r, f, err)
	}
}

// handInByMail has the link mailed that makes an application count. An address that
// has had its mails gets the same answer.
func (p *Pages) handInByMail(w http.ResponseWriter, r *http.Request, f *form) {
	if p.addresses.Allow(vault.FoldEmail(f.draft().Email), p.Now()) {
		err := p.Desk.ApplyByMail(r.Context(), f.draft())
		switch {
		case fault.Is(err, fault.Unavailable):
			p.show(w, r, http.StatusServiceUnavailable, f, f.formProblem("apply.full"))
			return
		case err != nil:
			p.refused(w, r, f, err)
			return
		}
	}
	p.say(w, r, http.StatusOK, "apply.sent", "")
}

// refused answers when the institution changed its mind while a form was filled in,
// and when something is wrong with us.
func (p *Pages) refused(w http.ResponseWriter, r *http.Request, f *form, err error) {
	switch {
	case fault.Is(err, fault.Forbidden):
		p.Frame.Tell(w, r, http.StatusForbidden, "apply.closed")
	case fault.Is(err, fault.Invalid):
		f.at = p.Frame.Current().ApplicationPolicy()
		p.show(w, r, http.StatusUnprocessableEntity, f, f.formProblem("apply.changed"))
	case fault.Is(err, fault.Full):
		p.show(w, r, http.StatusServiceUnavailable, f, f.formProblem("apply.full"))
	default:
		p.Frame.Broken(w, r, err)
	}
}
