package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/router"
	"github.com/vecctl/vecctl/pkg/vault"
)

// methods are what can be done at one address.
type methods map[string]http.HandlerFunc

// route answers at one address: HEAD wherever GET is, OPTIONS everywhere, and
// 405 with what there is for the rest.
func (a *API) route(mux router.Routes, path string, m methods) {
	allowed := slices.Collect(maps.Keys(m))
	if m[http.MethodGet] != nil {
		m[http.MethodHead] = m[http.MethodGet]
		allowed = append(allowed, http.MethodHead)
	}
	allowed = append(allowed, http.MethodOptions)
	slices.Sort(allowed)
	allow := strings.Join(allowed, ", ")
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		switch h := m[r.Method]; {
		case h != nil:
			h(w, r)
		case r.Method == http.MethodOptions:
			w.Header().Set("Allow", allow)
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("Allow", allow)
			a.Fail(w, r, newStatusError(http.StatusMethodNotAllowed, "The "+truncate(r.Method)+" method is not supported here. Supported methods: "+allow+"."))
		}
	})
}

// truncate shortens what a client sent before it is repeated to it.
func truncate(s string) string {
	const most = 20
	return s[:min(len(s), most)]
}

// RequestIDHeader is the header that names one call in answers and logs.
const RequestIDHeader = "X-Request-ID"

// requestIDFormat is what a client may name its call.
var requestIDFormat = regexp.MustCompile(`^[0-9A-Za-z._:-]{1,100}$`)

type requestIDKey struct{}

// requestID is the name of the call that a context belongs to.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// withRequestID gives every call a name and logs how it ended. What is logged of an
// address is its path: queries hold names and addresses of people.
func (a *API) withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := a.Now()
		id := r.Header.Get(RequestIDHeader)
		if !requestIDFormat.MatchString(id) {
			var err error
			if id, err = vault.NewUUID(a.Random, begun); err != nil {
				a.Fail(w, r, err)
				return
			}
		}
		w.Header().Set(RequestIDHeader, id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		named := r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id))
		named.URL = lenientQuery(r.URL)
		next.ServeHTTP(recorder, named)
		a.Log.LogAttrs(r.Context(), slog.LevelDebug, "a call was answered",
			slog.String("request_id", id), slog.String("method", truncate(r.Method)), slog.String("path", r.URL.Path),
			slog.Int("status", recorder.status), slog.Duration("took", a.Now().Sub(begun).Round(time.Microsecond)))
	})
}

// strayPercent is a percent sign that begins no escape.
var strayPercent = regexp.MustCompile(`%([0-9A-Fa-f]?[^0-9A-Fa-f]|[0-9A-Fa-f]?$)`)

// lenientQuery is an address whose query Go reads as PHP does. To Go a semicolon and a
// stray percent sign are errors for which it leaves a parameter out: a caller who searched
// for "a;b" would be shown everything.
func lenientQuery(u *url.URL) *url.URL {
	if !strings.ContainsAny(u.RawQuery, ";%") {
		return u
	}
	other := *u
	other.RawQuery = strings.ReplaceAll(u.RawQuery, ";", "%3B")
	for strayPercent.MatchString(other.RawQuery) {
		other.RawQuery = strayPercent.ReplaceAllString(other.RawQuery, "%25$1")
	}
	return &other
}

// statusRecorder sees an answer's status.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (w *statusRecorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusRecorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func writeJSON(w http.ResponseWriter, status int, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	writeRawJSON(w, status, raw)
	return nil
}

func writeRawJSON(w http.ResponseWriter, status int, raw []byte) {
	w.Header().Set("Content-Type", "application/json")
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "no-store") // names and addresses of people
	}
	w.WriteHeader(status)
	// An error here is the client's connection; there is nobody to tell.
	_, _ = w.Write(raw)
}
