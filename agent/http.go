package agent

import (
	"net/http"

	"github.com/vecctl/vecctl/agent/adminapi"
	"github.com/vecctl/vecctl/agent/api"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/httpserver"
	"github.com/vecctl/vecctl/agent/webhooks"
)

// apiLimits are the limits of callers from the network.
func (a *Agent) apiLimits() api.Limits { return api.Limits{PerMinute: a.config.Limits.PerMinute} }

// newAPI is the documented API.
func (a *Agent) newAPI(limits api.Limits) *api.API {
	return api.New(api.Options{
		Store: a.store, Intake: apiIntake{a.uploads}, Institutions: a.institutions, Documents: a.exporter, Templates: a.templates,
		Wake: a.work().Wake, Limits: limits, Now: a.Now, Random: a.Random, Log: a.Log,
	})
}

// auditLog records actions in the audit trail.
func (a *Agent) auditLog() *adminapi.AuditLog {
	return &adminapi.AuditLog{Store: a.store, Now: a.Now, Log: a.Log}
}

// Handler is the agent as its staff see it: the panel, and the documented API
// without a token.
func (a *Agent) Handler() http.Handler {
	documentedAPI := a.newAPI(api.Limits{})
	calls := &adminapi.Handler{
		Service: a.Admin, Institutions: a.institutions, Backups: a.backupMaker(),
		Applications: a.applicationAdmin(), Erasures: a.eraser(),
		Fail: documentedAPI.Fail, Log: a.Log,
	}
	mux := http.NewServeMux()
	mux.Handle("/", a.disk.RejectWhenFull(documentedAPI.Handler(api.StaffAuth(a.currentID)), documentedAPI.Fail))
	mux.Handle("/panel/", a.auditLog().Staff(calls.Routes()))
	a.certAuthority.mountStaff(a, mux, documentedAPI.Fail)
	vital := a.health.Handler()
	for _, path := range health.Paths() {
		mux.Handle(path, vital)
	}
	return a.instrument("staff", mux)
}

// PublicHandler is the agent as the network sees it: the documented API with
// tokens, and the pages that the public sees.
func (a *Agent) PublicHandler() http.Handler { return a.publicHandler(nil) }

// publicHandler is PublicHandler with a receiver of webhooks; nil is none.
func (a *Agent) publicHandler(receiver *webhooks.Receiver) http.Handler {
	documentedAPI := a.newAPI(a.apiLimits())
	guard := httpserver.ProxyPolicy{Proxies: a.config.Proxies, Fail: documentedAPI.Fail}
	mux := http.NewServeMux()
	public := a.pages.Handler(documentedAPI.Handler(api.TokenAuth(a.store, a.Now)))
	mux.Handle("/", guard.Wrap(withReceiver(receiver, a.withBounceHandler(a.disk.RejectWhenFull(public, a.pages.RejectWhenFull(documentedAPI.Fail)), documentedAPI.Fail))))
	a.certAuthority.mountPublic(a, mux, a.config.Proxies)
	return httpserver.CollapseSlashes(httpserver.StripBasePath(a.BaseURL, mux))
}
