package agent

import (
	"net/http"

	"github.com/vecctl/vecctl/agent/adminapi"
	"github.com/vecctl/vecctl/agent/api"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/httpserver"
	"github.com/vecctl/vecctl/agent/web"
	"github.com/vecctl/vecctl/agent/webhooks"
	authorityapi "github.com/vecctl/vecctl/authority/api"
	"github.com/vecctl/vecctl/pkg/router"
)

// newAPI makes the documented API.
func (a *Agent) newAPI() *api.API {
	return api.New(api.Options{
		Store: a.store, Uploads: a.uploads, Batches: a.batches, Institutions: a.institutions, People: a.erasures, Documents: a.exporter, Badges: a.badges, Templates: a.templates,
		Work: a.work(), PerMinute: a.config.Limits.PerMinute, UploadSlots: api.MaxUploads, Now: a.Now, Random: a.Random, Log: a.Log,
	})
}

// auditLog records actions in the audit trail.
func (a *Agent) auditLog() *adminapi.AuditLog {
	return &adminapi.AuditLog{Store: a.store, Institutions: a.institutions, People: a.erasures, Now: a.Now, Log: a.Log}
}

// Handler is the agent as its staff see it: the panel, and the documented API
// without a token.
func (a *Agent) Handler() http.Handler {
	calls := &adminapi.Handler{
		Service: a.Admin, Institutions: a.institutions, Backups: a.backupMaker(),
		Fail: a.api.Fail, Log: a.Log,
	}
	mux := http.NewServeMux()
	a.api.Routes(api.StaffAuth(a.institutions)).Register(mux, a.disk.RejectWhenFull(a.api.Fail))
	staff := a.auditLog().Staff
	calls.Routes().Register(mux, staff)
	a.certAuthority.routes().Register(mux, a.auditLog().Authority)
	a.certAuthority.adminRoutes(a.api.Fail).Register(mux, staff)
	for _, path := range []string{adminapi.BasePath, authorityapi.AdminBasePath} {
		mux.Handle(path, staff(router.NotFound(mux)))
	}
	for _, path := range health.Paths() {
		mux.Handle(path, a.health)
	}
	mux.Handle("GET /panel/site", &web.StaticSite{Store: a.store, Institutions: a.institutions, Pages: a.pages})
	mux.Handle("GET "+health.RuntimePath, a.health.RuntimeHandler(a.Home.Database()))
	return a.instrument("staff", calls.SelectInstitution(mux))
}

// PublicHandler is the agent as the network sees it: the documented API with
// tokens, and the pages that the public sees.
func (a *Agent) PublicHandler() http.Handler { return a.publicHandler(nil) }

// publicHandler is PublicHandler with a receiver of webhooks; nil is none.
func (a *Agent) publicHandler(receiver *webhooks.Receiver) http.Handler {
	mux := http.NewServeMux()
	calls := a.api.Routes(api.TokenAuth(a.store, a.Now))
	calls["/"] = a.pages.NotFound(calls["/"])
	calls.Register(mux, a.disk.RejectWhenFull(a.api.Fail))
	a.pages.Routes().Register(mux, a.disk.RejectWhenFull(a.pages.FailFull))
	if secret := a.config.Mail.BounceSecret; secret != "" {
		mux.Handle("POST /mail/bounces", a.bounceHandler().WebhookHandler(secret, a.api.Fail))
	}
	if receiver != nil {
		mux.Handle(ReceiverPath, receiver.Handler())
	}
	authority := a.certAuthority.routes()
	authority.Register(mux, a.auditLog().Authority)
	isAuthority := func(r *http.Request) bool {
		_, pattern := mux.Handler(r)
		return authority[pattern] != nil
	}
	fail := func(w http.ResponseWriter, r *http.Request, err error) {
		switch {
		case a.pages.FailInsecure(w, r):
		case isAuthority(r):
			a.certAuthority.door.Fail(w, r, err)
		default:
			a.api.Fail(w, r, err)
		}
	}
	// An address of the authority is its own, below the path of the base URL too.
	return router.Chain(mux, httpserver.CollapseSlashes, httpserver.StripBasePath(a.BaseURL, isAuthority), a.proxyPolicy(fail))
}

// proxyPolicy keeps plain HTTP from other machines out.
func (a *Agent) proxyPolicy(fail func(http.ResponseWriter, *http.Request, error)) router.Middleware {
	return httpserver.ProxyPolicy{Proxies: a.config.Proxies, Fail: fail}.Wrap
}
