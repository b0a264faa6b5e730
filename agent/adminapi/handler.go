// Package adminapi is the API for staff: what the command line and the screen need
// besides the documented API. It is never served to the network.
package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"github.com/vecctl/vecctl/agent/admin"
	"github.com/vecctl/vecctl/agent/backup"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
)

// Handler answers staff.
type Handler struct {
	Service      *admin.Service
	Institutions *institutions.Registry
	Backups      *backup.Maker
	// Fail answers with an error in the vault's dialect.
	Fail func(http.ResponseWriter, *http.Request, error)
	Log  *slog.Logger
}

// logFailure logs an error that is answered within a stream.
func (p *Handler) logFailure(r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // the caller has gone, which ended the work
	}
	p.Log.Error("a call failed", "method", r.Method, "path", adminclient.AuditPath(r), "error", err)
}

// BasePath is the path below which the calls are.
const BasePath = "/panel/"

// Routes lists the calls.
func (p *Handler) Routes() router.Routes {
	mux := router.Routes{}
	mux.HandleFunc("GET /panel/status", func(w http.ResponseWriter, r *http.Request) {
		s, err := p.Service.Status(r.Context())
		p.writeJSON(w, r, s, err)
	})
	mux.HandleFunc("POST /panel/retry", func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Batch string `json:"batch_id"`
		}
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		n, err := p.Service.RetryAll(r.Context(), q.Batch)
		p.writeJSON(w, r, map[string]int{"retried": n}, err)
	})
	mux.HandleFunc("POST /panel/settings", func(w http.ResponseWriter, r *http.Request) {
		var q adminclient.Settings
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		if err := p.Institutions.Configure(r.Context(), q); err != nil {
			p.Fail(w, r, err)
			return
		}
		s, err := p.Service.Status(r.Context())
		p.writeJSON(w, r, s, err)
	})
	mux.HandleFunc("POST /panel/bulk", p.serveBulk)
	mux.HandleFunc("POST /panel/batches/{id}/{act}", func(w http.ResponseWriter, r *http.Request) {
		b, err := p.Service.ActOnBatch(r.Context(), r.PathValue("id"), adminclient.BatchAction(r.PathValue("act")))
		p.writeJSON(w, r, b, err)
	})
	mux.HandleFunc("GET /panel/batches/{id}/rejected", func(w http.ResponseWriter, r *http.Request) {
		rows, err := p.Service.RejectedRows(r.Context(), r.PathValue("id"))
		p.writeJSON(w, r, rows, err)
	})
	mux.HandleFunc("GET /panel/verification", func(w http.ResponseWriter, r *http.Request) {
		v, err := p.Service.VerifyHome(r.Context())
		p.writeJSON(w, r, v, err)
	})
	p.routeKeys(mux)
	p.routeAudit(mux)
	p.routeLogs(mux)
	p.routeRetention(mux)
	p.routeSeals(mux)
	mux.HandleFunc("GET /panel/events", p.serveEvents)
	p.routeTokens(mux)
	p.routeInstitutions(mux)
	p.routeFailures(mux)
	p.routeCorrections(mux)
	mux.HandleFunc("POST /panel/backup", p.serveBackup)
	p.routeWebhooks(mux)
	p.routeInboundEvents(mux)
	p.routeMails(mux)
	p.routeCertificateChanges(mux)
	p.routeApplications(mux)
	return mux
}

// Sizes of bodies. A body may hold a document of 20 MB in base64; that of a bulk request
// holds a manifest.
const (
	maxBody     = 32 << 20
	maxBulkBody = 128 << 20
)

func (p *Handler) readJSON(r *http.Request, into any) error { return readJSON(r, maxBody, into) }

func readJSON(r *http.Request, limit int64, into any) error {
	err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, limit)).Decode(into)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the request is larger than %d MB", limit>>20))
	}
	return fault.Wrap(fault.Invalid, err, "the request is not JSON")
}

func (p *Handler) writeJSON(w http.ResponseWriter, r *http.Request, body any, err error) {
	if err != nil {
		p.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		p.logFailure(r, err)
	}
}

// serveBulk issues a manifest.
func (p *Handler) serveBulk(w http.ResponseWriter, r *http.Request) {
	var q adminclient.BulkRequest
	if err := readJSON(r, maxBulkBody, &q); err != nil {
		p.Fail(w, r, err)
		return
	}
	serveStream(p, w, r, func(progress func(client.Progress)) (client.BulkReport, error) {
		return p.Service.Bulk(r.Context(), q, progress)
	})
}

// serveStream answers with one JSON value a line: progress, then the report or the error.
func serveStream[T any](p *Handler, w http.ResponseWriter, r *http.Request, do func(progress func(client.Progress)) (T, error)) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	var mu sync.Mutex
	lines := json.NewEncoder(w)
	send := func(event adminclient.StreamEvent[T]) {
		mu.Lock()
		defer mu.Unlock()
		// A client that has gone ends the request's context; that stops the work.
		if lines.Encode(event) == nil {
			if f, ok := w.(http.Flusher); ok {
				f.Flush()
			}
		}
	}
	report, err := do(throttled(func(progress client.Progress) {
		send(adminclient.StreamEvent[T]{Progress: &progress})
	}))
	if err != nil {
		if _, ok := fault.Message(err); !ok || fault.Is(err, fault.Internal) {
			p.logFailure(r, err)
		}
		if errors.Is(err, context.Canceled) {
			err = fault.Wrap(fault.Unavailable, err, "the agent was stopped; run the same command again to continue")
		}
		send(adminclient.StreamEvent[T]{Error: adminclient.NewProblem(err)})
		return
	}
	send(adminclient.StreamEvent[T]{Report: &report})
}

// throttled passes about a hundred steps of each stage on, the last one surely.
func throttled(notify func(client.Progress)) func(client.Progress) {
	last := client.Progress{}
	return func(p client.Progress) {
		step := max(1, p.Total/100)
		if p.Stage == last.Stage && p.Done < p.Total && p.Done-last.Done < step {
			return
		}
		last = p
		notify(p)
	}
}
