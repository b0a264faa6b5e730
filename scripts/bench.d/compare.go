package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"golang.org/x/perf/benchmath"
)

// compare prints how the measures of two runs differ, by the rules of benchstat: a difference
// that may be chance is "~". Measures with a peer are compared by their ratio to it, which says less
// of the machine.
func compare(w io.Writer, before, after string) error {
	older, err := readReport(before)
	if err != nil {
		return err
	}
	newer, err := readReport(after)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "before: %v\nafter:  %v\n\n", older.Machine, newer.Machine)
	fmt.Fprintf(w, "%-72s %12s %12s   %s\n", "measure", "before", "after", "difference")
	known := map[string]measure{}
	for _, m := range older.Measures {
		known[m.Name] = m
	}
	for _, m := range newer.Measures {
		old, ok := known[m.Name]
		if !ok || (old.Peer == nil) != (m.Peer == nil) {
			fmt.Fprintf(w, "%-72s only after\n", m.Name)
			continue
		}
		delete(known, m.Name)
		compareMeasure(w, old, m)
	}
	for _, m := range older.Measures {
		if _, left := known[m.Name]; left {
			fmt.Fprintf(w, "%-72s only before\n", m.Name)
		}
	}
	return nil
}

func compareMeasure(w io.Writer, before, after measure) {
	thresholds := benchmath.DefaultThresholds
	one, other := benchmath.NewSample(relative(before), &thresholds), benchmath.NewSample(relative(after), &thresholds)
	c := benchmath.AssumeNothing.Compare(one, other)
	was, is := median(one.Values), median(other.Values)
	note := fmt.Sprintf("%s (%v)", c.FormatDelta(was, is), c)
	switch {
	case len(c.Warnings) > 0:
		note += ": " + c.Warnings[0].Error()
	case c.P < c.Alpha && (is > was) == after.More && is != was:
		note += " better"
	case c.P < c.Alpha && is != was:
		note += " worse"
	}
	fmt.Fprintf(w, "%-72s %12.4g %12.4g   %s\n", after.Name, was, is, note)
}

// relative is a measure's runs in terms of its peer: each of the same round where there are as
// many, else of the peer's median.
func relative(m measure) []float64 {
	if m.Peer == nil {
		return m.Ours
	}
	if len(m.Peer) != len(m.Ours) {
		return over(m.Ours, median(m.Peer))
	}
	ratios := make([]float64, len(m.Ours))
	for i, v := range m.Ours {
		ratios[i] = v / m.Peer[i]
	}
	return ratios
}

func readReport(path string) (r report, err error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return r, fmt.Errorf("%s is not what bench --json writes: %w", path, err)
	}
	return r, nil
}
