// Package api is the documented Business API of the vault: its routes, who may call
// them, and how errors are answered.
package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/vecctl/vecctl/agent/badges"
	"github.com/vecctl/vecctl/agent/batch"
	"github.com/vecctl/vecctl/agent/httpserver"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
	"github.com/vecctl/vecctl/pkg/vault/audit"
	"github.com/vecctl/vecctl/pkg/wake"
)

// Store is what the API needs of the store.
type Store interface {
	List(ctx context.Context, f store.Filter, page, perPage int) (store.Page, error)
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
	ByID(ctx context.Context, ids ...uint64) ([]vault.Certificate, error)
	Change(ctx context.Context, institution uint32, name string, change store.Change) (vault.Certificate, error)
	Batches(ctx context.Context, institution uint32, page, perPage int) ([]vault.Batch, int, error)
	BatchesIn(ctx context.Context, institution uint32, outcomes []vault.BatchState, page, perPage int) ([]vault.Batch, int, error)
	Batch(ctx context.Context, institution uint32, id string) (vault.Batch, error)
	Uploads(ctx context.Context, institution uint32, ids []string) ([]*apiaccess.Upload, error)
	FindBatch(ctx context.Context, institution uint32, digest string) (vault.Batch, error)
	StoredResponse(ctx context.Context, name apiaccess.IdempotencyKey) (apiaccess.StoredResponse, error)
}

// Options are what the API is made of.
type Options struct {
	Store Store
	// Uploads checks and stores what is uploaded.
	Uploads *intake.Uploads
	// Batches issues tables.
	Batches *batch.Issuer
	// Institutions are those that callers belong to.
	Institutions institutions.Directory
	// People names recipients in the audit trail; nil leaves them out.
	People    audit.Pseudonymizer
	Documents *results.Exporter
	Badges    *badges.Service
	// Templates says what certificates can be made with, and where codes go that an
	// upload does not place.
	Templates *intake.TemplateCache
	// Work is woken when there is new work.
	Work wake.Waker
	// PerMinute is how many calls a token may make in a minute; 0 is any number.
	PerMinute int
	// UploadSlots is how many documents may be uploaded at once.
	UploadSlots int
	Now         func() time.Time
	Random      io.Reader
	Log         *slog.Logger
}

// API answers the documented calls.
type API struct {
	Options
	inFlight InFlightKeys[apiaccess.IdempotencyKey]
	rates    httpserver.RateLimiter // of tokens
	slots    *UploadSlots
}

// New makes the API; it starts nothing.
func New(o Options) *API {
	return &API{Options: o, rates: httpserver.RateLimiter{Limit: o.PerMinute, Period: time.Minute}, slots: NewUploadSlots(o.UploadSlots)}
}

// Routes lists the calls of those whom the authenticator lets in, and answers at every
// address that has no other route.
func (a *API) Routes(auth Authenticator) router.Routes {
	mux := router.Routes{}
	guarded := func(needs apiaccess.Permission, h handler) http.HandlerFunc { return a.authorize(auth, needs, h) }
	const base = "/business/certificate-vault"
	a.route(mux, base, methods{
		http.MethodGet: guarded(apiaccess.MayList, a.listVault), http.MethodPost: guarded(apiaccess.MayCreate, a.uploadOne),
	})
	a.route(mux, base+"/upload-file", methods{http.MethodPost: guarded(apiaccess.MayCreate, a.uploadFile)})
	a.route(mux, base+"/bulk", methods{http.MethodPost: guarded(apiaccess.MayCreate, a.bulk)})
	a.route(mux, base+"/download", methods{http.MethodGet: guarded(apiaccess.MayDownload, a.downloadAll)})
	a.route(mux, base+"/{name}", methods{http.MethodGet: guarded(apiaccess.MayView, a.view)})
	a.route(mux, base+"/{name}/download", methods{http.MethodGet: guarded(apiaccess.MayDownload, a.download)})
	a.route(mux, base+"/{name}/badge", methods{http.MethodGet: guarded(apiaccess.MayDownload, a.badge)})
	a.route(mux, base+"/{name}/retry", methods{http.MethodPost: guarded(apiaccess.MayUpdate, a.retry)})
	a.route(mux, "/business/certificate-templates", methods{http.MethodGet: guarded("", a.listTemplates)})
	// The next three are calls of VEC.digital's published reference.
	a.route(mux, "/business/certificate-templates/{name}", methods{http.MethodGet: guarded("", a.viewTemplate)})
	a.route(mux, "/business/batches/{name}", methods{http.MethodGet: guarded(apiaccess.MayList, a.viewBatch)})
	a.route(mux, "/business/certificates/{name}", methods{http.MethodGet: guarded(apiaccess.MayList, a.viewAny)})
	a.route(mux, "/business/batches", methods{
		http.MethodGet: guarded(apiaccess.MayList, a.listBatches), http.MethodPost: guarded(apiaccess.MayCreate, a.createBatch),
	})
	a.route(mux, "/business/certificates", methods{http.MethodGet: guarded(apiaccess.MayList, a.listCertificates)})
	for path, page := range descriptionHandlers() {
		a.route(mux, path, methods{http.MethodGet: page.ServeHTTP})
	}
	a.route(mux, samplesPath, methods{http.MethodGet: a.serveSamples})
	a.route(mux, collectionPath, methods{http.MethodGet: a.serveCollection})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.Fail(w, r, fault.New(fault.NotFound, "There is nothing at this address."))
	})
	for pattern, h := range mux {
		mux[pattern] = a.withRequestID(h)
	}
	return mux
}

// handler answers one call of a caller who may make it.
type handler func(http.ResponseWriter, *http.Request, Caller) error

// authorize lets only those in who may make a call; an empty permission is that of
// every caller.
func (a *API) authorize(auth Authenticator, needs apiaccess.Permission, h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := auth(r)
		if err == nil {
			err = who.checkPermission(needs)
		}
		if err == nil {
			err = a.checkOpen(r, who)
		}
		if err == nil {
			err = a.checkRate(w, who)
		}
		if err == nil {
			at, _ := a.Institutions.ByID(who.institution)
			err = h(w, who.withAudit(r, at, a.People, a.Now()), who)
		}
		if err != nil {
			a.Fail(w, r, err)
		}
	}
}

// checkOpen refuses changes of an institution that is closed.
func (a *API) checkOpen(r *http.Request, who Caller) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	at, _ := a.Institutions.ByID(who.institution)
	return at.CheckOpen()
}
