package agent

import (
	"context"
	"net/http"

	"github.com/vecctl/vecctl/agent/admin"
	"github.com/vecctl/vecctl/agent/adminapi"
	"github.com/vecctl/vecctl/agent/api"
	"github.com/vecctl/vecctl/agent/events"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/httpserver"
	"github.com/vecctl/vecctl/agent/webhooks"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
)

// apiLimits are the limits of callers from the network.
func (a *Agent) apiLimits() api.Limits { return api.Limits{PerMinute: a.config.Limits.PerMinute} }

// newAPI is the documented API.
func (a *Agent) newAPI(limits api.Limits) *api.API {
	return api.New(api.Options{
		Store: a.store, Intake: apiIntake{a.uploads}, Institutions: a.institutions, Documents: a.exporter, Templates: a.templates,
		Wake: a.notifyCommitted, Limits: limits, Now: a.Now, Random: a.Random, Log: a.Log,
	})
}

// auditTrail is the audit trail.
func (a *Agent) auditTrail() *admin.AuditTrail {
	return &admin.AuditTrail{Store: a.store, Now: a.Now, Log: a.Log}
}

// Handler is the agent as its staff see it: the panel, and the documented API
// without a token.
func (a *Agent) Handler() http.Handler {
	documentedAPI := a.newAPI(api.Limits{})
	trail := a.auditTrail()
	calls := &adminapi.Handler{
		Agent: a, Batches: a.batchControls(), AuditTrail: trail, Tokens: a, Institutions: a.institutions, SigningKeys: a.institutions, Keys: a.keyAdmin, Corrections: a.correctionAdmin(), EventStream: a.adminStream(), Failures: a.failureAdmin(), CertificateHistories: a.certificateAdmin(),
		Applications: a.applicationAdmin(), Backups: a.backupMaker(), Webhooks: a.webhookAdmin, Deliveries: a.webhookAdmin, InboundEvents: a.inboundEvents(), Mails: a.mailAdmin, CertificateChanges: a.certificateAdmin(), Erasures: a.eraser(),
		Fail: documentedAPI.Fail,
		LogFailure: func(r *http.Request, err error) {
			if r.Context().Err() != nil {
				return // who asked has gone, which ended the work
			}
			a.Log.Error("a call failed", "method", r.Method, "path", adminclient.AuditPath(r), "error", err)
		},
	}
	mux := http.NewServeMux()
	mux.Handle("/", a.disk.RejectWhenFull(documentedAPI.Handler(api.StaffAuth(a.currentID)), documentedAPI.Fail))
	mux.Handle("/panel/", trail.StaffMiddleware(calls.Routes()))
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

// Status says what the home holds and what waits in it.
func (a *Agent) Status(ctx context.Context) (adminclient.AgentStatus, error) {
	institution := a.Institution()
	counts, err := a.store.Counts(ctx, institution.ID)
	if err != nil {
		return adminclient.AgentStatus{}, err
	}
	queues, err := a.store.Queues(ctx, a.Now())
	if err != nil {
		return adminclient.AgentStatus{}, err
	}
	corrections, err := a.store.Corrections(ctx, institution.ID, false)
	if err != nil {
		return adminclient.AgentStatus{}, err
	}
	s := adminclient.AgentStatus{
		Home: string(a.Home), HomeID: a.homeID(), Institution: institution.Name, TimeZone: institution.TimeZone, Sender: institution.Sender,
		BaseURL: a.BaseURL(), Certificates: map[string]int{}, Jobs: map[string]adminclient.Queue{},
		DatabaseSize: a.store.Size(), Corrections: len(corrections), Problems: a.problems(), Drop: a.dropStatus(),
	}
	for _, state := range vault.Statuses() {
		s.Certificates[string(state)] = counts.Of(state)
	}
	for kind, q := range queues {
		s.Jobs[string(kind)] = adminclient.Queue{Waiting: q.Waiting, Later: q.Later}
	}
	return s, nil
}

// adminStream is what staff see happen.
func (a *Agent) adminStream() *events.AdminStream {
	return &events.AdminStream{Bus: &a.events, Store: a.store, Institution: a.currentID, Status: a.Status}
}
