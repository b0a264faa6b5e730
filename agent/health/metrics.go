package health

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/vecctl/vecctl/pkg/store"
)

// Build is what the program is.
type Build struct{ Version, Commit, Go string }

// Queue counts jobs of one kind.
type Queue struct{ Waiting, Later int }

// Source is who knows what is measured only when somebody asks.
type Source interface {
	// CertificatesByState counts certificates.
	CertificatesByState(ctx context.Context) (map[string]int, error)
	// QueueLengths counts jobs by kind.
	QueueLengths(ctx context.Context) (map[string]Queue, error)
	// BatchCounts counts batches by state.
	BatchCounts(ctx context.Context) (map[string]int, error)
	// EventsSince counts what happened to certificates after the event with a number
	// ("created", "approved", "failed", "retried"), and returns the last one's number.
	EventsSince(ctx context.Context, seq uint64) (map[string]int, uint64, error)
	// Backlog is what webhooks are still to be told.
	Backlog(ctx context.Context) (store.Backlog, error)
	// ApplicationsWaiting counts the applications that wait for a decision.
	ApplicationsWaiting(ctx context.Context) (int, error)
	// CorrectionsWaiting counts the corrections that are asked for.
	CorrectionsWaiting(ctx context.Context) (int, error)
	// DiskFree is the room on the home's disk, in bytes.
	DiskFree() (uint64, error)
	// KeyExpiry is when the first of the signing keys ends; zero without any.
	KeyExpiry() time.Time
	// DatabaseSize is the length of the database, in bytes.
	DatabaseSize() int64
}

// metrics are the agent's measurements, in a registry of their own.
type metrics struct {
	registry   *prometheus.Registry
	processing *prometheus.HistogramVec
	requests   *prometheus.CounterVec
	durations  *prometheus.HistogramVec
	deliveries *prometheus.CounterVec
	mails      *prometheus.CounterVec
	collector  *storeCollector
}

func newMetrics(source Source, build Build, ready func() bool) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		processing: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "vecctl_processing_seconds", Help: "Time that an attempt at a document took, by how it ended.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 9),
		}, []string{"result"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vecctl_http_requests_total", Help: "Calls that were answered, by route and status.",
		}, []string{"face", "method", "route", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "vecctl_http_request_seconds", Help: "Time until a call was answered, by route.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 9),
		}, []string{"face", "method", "route"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vecctl_webhook_attempts_total", Help: "Attempts at telling webhooks since the agent was started: delivered, failed (given up), or to be tried again.",
		}, []string{"result"}),
		mails: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vecctl_mail_attempts_total", Help: "Attempts at sending mails since the agent was started: sent, failed (refused for good), or to be tried again.",
		}, []string{"result"}),
		collector: newStoreCollector(source, ready),
	}
	// A number that is not there yet cannot be watched.
	for _, result := range []string{"delivered", "failed", "again"} {
		m.deliveries.WithLabelValues(result)
	}
	for _, result := range []string{"sent", "failed", "again"} {
		m.mails.WithLabelValues(result)
	}
	about := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "vecctl_build_info", Help: "Always 1; the labels say which vecctl this is.",
		ConstLabels: prometheus.Labels{"version": build.Version, "commit": build.Commit, "goversion": build.Go},
	})
	about.Set(1)
	m.registry.MustRegister(m.processing, m.requests, m.durations, m.deliveries, m.mails, about, m.collector,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// CountAttempt notes an attempt at a document.
func (h *Health) CountAttempt(result string, took time.Duration) {
	h.metrics.processing.WithLabelValues(result).Observe(took.Seconds())
}

// CountDelivery notes an attempt at telling a webhook: "delivered", "failed" or "again".
func (h *Health) CountDelivery(result string) { h.metrics.deliveries.WithLabelValues(result).Inc() }

// CountMail notes an attempt at sending a mail: "sent", "failed" or "again".
func (h *Health) CountMail(result string) { h.metrics.mails.WithLabelValues(result).Inc() }

// Instrument counts and times the calls of a face by the patterns that answer them,
// never by their paths: those name certificates. Status is told what each was
// answered with.
func (h *Health) Instrument(face string, next http.Handler, status func(int)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		answer := &responseRecorder{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			route, method := routeOf(r), methodOf(r)
			h.metrics.requests.WithLabelValues(face, method, route, strconv.Itoa(answer.status)).Inc()
			h.metrics.durations.WithLabelValues(face, method, route).Observe(time.Since(begun).Seconds())
			status(answer.status)
		}()
		next.ServeHTTP(answer, r)
	})
}

// routeOf is the pattern of the innermost router that found the call's handler.
func routeOf(r *http.Request) string {
	_, path, ok := strings.Cut(r.Pattern, " ")
	if !ok {
		path = r.Pattern
	}
	if path == "" || path == "/" {
		return "other"
	}
	return path
}

func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

// responseRecorder remembers what a call was answered with.
type responseRecorder struct {
	http.ResponseWriter
	status  int
	started bool
}

func (a *responseRecorder) WriteHeader(status int) {
	if !a.started && status >= http.StatusOK {
		a.status, a.started = status, true
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *responseRecorder) Write(p []byte) (int, error) {
	a.started = true
	return a.ResponseWriter.Write(p)
}

// ReadFrom keeps the way open that sends a file without copying it.
func (a *responseRecorder) ReadFrom(r io.Reader) (int64, error) {
	a.started = true
	return io.Copy(a.ResponseWriter, r)
}

// FlushError hands on what was written so far.
func (a *responseRecorder) FlushError() error {
	a.started = true
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Flush is FlushError for those who do not want to know.
func (a *responseRecorder) Flush() { _ = a.FlushError() }

// Unwrap lets http.ResponseController find what lies below.
func (a *responseRecorder) Unwrap() http.ResponseWriter { return a.ResponseWriter }
