// Package api serves the authority over HTTP: the five calls of the VendWeave
// Certification Authority contract ("Endpoints"), JSON only, with its bodies,
// statuses and error codes; and the calls of staff, which are never served to the
// network.
package api

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/authority/service"
	"github.com/vecctl/vecctl/pkg/router"
)

// BasePath is the path below which the calls are.
const BasePath = "/api/certify/"

// The contract's limits, and ours for what it names none for ("Rate Limiting").
const (
	requestsAnHour   = 5
	statusesAMinute  = 60
	verifiesAMinute  = 100
	renewalsADay     = 5
	revocationsAHour = 10
)

// How many callers are told apart at a time.
const (
	maxStores    = 1 << 14
	maxAddresses = 1 << 20
)

// Handler answers calls. It is made once for all listeners, so that they share limits.
type Handler struct {
	service  *service.Service
	baseURL  func() string
	log      *slog.Logger
	statuses *service.RateLimiter
	verifies *service.RateLimiter
}

// New makes a handler. Links in answers begin with the base URL.
func New(o *service.Service, baseURL func() string, log *slog.Logger) *Handler {
	return &Handler{
		service: o, baseURL: baseURL, log: log,
		statuses: service.NewRateLimiter(statusesAMinute, time.Minute, maxStores),
		verifies: service.NewRateLimiter(verifiesAMinute, time.Minute, maxAddresses),
	}
}

// Routes lists the calls.
func (d *Handler) Routes() router.Routes {
	mux := router.Routes{}
	handle := func(path string, h http.HandlerFunc) { mux[BasePath+path] = h }
	stores := func(method string, limit func(context.Context, authority.Account) (time.Duration, error), call storeCall) http.HandlerFunc {
		return d.method(method, func(w http.ResponseWriter, r *http.Request) error { return d.authenticated(w, r, limit, call) })
	}
	handle("request", stores(http.MethodPost, d.storedLimit("request", requestsAnHour, time.Hour), d.request))
	handle("status", stores(http.MethodGet, d.statusLimit, d.status))
	handle("revoke", stores(http.MethodPost, d.storedLimit("revoke", revocationsAHour, time.Hour), d.revoke))
	handle("renew", stores(http.MethodPost, d.storedLimit("renew", renewalsADay, 24*time.Hour), d.renew))
	handle("verify/{hash}", d.method(http.MethodGet, d.verify))
	handle("", func(w http.ResponseWriter, r *http.Request) {
		d.Fail(w, r, authority.NewContractError(authority.NotFound, "There is nothing at this address"))
	})
	return mux
}

// method answers one method, HEAD where GET is, and 405 else.
func (d *Handler) method(method string, call func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	allow := method
	if method == http.MethodGet {
		allow = "GET, HEAD"
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
			w.Header().Set("Allow", allow)
			d.Fail(w, r, statusError{authority.NewContractError(authority.InvalidRequest, "This address takes "+allow+" only"), http.StatusMethodNotAllowed})
			return
		}
		if err := call(w, r); err != nil {
			d.Fail(w, r, err)
		}
	}
}

// storeCall is a call that a known store makes.
type storeCall func(w http.ResponseWriter, r *http.Request, a authority.Account) error

// authenticated lets stores in whose credentials are right and that have not called too
// often. Whatever they then ask for counts.
func (d *Handler) authenticated(w http.ResponseWriter, r *http.Request,
	limit func(context.Context, authority.Account) (time.Duration, error), call storeCall) error {
	a, err := d.service.Authenticate(r.Context(), r.Header.Get("X-VendWeave-Store"), r.Header.Get("X-VendWeave-Key"))
	if err != nil {
		return err
	}
	wait, err := limit(r.Context(), a)
	if err != nil {
		return err
	}
	if wait > 0 {
		return tooMany(w, wait)
	}
	return call(w, r, a)
}

// storedLimit is a limit that outlives the process.
func (d *Handler) storedLimit(name string, n int, window time.Duration) func(context.Context, authority.Account) (time.Duration, error) {
	return func(ctx context.Context, a authority.Account) (time.Duration, error) {
		return d.service.Admit(ctx, name, a.Slug, n, window)
	}
}

// statusLimit is the limit of status calls.
func (d *Handler) statusLimit(_ context.Context, a authority.Account) (time.Duration, error) {
	return d.statuses.Admit([]byte(a.Slug), d.service.Now()), nil
}

func tooMany(w http.ResponseWriter, wait time.Duration) error {
	seconds := int(math.Ceil(wait.Seconds()))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return authority.NewContractError(authority.RateLimited, "Too many requests; try again in "+strconv.Itoa(seconds)+" s")
}

// limitByAddress counts a call of the client at the other end. A caller without an
// address is on this machine, and staff.
func (d *Handler) limitByAddress(w http.ResponseWriter, r *http.Request) error {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	if wait := d.verifies.Admit(service.AddressKey(peer.Addr()), d.service.Now()); wait > 0 {
		return tooMany(w, wait)
	}
	return nil
}
