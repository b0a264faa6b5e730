package apply

import (
	"net/http"

	"github.com/vecctl/vecctl/agent/pages/frame"
	"github.com/vecctl/vecctl/pkg/fault"
)

// serveConfirm shows what was applied for and asks the visitor to press a button:
// programs that look at the links in mails must not use them up.
func (p *Pages) serveConfirm(w http.ResponseWriter, r *http.Request) {
	found, err := p.Proofs.WaitingApplication(r.Context(), r.PathValue("secret"))
	switch {
	case fault.Is(err, fault.NotFound):
		p.showUsed(w, r)
		return
	case err != nil:
		p.Frame.Broken(w, r, err)
		return
	}
	v := p.Frame.Own(r)
	p.Frame.Show(w, r, http.StatusOK, frame.Page{View: v, Title: v.T("apply.confirm")}, p.confirm,
		struct{ Here, Title, Name string }{v.Link("/apply/confirm/" + r.PathValue("secret")), found.Title, found.Name})
}

func (p *Pages) showUsed(w http.ResponseWriter, r *http.Request) {
	p.say(w, r, http.StatusGone, "apply.used", "/apply")
}

// prove uses a link up: the application counts from now on.
func (p *Pages) prove(w http.ResponseWriter, r *http.Request) {
	_, err := p.Proofs.ConfirmApplication(r.Context(), r.PathValue("secret"))
	switch {
	case err == nil:
		p.say(w, r, http.StatusOK, "apply.done", "/me")
	case fault.Is(err, fault.NotFound):
		p.showUsed(w, r)
	case fault.Is(err, fault.Forbidden):
		p.Frame.Tell(w, r, http.StatusForbidden, "apply.closed")
	case fault.Is(err, fault.Illegal):
		p.say(w, r, http.StatusConflict, "apply.twice", "/me")
	case fault.Is(err, fault.Unavailable):
		p.say(w, r, http.StatusTooManyRequests, "apply.many", "/me")
	default:
		p.Frame.Broken(w, r, err)
	}
}
