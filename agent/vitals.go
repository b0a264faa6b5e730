package agent

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/space"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

// vitals answers the questions of health about all of the home's institutions.
type vitals struct{ *Agent }

var _ health.Source = vitals{}

// CertificatesByState implements health.Source.
func (v vitals) CertificatesByState(ctx context.Context) (map[string]int, error) {
	states := map[string]int{}
	for id := range v.state.Load().seats {
		counts, err := v.store.Counts(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, s := range vault.Statuses() {
			states[string(s)] += counts.Of(s)
		}
	}
	return states, nil
}

// QueueLengths implements health.Source.
func (v vitals) QueueLengths(ctx context.Context) (map[string]health.Queue, error) {
	queues, err := v.store.Queues(ctx, v.Now())
	if err != nil {
		return nil, err
	}
	lengths := map[string]health.Queue{string(vault.JobProcess): {}, string(vault.JobNotify): {}}
	for kind, q := range queues {
		lengths[string(kind)] = health.Queue{Waiting: q.Waiting, Later: q.Later}
	}
	return lengths, nil
}

// BatchCounts implements health.Source. The latest batches are looked at: older
// ones are done.
func (v vitals) BatchCounts(ctx context.Context) (map[string]int, error) {
	const latest = 200
	states := map[string]int{}
	for id := range v.state.Load().seats {
		batches, _, err := v.store.Batches(ctx, id, 1, latest)
		if err != nil {
			return nil, err
		}
		for _, b := range batches {
			states[b.State()]++
		}
	}
	return states, nil
}

// eventGroup is how many events are read at a time.
const eventGroup = 256

// EventsSince implements health.Source.
func (v vitals) EventsSince(ctx context.Context, seq uint64) (map[string]int, uint64, error) {
	// What happens meanwhile is counted the next time.
	last, err := v.store.LastEvent(ctx)
	if err != nil {
		return nil, seq, err
	}
	counts := map[string]int{}
	for id := range v.state.Load().seats {
		for from := seq; from < last; {
			events, next, err := v.store.EventsAfter(ctx, id, from, eventGroup)
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

// DiskFree implements health.Source.
func (v vitals) DiskFree() (uint64, error) {
	d, err := v.Home.Disk()
	return d.Free, err
}

// DatabaseSize implements health.Source.
func (v vitals) DatabaseSize() int64 { return v.store.Size() }

// measured counts a face's calls. An answer that says that the disk is full makes
// the agent look at it.
func (a *Agent) measured(name string, next http.Handler) http.Handler {
	return a.health.Measure(name, next, func(status int) {
		if status == http.StatusInsufficientStorage {
			a.space.Check()
		}
	})
}

// problems are what staff should know.
func (a *Agent) problems() []client.Problem {
	shown := []client.Problem{}
	for _, p := range a.health.Problems() {
		shown = append(shown, client.Problem{Kind: p.Name, Message: p.Message})
	}
	return append(shown, a.keyProblems()...)
}

// wireSpace prepares the watch over the disk; it starts nothing.
func (a *Agent) wireSpace() {
	a.space = space.New(space.Options{
		Disk: func() (free, total uint64, err error) {
			d, err := a.Home.Disk()
			return d.Free, d.Total, err
		},
		Probe: filepath.Join(a.Home.Blobs(), "tmp"), Home: string(a.Home), Full: alarm{a, "disk", true},
		Tell: a.feed.Notice, Trouble: a.feed.Trouble, Wake: func() { a.processor.Wake() }, Now: a.Now, Log: a.Log,
	})
}

// Accepting is nil when the agent takes what is new, else the reason, of kind
// fault.Full.
func (a *Agent) Accepting() error { return a.space.Accepting() }
