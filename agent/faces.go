package agent

import (
	"context"
	"net/http"

	"github.com/vecctl/vecctl/agent/api"
	"github.com/vecctl/vecctl/agent/audit"
	"github.com/vecctl/vecctl/agent/edge"
	"github.com/vecctl/vecctl/agent/feed"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/outcome"
	"github.com/vecctl/vecctl/agent/panel"
	"github.com/vecctl/vecctl/agent/process"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/vault"
)

// business is the documented API.
func (a *Agent) business(limits api.Limits) *api.API {
	return api.New(api.Options{
		Vault: a.store, Intake: door{a.uploads}, Institution: a.seats.ByID,
		Open: func(ctx context.Context, c vault.Certificate) (api.Document, error) {
			return a.outcome.Open(ctx, c)
		},
		FileName:   outcome.FileName,
		BaseURL:    a.BaseURL,
		VerifyURL:  func(c vault.Certificate) string { return process.VerifyURL(a.BaseURL(), c.Reference) },
		ShareURL:   func(c vault.Certificate) string { return process.ShareURL(a.BaseURL(), c) },
		ShapeBatch: feed.ShapeBatch, Templates: a.catalog.Templates, Placement: a.catalog.Placement,
		Wake: a.wake, Limits: limits, Now: a.Now, Random: a.Random, Log: a.Log,
	})
}

// trail is the audit trail.
func (a *Agent) trail() *audit.Trail {
	return &audit.Trail{Records: a.store, Now: a.Now, Log: a.Log}
}

// Handler is the agent as its staff see it: the panel, and the documented API
// without a token.
func (a *Agent) Handler() http.Handler {
	business := a.business(api.Limits{})
	trail := a.trail()
	calls := &panel.Panel{
		Agent: a, Batches: a.batches(), Trail: trail, Tokens: a, Institutions: a.seats, SigningKeys: a.seats, Keys: a.keys, Corrections: a.wishes(), Stream: a.stream(), Failures: a.failures(), Stories: a.dossier(),
		Applications: a.applications(), Backups: a.backups(), Webhooks: a.hooks, Deliveries: a.hooks, Receipts: a.receipts(), Mails: a.mails, Revisions: a.dossier(), Erasures: a.erasures(),
		Fail: business.Fail,
		LogFailure: func(r *http.Request, err error) {
			if r.Context().Err() != nil {
				return // who asked has gone, which ended the work
			}
			a.Log.Error("a call failed", "method", r.Method, "path", staff.Path(r), "error", err)
		},
	}
	mux := http.NewServeMux()
	mux.Handle("/", a.space.WhileRoom(business.Handler(api.StaffDoor(a.currentID)), business.Fail))
	mux.Handle("/panel/", trail.Around(calls.Handler()))
	a.certifier.mountStaff(a, mux, business.Fail)
	vital := a.health.Handler()
	for _, path := range health.Paths() {
		mux.Handle(path, vital)
	}
	return a.measured("staff", mux)
}

// PublicHandler is the agent as the network sees it: the documented API with
// tokens, and the pages that the public sees.
func (a *Agent) PublicHandler() http.Handler { return a.PublicHandlerFor(ServeOptions{}) }

// PublicHandlerFor is PublicHandler with the proxies and limits of options.
func (a *Agent) PublicHandlerFor(o ServeOptions) http.Handler {
	business := a.business(o.Limits)
	guard := edge.Perimeter{Proxies: o.Proxies, Fail: business.Fail}
	mux := http.NewServeMux()
	public := a.pages.Handler(business.Handler(api.TokenDoor(a.store, a.Now)))
	mux.Handle("/", guard.Around(withReceiver(o.receiver, a.withBounces(a.space.WhileRoom(public, a.pages.Refuse(business.Fail)), business.Fail))))
	a.certifier.mountPublic(a, mux, o.Proxies)
	return edge.OneSlash(edge.Below(a.BaseURL, mux))
}

// Status says what the home holds and what waits in it.
func (a *Agent) Status(ctx context.Context) (staff.AgentStatus, error) {
	institution := a.Institution()
	counts, err := a.store.Counts(ctx, institution.ID)
	if err != nil {
		return staff.AgentStatus{}, err
	}
	queues, err := a.store.Queues(ctx, a.Now())
	if err != nil {
		return staff.AgentStatus{}, err
	}
	wishes, err := a.store.Corrections(ctx, institution.ID, false)
	if err != nil {
		return staff.AgentStatus{}, err
	}
	s := staff.AgentStatus{
		Home: string(a.Home), HomeID: a.homeID(), Institution: institution.Name, TimeZone: institution.TimeZone, Sender: institution.Sender,
		BaseURL: a.BaseURL(), Certificates: map[string]int{}, Jobs: map[string]staff.Queue{},
		DatabaseSize: a.store.Size(), Corrections: len(wishes), Problems: a.problems(), Drop: a.shapeDrop(),
	}
	for _, state := range vault.Statuses() {
		s.Certificates[string(state)] = counts.Of(state)
	}
	for kind, q := range queues {
		s.Jobs[string(kind)] = staff.Queue{Waiting: q.Waiting, Later: q.Later}
	}
	return s, nil
}

// stream is what staff see happen.
func (a *Agent) stream() *feed.Stream {
	return &feed.Stream{Feed: &a.feed, Records: a.store, Institution: a.currentID, Status: a.Status}
}
