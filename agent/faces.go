package agent

import (
	"context"
	"net/http"

	"github.com/vecctl/vecctl/agent/api"
	"github.com/vecctl/vecctl/agent/edge"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/outcome"
	"github.com/vecctl/vecctl/agent/panel"
	"github.com/vecctl/vecctl/agent/process"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// business is the documented API.
func (a *Agent) business(limits api.Limits) *api.API {
	return api.New(api.Options{
		Vault: a.store, Intake: door{a.uploads}, Institution: a.InstitutionByID,
		Open: func(ctx context.Context, c vault.Certificate) (api.Document, error) {
			return a.outcome.Open(ctx, c)
		},
		FileName:   outcome.FileName,
		VerifyURL:  func(c vault.Certificate) string { return process.VerifyURL(a.BaseURL(), c.Reference) },
		ShareURL:   func(c vault.Certificate) string { return process.ShareURL(a.BaseURL(), c) },
		ShapeBatch: shapeBatch, Templates: a.Templates,
		Wake: a.wake, Limits: limits, Now: a.Now, Random: a.Random, Log: a.Log,
	})
}

// Handler is the agent as its staff see it: the panel, and the documented API
// without a token.
func (a *Agent) Handler() http.Handler {
	business := a.business(api.Limits{})
	staff := &panel.Panel{
		Agent: a, Tokens: a, Institutions: a, Corrections: a, Stream: a, Failures: a, Stories: a,
		Applications: a, Backups: a, Webhooks: a, Deliveries: a, Receipts: a, Mails: a, Revisions: a,
		Fail: business.Fail,
		LogFailure: func(r *http.Request, err error) {
			if r.Context().Err() != nil {
				return // who asked has gone, which ended the work
			}
			a.Log.Error("a call failed", "method", r.Method, "path", r.URL.Path, "error", err)
		},
	}
	mux := http.NewServeMux()
	mux.Handle("/", a.whileRoom(business.Handler(api.StaffDoor(func() uint32 { return a.Institution().ID })), business.Fail))
	mux.Handle("/panel/", a.audited(staff.Handler()))
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
	mux.Handle("/", guard.Around(withReceiver(o.receiver, a.withBounces(a.whileRoom(public, a.pages.Refuse(business.Fail)), business.Fail))))
	a.certifier.mountPublic(mux, o.Proxies)
	return mux
}

// Status says what the home holds and what waits in it.
func (a *Agent) Status(ctx context.Context) (client.AgentStatus, error) {
	institution := a.Institution()
	counts, err := a.store.Counts(ctx, institution.ID)
	if err != nil {
		return client.AgentStatus{}, err
	}
	queues, err := a.store.Queues(ctx, a.Now())
	if err != nil {
		return client.AgentStatus{}, err
	}
	s := client.AgentStatus{
		Home: string(a.Home), HomeID: a.homeID(), Institution: institution.Name, TimeZone: institution.TimeZone, Sender: institution.Sender,
		BaseURL: a.BaseURL(), Certificates: map[string]int{}, Jobs: map[string]client.Queue{},
		DatabaseSize: a.store.Size(), Problems: a.problems(), Drop: a.shapeDrop(),
	}
	for _, state := range vault.Statuses() {
		s.Certificates[string(state)] = counts.Of(state)
	}
	for kind, q := range queues {
		s.Jobs[string(kind)] = client.Queue{Waiting: q.Waiting, Later: q.Later}
	}
	return s, nil
}

// RetryAll sends all failed certificates, or those of one batch, through
// processing again and returns how many.
func (a *Agent) RetryAll(ctx context.Context, batch string) (int, error) {
	institution := a.Institution().ID
	if batch != "" {
		if _, err := a.store.Batch(ctx, institution, batch); err != nil {
			return 0, err
		}
	}
	failed, err := a.failed(ctx, batch)
	if err != nil {
		return 0, err
	}
	for i, uuid := range failed {
		_, err := a.store.Change(ctx, institution, uuid, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.Retry(vault.ByRetry, a.Now())
		})
		// Someone else may have retried it meanwhile.
		if err != nil && !fault.Is(err, fault.Illegal) {
			return i, err
		}
		a.wake()
	}
	return len(failed), nil
}

// failed lists the certificates that failed, all of them before any is touched:
// one that is retried may fail again at once.
func (a *Agent) failed(ctx context.Context, batch string) ([]string, error) {
	const group = 1000
	filter := store.Filter{Institution: a.Institution().ID, Status: vault.Failed, Batch: batch}
	var uuids []string
	for n := 1; ; n++ {
		page, err := a.store.List(ctx, filter, n, group)
		if err != nil {
			return nil, err
		}
		for _, c := range page.Certificates {
			uuids = append(uuids, c.UUID)
		}
		if len(page.Certificates) < group {
			return uuids, nil
		}
	}
}
