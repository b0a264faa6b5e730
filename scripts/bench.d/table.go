package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// measure is one line of the table: what its runs gave, ours and the peer's or the limit's.
type measure struct {
	Name   string    `json:"name"`
	Ours   []float64 `json:"ours"`
	Peer   []float64 `json:"peer,omitempty"`
	Wanted string    `json:"wanted,omitempty"`
	Missed bool      `json:"missed,omitempty"`
	// More reports whether more is better, as with rates.
	More bool `json:"more_is_better,omitempty"`
}

// report is what a run gave, as --json writes it and compare reads it.
type report struct {
	Machine  machine   `json:"machine"`
	Measures []measure `json:"measures"`
}

// table prints one line a measure, and keeps them.
type table struct {
	w      io.Writer
	missed int
	report report
	group  string // the last measure's name that was not indented
}

func newTable(w io.Writer, m machine) *table {
	fmt.Fprintln(w, m)
	fmt.Fprintf(w, "%-62s %18s %18s %8s   %s\n", "measure", "ours", "peer, limit", "ratio", "wanted")
	return &table{w: w, report: report{Machine: m}}
}

// once is the sample of a measure that was taken once.
func once(v float64) []float64 { return []float64{v} }

// over divides each run by a number.
func over(sample []float64, by float64) []float64 {
	divided := make([]float64, len(sample))
	for i, v := range sample {
		divided[i] = v / by
	}
	return divided
}

// atMost is a measure that should be at most a multiple of a limit.
func (t *table) atMost(name string, ours, limit []float64, wanted float64, unit func(float64) string) {
	ratio := median(ours) / median(limit)
	t.line(measure{Name: name, Ours: ours, Peer: limit, Wanted: fmt.Sprintf("at most %g", wanted), Missed: ratio > wanted}, unit, fmt.Sprintf("%.2f", ratio))
}

// faster is a measure that should be some times smaller than a peer's.
func (t *table) faster(name string, ours, peer []float64, wanted float64, unit func(float64) string) {
	ratio := median(peer) / median(ours)
	t.line(measure{Name: name, Ours: ours, Peer: peer, Wanted: fmt.Sprintf("at least %g times faster", wanted), Missed: ratio < wanted}, unit, fmt.Sprintf("%.1f", ratio))
}

// rate is how much is done in a second, which should be at least a part of what a
// peer does.
func (t *table) rate(name string, ours, peer []float64, wanted float64, unit func(float64) string) {
	ratio := median(ours) / median(peer)
	t.line(measure{Name: name, Ours: ours, Peer: peer, Wanted: fmt.Sprintf("at least %.2g", wanted), Missed: ratio < wanted, More: true}, unit, fmt.Sprintf("%.2f", ratio))
}

// below is a measure that should stay below a number.
func (t *table) below(name string, ours []float64, wanted float64, unit func(float64) string) {
	t.line(measure{Name: name, Ours: ours, Wanted: "below " + unit(wanted), Missed: median(ours) >= wanted}, unit, "")
}

// above is a measure that should exceed a number.
func (t *table) above(name string, ours []float64, wanted float64, unit func(float64) string) {
	t.line(measure{Name: name, Ours: ours, Wanted: "above " + unit(wanted), Missed: median(ours) <= wanted, More: true}, unit, "")
}

// told is a figure that nothing is wanted of.
func (t *table) told(name string, ours []float64, unit func(float64) string) {
	t.line(measure{Name: name, Ours: ours}, unit, "")
}

// line prints a measure with the median and the spread of its runs. An indented name belongs to the
// line above, and is kept with that line's name before it.
func (t *table) line(m measure, unit func(float64) string, ratio string) {
	peer, verdict := "", ""
	if m.Peer != nil {
		peer = unit(median(m.Peer)) + spread(m.Peer)
	}
	switch {
	case m.Missed:
		t.missed++
		verdict = "   " + m.Wanted + ": MISS"
	case m.Wanted != "":
		verdict = "   " + m.Wanted + ": ok"
	}
	fmt.Fprintf(t.w, "%-62s %18s %18s %8s%s\n", m.Name, unit(median(m.Ours))+spread(m.Ours), peer, ratio, verdict)
	if trimmed := strings.TrimSpace(m.Name); trimmed != m.Name || strings.HasPrefix(m.Name, "the same") {
		m.Name = t.group + "; " + trimmed
	} else {
		t.group = m.Name
	}
	t.report.Measures = append(t.report.Measures, m)
}

// write writes what the run gave as JSON.
func (t *table) write(path string) error {
	body, err := json.MarshalIndent(t.report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(body, '\n'), 0o600)
}

// spread is the distance of the quartiles from each other, in percent of the median, where there
// are runs enough to speak of one.
func spread(sample []float64) string {
	const enough = 3
	middle := median(sample)
	if len(sample) < enough || middle == 0 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(sample))
	return fmt.Sprintf(" ±%2.0f%%", 50*(sorted[len(sorted)*3/4]-sorted[len(sorted)/4])/middle)
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

// contender is a function that is measured beside others; a round runs it so many times.
type contender struct {
	times int
	f     func() error
}

// shortRounds is how many rounds measures have that take no time.
func (s setup) shortRounds() int { return max(5, s.repeat) }

// interleaved measures functions in turns, after one run of each that does not count. It returns
// the median of each round, in seconds, so that what else the machine does meets all of them.
func interleaved(rounds int, all ...contender) ([][]float64, error) {
	for _, c := range all {
		if err := c.f(); err != nil {
			return nil, err
		}
	}
	medians := make([][]float64, len(all))
	for range rounds {
		for i, c := range all {
			took := make([]float64, c.times)
			for n := range took {
				var err error
				if took[n], err = timed(c.f); err != nil {
					return nil, err
				}
			}
			medians[i] = append(medians[i], median(took))
		}
	}
	return medians, nil
}
