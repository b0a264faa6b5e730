//go:build linux

package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// result is what became of a campaign.
type result struct {
	name    string
	begun   time.Time
	took    time.Duration
	leftOut string

	mu       sync.Mutex
	rounds   int            // that were run to their end
	acked    int            // acts that were acknowledged
	open     int            // acts whose outcome nobody was told, resolved since
	ways     map[string]int // how rounds ended
	problems []string
}

// round counts a round by how it ended.
func (r *result) round(way string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rounds++
	r.ways[way]++
}

// note counts something beside the rounds.
func (r *result) note(what string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ways[what] += n
}

// count adds the acts of a ledger.
func (r *result) count(acked, open int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.acked += acked
	r.open += open
}

// problem notes a loss, something that was done twice, or a wrong answer, and prints it at once.
func (r *result) problem(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	r.problems = append(r.problems, text)
	fmt.Fprintf(os.Stderr, "campaign: %s: %s\n", r.name, text)
}

// failed reports whether there were problems.
func (r *result) failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.problems) > 0
}

// table prints the results and reports whether something is wrong.
func table(w io.Writer, s setup, all []*result) (wrong bool) {
	const most = 20 // problems of one campaign
	fmt.Fprintf(w, "%s, seed %d\n", time.Now().Format(time.DateOnly), s.seed)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "campaign\trounds\tacknowledged\tunknown, then resolved\tlost, twice or wrong\ttime\thow they ended")
	for _, r := range all {
		if r.leftOut != "" {
			fmt.Fprintf(t, "%s\tleft out\t\t\t\t\t%s\n", r.name, r.leftOut)
			continue
		}
		var ways []string
		for _, way := range slices.Sorted(maps.Keys(r.ways)) {
			ways = append(ways, fmt.Sprintf("%d %s", r.ways[way], way))
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%v\t%s\n", r.name, r.rounds, r.acked, r.open, len(r.problems), r.took.Round(time.Second), strings.Join(ways, ", "))
		wrong = wrong || len(r.problems) > 0
	}
	_ = t.Flush()
	for _, r := range all {
		for i, p := range r.problems {
			if i == most {
				fmt.Fprintf(w, "%s: and %d more\n", r.name, len(r.problems)-most)
				break
			}
			fmt.Fprintf(w, "%s: %s\n", r.name, p)
		}
	}
	return wrong
}
