//go:build linux

// Command campaign tries whether a vault keeps what it has acknowledged, whatever happens to
// its process and its disk. It runs the real program, disturbs it, starts it again, and compares
// what is there with what had been acknowledged.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// setup is what the command line says.
type setup struct {
	vecctl   string // the built program
	clocked  string // the program, built so that it can be told the time; may be empty
	dir      string // where homes lie
	seed     uint64
	count    int // of rounds; 0 is each campaign's own
	short    bool
	lasts    time.Duration // the soak
	interval time.Duration // of its samples
}

// random draws for one campaign: each has a sequence of its own, whatever ran before it.
func (s setup) random(name string) *rand.Rand {
	var salt uint64
	for _, b := range []byte(name) {
		salt = salt*31 + uint64(b)
	}
	return rand.New(rand.NewPCG(s.seed, salt))
}

// campaign is a kind of disturbance.
type campaign interface {
	// counts are the rounds of a short run and of a full one.
	counts() (short, full int)
	run(ctx context.Context, s setup, count int, r *result) error
}

// names lists the campaigns in the order in which "all" runs them.
var names = []string{"kills", "power-ext4", "power-xfs", "disk-full", "fsync", "damage", "faults", "year", "soak"}

func byName(name string) campaign {
	switch name {
	case "kills":
		return kills{}
	case "power-ext4":
		return powerCuts{"ext4"}
	case "power-xfs":
		return powerCuts{"xfs"}
	case "disk-full":
		return diskFull{}
	case "fsync":
		return failedFlushes{}
	case "damage":
		return damage{}
	case "faults":
		return faults{}
	case "year":
		return year{}
	case "soak":
		return soak{}
	}
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) //nolint:forbidigo // the program's own
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "campaign:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var s setup
	flag.StringVar(&s.vecctl, "vecctl", "", "the built program")
	flag.StringVar(&s.clocked, "clocked", "", "the program, built with the tag testclock")
	flag.StringVar(&s.dir, "dir", "", "folder for homes (default: a temporary one)")
	flag.Uint64Var(&s.seed, "seed", uint64(time.Now().Unix()), "what all draws follow from")
	flag.IntVar(&s.count, "count", 0, "rounds (default: the campaign's own number)")
	flag.BoolVar(&s.short, "short", false, "a few rounds of each, no soak and no year")
	flag.DurationVar(&s.lasts, "lasts", time.Hour, "how long the soak lasts")
	flag.DurationVar(&s.interval, "interval", 10*time.Second, "between two samples of the soak")
	flag.Parse()
	wanted, err := chosen(flag.Args(), s.short)
	if err != nil {
		return err
	}
	made, err := os.MkdirTemp(s.dir, "vecctl-campaign-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(made)
	s.dir = made
	var all []*result
	for _, name := range wanted {
		all = append(all, runOne(ctx, s, name))
		if ctx.Err() != nil {
			break
		}
	}
	lost := table(os.Stdout, s, all)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if lost {
		return errors.New("something was lost, done twice or wrong: see above")
	}
	return nil
}

// chosen spells out what the command line names.
func chosen(given []string, short bool) ([]string, error) {
	if len(given) == 0 || slices.Contains(given, "all") {
		given = names
		if short {
			given = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "soak" || name == "year" })
		}
	}
	var wanted []string
	for _, name := range given {
		switch {
		case name == "power":
			wanted = append(wanted, "power-ext4", "power-xfs")
		case byName(name) == nil:
			return nil, fmt.Errorf("there is no campaign %q; there are: power %s all", name, strings.Join(names, " "))
		default:
			wanted = append(wanted, name)
		}
	}
	return wanted, nil
}

// runOne runs a campaign in a folder of its own.
func runOne(ctx context.Context, s setup, name string) *result {
	c := byName(name)
	short, full := c.counts()
	count := full
	if s.short {
		count = short
	}
	if s.count > 0 {
		count = s.count
	}
	r := &result{name: name, begun: time.Now(), ways: map[string]int{}}
	s.dir = filepath.Join(s.dir, name)
	err := os.Mkdir(s.dir, 0o700)
	if err == nil {
		fmt.Fprintf(os.Stderr, "campaign: %s, %d rounds, seed %d\n", name, count, s.seed)
		err = c.run(ctx, s, count, r)
	}
	if reason, ok := errors.AsType[cannotRun](err); ok {
		r.leftOut = string(reason)
	} else if err != nil && ctx.Err() == nil {
		r.problem("the campaign ended early: %v", err)
	}
	r.took = time.Since(r.begun)
	return r
}

// cannotRun says why a campaign cannot run on this machine.
type cannotRun string

func (c cannotRun) Error() string { return string(c) }
