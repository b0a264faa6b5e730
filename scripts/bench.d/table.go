package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// table prints one line a measure.
type table struct {
	w      io.Writer
	missed int
}

func newTable(w io.Writer) *table {
	fmt.Fprintf(w, "%-44s %12s %12s %8s   %s\n", "measure", "ours", "peer, limit", "ratio", "wanted")
	return &table{w: w}
}

// atMost is a measure that should be at most a multiple of a limit.
func (t *table) atMost(name string, ours, limit, wanted float64, unit func(float64) string) {
	t.line(name, unit(ours), unit(limit), fmt.Sprintf("%.2f", ours/limit), fmt.Sprintf("at most %g", wanted), ours/limit <= wanted)
}

// atLeast is a measure that should be at least a part of a peer's.
func (t *table) atLeast(name string, ours, peer, wanted float64, unit func(float64) string) {
	t.line(name, unit(ours), unit(peer), fmt.Sprintf("%.2f", ours/peer), fmt.Sprintf("at least %.2f", wanted), ours/peer >= wanted)
}

// faster is a measure that should be some times smaller than a peer's.
func (t *table) faster(name string, ours, peer, wanted float64, unit func(float64) string) {
	t.line(name, unit(ours), unit(peer), fmt.Sprintf("%.1f", peer/ours), fmt.Sprintf("at least %g times faster", wanted), peer/ours >= wanted)
}

// rate is how much is done in a second, which should be at least a part of what a
// peer does.
func (t *table) rate(name string, ours, peer, wanted float64, unit func(float64) string) {
	t.line(name, unit(ours), unit(peer), fmt.Sprintf("%.2f", ours/peer), fmt.Sprintf("at least %g", wanted), ours/peer >= wanted)
}

// below is a measure that should stay below a number.
func (t *table) below(name string, ours, wanted float64, unit func(float64) string) {
	t.line(name, unit(ours), "", "", "below "+unit(wanted), ours < wanted)
}

// above is a measure that should exceed a number.
func (t *table) above(name string, ours, wanted float64, unit func(float64) string) {
	t.line(name, unit(ours), "", "", "above "+unit(wanted), ours > wanted)
}

// told is a figure that nothing is wanted of.
func (t *table) told(name string, ours float64, unit func(float64) string) {
	fmt.Fprintf(t.w, "%-44s %12s\n", name, unit(ours))
}

func (t *table) line(name, ours, peer, ratio, wanted string, ok bool) {
	verdict := "ok"
	if !ok {
		verdict = "MISS"
		t.missed++
	}
	fmt.Fprintf(t.w, "%-44s %12s %12s %8s   %s: %s\n", name, ours, peer, ratio, wanted, verdict)
}

// Units.
func seconds(v float64) string { return fmt.Sprintf("%.2f s", v) }
func millis(v float64) string  { return fmt.Sprintf("%.3f ms", v*1e3) }
func megas(v float64) string   { return fmt.Sprintf("%.0f MB", v/(1<<20)) }
func plain(v float64) string   { return fmt.Sprintf("%.0f", v) }
func percent(v float64) string { return fmt.Sprintf("%.2f %%", v*100) }

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// timed runs a function and returns how long it took, in seconds.
func timed(f func() error) (float64, error) {
	begun := time.Now()
	err := f()
	return time.Since(begun).Seconds(), err
}
