package web

import (
	"net/http"

	"github.com/vecctl/vecctl/agent/httpserver"
	"github.com/vecctl/vecctl/agent/web/layout"
	"github.com/vecctl/vecctl/pkg/fault"
)

// serveConfirm shows what was applied for and asks the visitor to press a button:
// programs that look at the links in mails must not use them up.
func (p *applyPages) serveConfirm(w http.ResponseWriter, r *http.Request) {
	found, err := p.Confirmations.WaitingApplication(r.Context(), r.PathValue("secret"))
	switch {
	case fault.Is(err, fault.NotFound):
		p.renderLinkUsed(w, r)
		return
	case err != nil:
		p.Layout.RenderError(w, r, err)
		return
	}
	v := p.Layout.CurrentPageContext(r)
	p.Layout.RenderPage(w, r, http.StatusOK, layout.Page{PageContext: v, Title: v.T("apply.confirm")}, p.confirmPage,
		struct{ Here, Title, Name string }{v.Link("/apply/confirm/" + r.PathValue("secret")), found.Title, found.Name})
}

func (p *applyPages) renderLinkUsed(w http.ResponseWriter, r *http.Request) {
	p.renderMessage(w, r, http.StatusGone, "apply.used", "/apply")
}

// confirm uses a link up: the application counts from now on.
func (p *applyPages) confirm(w http.ResponseWriter, r *http.Request) {
	_, err := p.Confirmations.ConfirmApplication(r.Context(), r.PathValue("secret"))
	switch {
	case err == nil:
		p.renderMessage(w, r, http.StatusOK, "apply.done", "/me")
	case fault.Is(err, fault.NotFound):
		p.renderLinkUsed(w, r)
	case fault.Is(err, fault.Forbidden):
		p.Layout.RenderMessage(w, r, http.StatusForbidden, "apply.closed")
	case fault.Is(err, fault.Illegal):
		p.renderMessage(w, r, http.StatusConflict, "apply.twice", "/me")
	case fault.Is(err, fault.Unavailable):
		httpserver.SetRetryAfter(w, decisionTime)
		p.renderMessage(w, r, http.StatusTooManyRequests, "apply.many", "/me")
	default:
		p.Layout.RenderError(w, r, err)
	}
}
