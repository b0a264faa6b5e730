package health

import (
	"context"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Store are what is needed of the store.
type Store interface {
	Counts(ctx context.Context, institution uint32) (vault.Counts, error)
	Queues(ctx context.Context, now time.Time) (map[vault.JobKind]store.QueueLength, error)
	Batches(ctx context.Context, institution uint32, page, perPage int) ([]vault.Batch, int, error)
	LastEvent(ctx context.Context) (uint64, error)
	EventsAfter(ctx context.Context, institution uint32, seq uint64, n int) ([]vault.Event, uint64, error)
	Backlog(ctx context.Context) (store.Backlog, error)
	List(ctx context.Context, f store.Filter, page, perPage int) (store.Page, error)
	Corrections(ctx context.Context, institution uint32, all bool) ([]vault.CorrectionRequest, error)
	Size() int64
}

// HomeSource measures a home: the numbers that the store has of all its institutions, their
// keys, and the disk.
type HomeSource struct {
	Store        Store
	Home         home.Dir
	Institutions *institutions.Registry
	Now          func() time.Time
}

var _ Source = HomeSource{}

// CertificatesByState implements Source.
func (b HomeSource) CertificatesByState(ctx context.Context) (map[string]int, error) {
	states := map[string]int{}
	for _, id := range b.Institutions.IDs() {
		counts, err := b.Store.Counts(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, s := range vault.Statuses() {
			states[string(s)] += counts.Of(s)
		}
	}
	return states, nil
}

// Backlog implements Source.
func (b HomeSource) Backlog(ctx context.Context) (store.Backlog, error) { return b.Store.Backlog(ctx) }

// ApplicationsWaiting implements Source.
func (b HomeSource) ApplicationsWaiting(ctx context.Context) (n int, err error) {
	for _, id := range b.Institutions.IDs() {
		page, err := b.Store.List(ctx, store.Filter{Institution: id, Source: vault.FromCustomer, Open: true}, 1, 1)
		if err != nil {
			return 0, err
		}
		n += page.Total
	}
	return n, nil
}

// CorrectionsWaiting implements Source.
func (b HomeSource) CorrectionsWaiting(ctx context.Context) (n int, err error) {
	for _, id := range b.Institutions.IDs() {
		open, err := b.Store.Corrections(ctx, id, false)
		if err != nil {
			return 0, err
		}
		n += len(open)
	}
	return n, nil
}

// mailJobs is the kind of job that every mail that waits has.
const mailJobs = string(vault.JobMail)

// QueueLengths implements Source.
func (b HomeSource) QueueLengths(ctx context.Context) (map[string]Queue, error) {
	queues, err := b.Store.Queues(ctx, b.Now())
	if err != nil {
		return nil, err
	}
	lengths := map[string]Queue{string(vault.JobSign): {}, mailJobs: {}}
	for kind, q := range queues {
		lengths[string(kind)] = Queue{Waiting: q.Waiting, Later: q.Later}
	}
	return lengths, nil
}

// BatchCounts implements Source. The latest batches are looked at: older
// ones are done.
func (b HomeSource) BatchCounts(ctx context.Context) (map[string]int, error) {
	const latest = 200
	states := map[string]int{}
	for _, id := range b.Institutions.IDs() {
		batches, _, err := b.Store.Batches(ctx, id, 1, latest)
		if err != nil {
			return nil, err
		}
		for _, one := range batches {
			states[string(one.State())]++
		}
	}
	return states, nil
}

// eventGroup is how many events are read at a time.
const eventGroup = 256

// EventsSince implements Source.
func (b HomeSource) EventsSince(ctx context.Context, seq uint64) (map[string]int, uint64, error) {
	// What happens meanwhile is counted the next time.
	last, err := b.Store.LastEvent(ctx)
	if err != nil {
		return nil, seq, err
	}
	counts := map[string]int{}
	for _, id := range b.Institutions.IDs() {
		for from := seq; from < last; {
			events, next, err := b.Store.EventsAfter(ctx, id, from, eventGroup)
			if err != nil {
				return nil, seq, err
			}
			for _, e := range events {
				if e.Seq <= last {
					counts[lastWord(string(e.Type))]++
				}
			}
			if next == from {
				break
			}
			from = next
		}
	}
	return counts, last, nil
}

func lastWord(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// DatabaseSize implements Source.
func (b HomeSource) DatabaseSize() int64 { return b.Store.Size() }

// DiskFree implements Source.
func (b HomeSource) DiskFree() (uint64, error) {
	d, err := b.Home.Disk()
	return d.Free, err
}

// KeyExpiry implements Source.
func (b HomeSource) KeyExpiry() time.Time { return b.Institutions.KeyExpiry() }
