package admin

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// auditPageSize is how many entries of the audit trail are handed over at a time.
const auditPageSize = 1000

// AuditStore are where acts are written down.
type AuditStore interface {
	AuditEntries(ctx context.Context, after uint64, n int) ([]audit.Entry, error)
	RecordAction(ctx context.Context) error
}

// AuditTrail is the audit trail of a home.
type AuditTrail struct {
	Store AuditStore
	Now   func() time.Time
	Log   *slog.Logger
}

// Acts is a piece of the audit trail.
func (t *AuditTrail) Acts(ctx context.Context, after uint64) ([]audit.Entry, error) {
	return t.Store.AuditEntries(ctx, after, auditPageSize)
}

// StaffMiddleware writes the acts of the staff down: each call that may change something
// and was not refused.
func (t *AuditTrail) StaffMiddleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		p := &audit.PendingAction{Action: audit.Action{Actor: adminclient.Actor(r), Request: r.Method + " " + adminclient.AuditPath(r), RemoteAddr: "local"}, At: t.Now()}
		outer := r
		r = r.WithContext(audit.NewContext(r.Context(), p))
		defer func() { outer.Pattern = r.Pattern }() // who counts calls counts by it
		// A batch is written down with its first certificate; where nothing was issued,
		// or only tried, nothing was done.
		if r.URL.Path == "/panel/bulk" {
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(&beforeResponse{ResponseWriter: w, done: func() { t.record(r.Context()) }}, r)
	})
}

// record writes the act of a call's context down, unless its first change did so.
func (t *AuditTrail) record(ctx context.Context) {
	if err := t.Store.RecordAction(context.WithoutCancel(ctx)); err != nil {
		t.Log.Error("an act could not be written down", "error", err)
	}
}

// beforeResponse says that a call was done, before the caller hears of it: who has the
// answer may end the agent.
type beforeResponse struct {
	http.ResponseWriter
	done   func()
	called bool
}

func (w *beforeResponse) WriteHeader(status int) {
	if !w.called && status < http.StatusBadRequest {
		w.done()
	}
	w.called = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *beforeResponse) Write(p []byte) (int, error) {
	if !w.called {
		w.called = true
		w.done()
	}
	return w.ResponseWriter.Write(p)
}

// Flush hands on what was written so far, to those who ask for it in this way.
func (w *beforeResponse) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap lets http.ResponseController find what lies below.
func (w *beforeResponse) Unwrap() http.ResponseWriter { return w.ResponseWriter }
