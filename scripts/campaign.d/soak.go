//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// soak keeps an agent under a light load for an hour, and wants what it uses to stay flat.
type soak struct{}

func (soak) counts() (short, full int) { return 1, 1 }

const (
	soakPause = 6 * time.Second // about five certificates a second
	// soakWarm is how long an agent may grow: caches fill.
	soakWarm = 10 * time.Minute
)

// sample is what the agent uses at a moment.
type sample struct {
	at           time.Duration // since the begin
	certificates int
	disk         int64 // bytes of the home, the database left out
	runtimeUse
}

// runtimeUse is what the agent says at /debug/runtime; sizes are in bytes.
type runtimeUse struct {
	HeapLive       uint64 `json:"heap_live"`
	Resident       uint64 `json:"resident"`
	DatabaseMapped uint64 `json:"database_mapped"`
	Goroutines     uint64 `json:"goroutines"`
	Descriptors    int    `json:"descriptors"`
	Database       int64  `json:"database"`
}

// measure is something that must stay flat.
type measure struct {
	what   string
	factor float64 // what the end may be of the beginning
	room   float64 // and this more
	unit   float64
	name   string
}

const mb = 1 << 20

// measures are in the order of sample.values.
var measures = []measure{
	{"heap, live", 1.10, 1 * mb, mb, "MB"},
	{"memory without the mapped database", 1.15, 4 * mb, mb, "MB"},
	{"goroutines", 1.10, 5, 1, ""},
	{"descriptors", 1.10, 5, 1, ""},
	{"database, a certificate", 1.05, 0, 1 << 10, "KB"},
	{"other files, a certificate", 1.05, 0, 1 << 10, "KB"},
}

func (s sample) values() []float64 {
	each := float64(max(s.certificates, 1))
	return []float64{float64(s.HeapLive), float64(s.Resident - s.DatabaseMapped), float64(s.Goroutines), float64(s.Descriptors),
		float64(s.Database) / each, float64(s.disk) / each}
}

func (k soak) run(ctx context.Context, s setup, _ int, r *result) error {
	random := s.random("soak")
	v, err := newSite(ctx, s, filepath.Join(s.dir, "h"), filepath.Join(s.dir, "inbox"))
	if err != nil {
		return err
	}
	defer v.close()
	agent, err := v.start(ctx)
	if err != nil {
		return err
	}
	defer agent.kill()
	l, err := newLoad(agent, soakPause, r)
	if err != nil {
		return err
	}
	working, stop := context.WithTimeout(ctx, s.lasts)
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.run(working, rand.New(rand.NewPCG(random.Uint64(), 1)))
	}()
	samples, err := k.watch(working, v, agent)
	<-ended
	if err != nil {
		return err
	}
	for text, n := range l.errors {
		r.problem("%d calls ended with: %s", n, text)
	}
	warm := min(soakWarm, s.lasts/3)
	for _, line := range judge(samples, warm, r) {
		fmt.Fprintln(os.Stdout, line)
	}
	r.count(v.ledger.totals())
	if err := v.resolve(ctx, agent); err != nil {
		return err
	}
	if err := v.settled(ctx, 2*time.Minute); err != nil {
		r.problem("after the soak: %v", err)
	}
	if err := v.checkWhole(ctx, agent, random, r, "after the soak"); err != nil {
		return err
	}
	if code := agent.stop(); code != 0 {
		r.problem("the agent ends with exit code %d: %s", code, agent.messages())
	}
	r.round(fmt.Sprintf("soak of %v", s.lasts))
	return nil
}

// watch samples until ctx ends, and prints a line a minute.
func (soak) watch(ctx context.Context, v *site, agent *process) (all []sample, err error) {
	begun, tick := time.Now(), time.NewTicker(v.interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return all, nil
		case <-agent.ended:
			return all, fmt.Errorf("the agent has ended: %s", agent.messages())
		case <-tick.C:
		}
		one, err := v.sample(ctx)
		if ctx.Err() != nil {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		one.at = time.Since(begun)
		all = append(all, one)
		if n := max(1, int(time.Minute/v.interval)); len(all)%n == 0 {
			fmt.Fprintf(os.Stderr, "campaign: soak: %s\n", one)
		}
	}
}

func (s sample) String() string {
	return fmt.Sprintf("%6s %6d certificates, heap live %.1f MB, resident %.1f MB of which database %.1f MB, %d goroutines, %d descriptors, database %.1f MB, other files %.1f MB",
		s.at.Round(time.Second), s.certificates, float64(s.HeapLive)/mb, float64(s.Resident)/mb, float64(s.DatabaseMapped)/mb, s.Goroutines, s.Descriptors,
		float64(s.Database)/mb, float64(s.disk)/mb)
}

// sample asks the agent what it uses, after a collection, and measures its home.
func (v *site) sample(ctx context.Context) (one sample, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://vecctl.local"+"/debug/runtime?collect=1", nil)
	if err != nil {
		return one, err
	}
	resp, err := v.socket().RoundTrip(request)
	if err != nil {
		return one, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&one.runtimeUse); err != nil || one.HeapLive == 0 {
		return one, fmt.Errorf("the agent does not say what it uses (%s): %w", resp.Status, err)
	}
	staff, err := v.staff()
	if err != nil {
		return one, err
	}
	status, err := staff.AgentStatus(ctx)
	if err != nil {
		return one, err
	}
	for _, n := range status.Certificates {
		one.certificates += n
	}
	// What disappears meanwhile is not counted.
	_ = filepath.WalkDir(v.home, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.HasSuffix(path, "vault.db") {
			if info, err := d.Info(); err == nil {
				one.disk += info.Size()
			}
		}
		return nil
	})
	return one, nil
}

// judge compares the time after warming up with the end: as long again, at most ten minutes each.
func judge(all []sample, warm time.Duration, r *result) (lines []string) {
	if len(all) == 0 {
		r.problem("there is no sample")
		return nil
	}
	end := all[len(all)-1].at
	span := min(warm, (end-warm)/2)
	early, late := window(all, warm, warm+span), window(all, end-span, end+1)
	if len(early) < 3 || len(late) < 3 {
		r.problem("%d samples are too few to judge", len(all))
		return nil
	}
	for i, m := range measures {
		before, after := mean(early, i), mean(late, i)
		line := fmt.Sprintf("soak: %-34s %8.1f %s from %v to %v, %8.1f %s in the last %v", m.what, before/m.unit, m.name,
			warm.Round(time.Second), (warm + span).Round(time.Second), after/m.unit, m.name, span.Round(time.Second))
		lines = append(lines, line)
		if after > before*m.factor+m.room {
			r.problem("not flat: %s", line)
		}
	}
	return append(lines, "soak: the end: "+all[len(all)-1].String())
}

func window(all []sample, from, to time.Duration) (part []sample) {
	for _, s := range all {
		if s.at >= from && s.at < to {
			part = append(part, s)
		}
	}
	return part
}

// mean is that of one measure.
func mean(all []sample, measure int) (sum float64) {
	for _, s := range all {
		sum += s.values()[measure]
	}
	return sum / float64(len(all))
}
