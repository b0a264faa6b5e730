package adminapi

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

func (p *Handler) routeAudit(mux router.Routes) {
	mux.HandleFunc("GET /panel/audit/latest", func(w http.ResponseWriter, r *http.Request) {
		before, err := strconv.ParseUint(cmp.Or(r.FormValue("before"), "0"), 10, 64)
		if err != nil {
			p.Fail(w, r, fault.New(fault.Invalid, "before is the number of an entry"))
			return
		}
		found, err := p.Service.LatestAuditEntries(r.Context(), before)
		p.writeJSON(w, r, found, err)
	})
	mux.HandleFunc("GET /panel/audit", func(w http.ResponseWriter, r *http.Request) {
		after, err := strconv.ParseUint(cmp.Or(r.FormValue("after"), "0"), 10, 64)
		if err != nil {
			p.Fail(w, r, fault.New(fault.Invalid, "after is the number of an entry"))
			return
		}
		found, err := p.Service.AuditEntries(r.Context(), after)
		p.writeJSON(w, r, found, err)
	})
}

// AuditLog records who did what, in the audit trail of the store.
type AuditLog struct {
	Store        store.AuditTrail
	Institutions *institutions.Registry
	People       audit.Pseudonymizer
	Now          func() time.Time
	Log          *slog.Logger
}

// Staff records the actions of staff: each call that may change something and was not
// refused.
func (l *AuditLog) Staff(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		p := &audit.PendingAction{Action: audit.Action{Actor: adminclient.Actor(r), Request: r.Method + " " + adminclient.AuditPath(r), RemoteAddr: "local"}, At: l.Now(), People: l.People}
		p.Subject = l.subjectOf(r)
		p.Fallback = strings.TrimPrefix(r.URL.Path, BasePath)
		if strings.HasPrefix(r.URL.Path, "/panel/recipients/") {
			p.Fallback = "recipient"
		}
		r = r.WithContext(audit.NewContext(r.Context(), p))
		// A batch is recorded with its first certificate. Where nothing was issued, as
		// in a dry run, nothing was done.
		if r.URL.Path == "/panel/bulk" {
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(&beforeResponse{ResponseWriter: w, log: l, ctx: r.Context()}, r)
	})
}

// subjectOf returns what a call is about as far as its path says it and what it writes does
// not: the home as a whole, keys, and what the certification authority keeps.
func (l *AuditLog) subjectOf(r *http.Request) audit.Subject {
	var about audit.Subject
	if !isOfHome(r) {
		about.Institution = l.Institutions.Acting(r.Context()).Slug
	}
	if rest, ok := strings.CutPrefix(r.URL.Path, BasePath+"authority/"); ok {
		if parts := strings.Split(rest, "/"); len(parts) > 1 {
			about.Object = "authority " + strings.TrimSuffix(parts[0], "s") + " " + strconv.Quote(parts[1])
		}
		return about
	}
	switch r.URL.Path {
	case "/panel/backup", "/panel/mails/send", "/panel/erasures/reapply", "/panel/retention/run":
		about.Object = "home"
	case "/panel/keys/secrets/rotate":
		about.Object = "secrets"
	case "/panel/keys/badges/rotate":
		about.Object = "badge key"
	case "/panel/seals/renew":
		about.Object = "seals"
	case "/panel/key", "/panel/key/rotate", "/panel/key/use":
		about.Object = "signing key"
	}
	return about
}

// Authority records the actions of certified stores once they were done: the authority
// counts calls that it then refuses, so a change alone says nothing.
func (l *AuditLog) Authority(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		from, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			from = "local"
		}
		// What is done was asked for with the store's key, so its name is its own.
		p := &audit.PendingAction{Action: audit.Action{Actor: "store " + r.Header.Get("X-VendWeave-Store"), Request: r.Method + " " + r.URL.Path, RemoteAddr: from}, At: l.Now()}
		p.Object = "authority store " + strconv.Quote(r.Header.Get("X-VendWeave-Store"))
		next.ServeHTTP(&beforeResponse{ResponseWriter: w, log: l, ctx: audit.NewContext(r.Context(), p)}, r)
	})
}

// record records the action of a call's context, unless its first change did.
func (l *AuditLog) record(ctx context.Context) {
	if err := l.Store.RecordAction(context.WithoutCancel(ctx)); err != nil {
		l.Log.Error("an action could not be recorded in the audit trail", "error", err)
	}
}

// beforeResponse records the action of a call that was done before the caller gets the
// answer, after which the caller may end the agent.
type beforeResponse struct {
	http.ResponseWriter
	log    *AuditLog
	ctx    context.Context //nolint:containedctx // that of the request, as long as it is answered
	called bool
}

func (w *beforeResponse) WriteHeader(status int) {
	if !w.called && status < http.StatusBadRequest {
		w.log.record(w.ctx)
	}
	w.called = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *beforeResponse) Write(p []byte) (int, error) {
	if !w.called {
		w.called = true
		w.log.record(w.ctx)
	}
	return w.ResponseWriter.Write(p)
}

// Flush passes on what was written so far.
func (w *beforeResponse) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap lets http.ResponseController find the writer below.
func (w *beforeResponse) Unwrap() http.ResponseWriter { return w.ResponseWriter }
