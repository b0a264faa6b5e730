package health

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// storeCollector collects what the source knows when somebody asks for the metrics.
type storeCollector struct {
	source Source
	ready  func() bool

	mu    sync.Mutex
	seq   uint64
	total map[string]int // events since the agent was started

	certificates, queue, batches, events, free, size, up, keyEnds,
	hooks, oldest, mails, applications, corrections *prometheus.Desc
}

func newStoreCollector(source Source, ready func() bool) *storeCollector {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("vecctl_"+name, help, labels, nil)
	}
	return &storeCollector{
		source: source, ready: ready, total: map[string]int{"accepted": 0, "approved": 0, "failed": 0, "retried": 0},
		certificates: describe("certificates", "Certificates in the vault, by state.", "state"),
		queue:        describe("queue_jobs", "Jobs in the queue, by kind and whether they are due.", "kind", "due"),
		batches:      describe("batches", "The latest batches of the vault, by state.", "state"),
		events:       describe("certificate_events_total", "What happened to certificates since the agent was started.", "event"),
		free:         describe("disk_free_bytes", "Room on the home's disk."),
		size:         describe("database_bytes", "Length of the database."),
		keyEnds:      describe("signing_key_end_timestamp_seconds", "When the first of the signing keys ends, in seconds since 1970."),
		hooks:        describe("webhook_deliveries_waiting", "What webhooks are still to be told, suspended ones too."),
		oldest:       describe("webhook_oldest_waiting_timestamp_seconds", "When the oldest of what webhooks are still to be told was made, in seconds since 1970; not there when nothing waits."),
		mails:        describe("mails_waiting", "Mails that have not left yet."),
		applications: describe("applications_waiting", "Applications that wait for a decision."),
		corrections:  describe("corrections_waiting", "Corrections that people ask for and nobody has dealt with."),
		up:           describe("ready", "1 when the agent takes more, 0 when it does not."),
	}
}

// CountEventsAfter says which event is the last before the agent runs: what happens later
// counts.
func (h *Health) CountEventsAfter(seq uint64) {
	a := h.metrics.collector
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seq = seq
}

// Describe implements prometheus.Collector.
func (a *storeCollector) Describe(into chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{a.certificates, a.queue, a.batches, a.events, a.free, a.size, a.up, a.keyEnds,
		a.hooks, a.oldest, a.mails, a.applications, a.corrections} {
		into <- d
	}
}

// Collect implements prometheus.Collector.
func (a *storeCollector) Collect(into chan<- prometheus.Metric) {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience) //nolint:forbidigo // a collector gets none
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		into <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	failed := func(d *prometheus.Desc, err error) {
		into <- prometheus.NewInvalidMetric(d, fmt.Errorf("measuring: %w", err))
	}
	up := 0.0
	if a.ready() {
		up = 1
	}
	gauge(a.up, up)
	if end := a.source.KeyExpiry(); !end.IsZero() {
		gauge(a.keyEnds, float64(end.Unix()))
	}
	gauge(a.size, float64(a.source.DatabaseSize()))
	if free, err := a.source.DiskFree(); err != nil {
		failed(a.free, err)
	} else {
		gauge(a.free, float64(free))
	}
	counts, err := a.source.CertificatesByState(ctx)
	if err != nil {
		failed(a.certificates, err)
	}
	for state, n := range counts {
		gauge(a.certificates, float64(n), state)
	}
	if counts, err = a.source.BatchCounts(ctx); err != nil {
		failed(a.batches, err)
	}
	for state, n := range counts {
		gauge(a.batches, float64(n), state)
	}
	queues, err := a.source.QueueLengths(ctx)
	if err != nil {
		failed(a.queue, err)
	}
	for kind, q := range queues {
		gauge(a.queue, float64(q.Waiting), kind, "now")
		gauge(a.queue, float64(q.Later), kind, "later")
	}
	if mails, known := queues[mailJobs]; known {
		gauge(a.mails, float64(mails.Waiting+mails.Later))
	}
	a.collectWaiting(ctx, gauge, failed)
	a.collectEvents(ctx, into)
}

// collectWaiting tells what waits for others: webhooks, and people.
func (a *storeCollector) collectWaiting(ctx context.Context, gauge func(*prometheus.Desc, float64, ...string), failed func(*prometheus.Desc, error)) {
	if backlog, err := a.source.Backlog(ctx); err != nil {
		failed(a.hooks, err)
	} else {
		gauge(a.hooks, float64(backlog.Waiting))
		if !backlog.Oldest.IsZero() {
			gauge(a.oldest, float64(backlog.Oldest.Unix()))
		}
	}
	if n, err := a.source.ApplicationsWaiting(ctx); err != nil {
		failed(a.applications, err)
	} else {
		gauge(a.applications, float64(n))
	}
	if n, err := a.source.CorrectionsWaiting(ctx); err != nil {
		failed(a.corrections, err)
	} else {
		gauge(a.corrections, float64(n))
	}
}

// collectEvents adds what happened since it was asked last.
func (a *storeCollector) collectEvents(ctx context.Context, into chan<- prometheus.Metric) {
	a.mu.Lock()
	defer a.mu.Unlock()
	more, next, err := a.source.EventsSince(ctx, a.seq)
	if err != nil {
		into <- prometheus.NewInvalidMetric(a.events, fmt.Errorf("measuring: %w", err))
		return
	}
	a.seq = next
	for name, n := range more {
		if name == "created" {
			name = "accepted"
		}
		a.total[name] += n
	}
	for name, n := range a.total {
		into <- prometheus.MustNewConstMetric(a.events, prometheus.CounterValue, float64(n), name)
	}
}
