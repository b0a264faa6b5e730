// Command bench measures the product against limits and peers in the same run,
// and prints ratios: absolute times say more of the machine than of the program.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
)

// setup is what the command line says.
type setup struct {
	vecctl string // the built binary
	before string // one of an earlier version, to compare with; "" for none
	root   string // the checkout
	dir    string // where input and homes lie
	rows   int
	repeat int
	// uploads is how many documents are uploaded one by one.
	uploads int
	// certificates is how many the lists are asked of.
	certificates int
}

// modes in the order in which "all" runs them.
var modes = []struct {
	name string
	run  func(setup, *table) error
}{
	{"stamp", benchStamp},
	{"signers", benchSigners},
	{"verify", benchVerify},
	{"badge", benchBadge},
	{"template", benchTemplate},
	{"bulk", benchBulk},
	{"relay", benchRelay},
	{"timestamps", benchTimestamps},
	{"dryrun", benchDryRun},
	{"idle", benchIdle},
	{"pickup", benchPickup},
	{"screen", benchScreen},
	{"uploads", benchUploads},
	{"large", benchLarge},
	{"connections", benchConnections},
	{"lists", benchLists},
	{"pages", benchPages},
	{"certify", benchCertify},
	{"mail", benchMail},
	{"backup", benchBackup},
	{"upgrade", benchUpgrade},
	{"hooks", benchHooks},
}

func main() {
	if body := os.Getenv(bareBody); body != "" {
		fmt.Fprintln(os.Stderr, "bench:", serveBare(body))
		os.Exit(1)
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	var s setup
	flag.StringVar(&s.vecctl, "vecctl", "", "the built binary")
	flag.StringVar(&s.before, "before", "", "a binary of an earlier version that dry runs are compared with")
	flag.StringVar(&s.root, "root", ".", "the checkout")
	flag.StringVar(&s.dir, "dir", "", "folder for input and homes (default: a temporary one)")
	flag.IntVar(&s.rows, "rows", 10_000, "rows of the large batch")
	flag.IntVar(&s.repeat, "repeat", 3, "runs of each measure, at least 5 of short ones; the median counts")
	flag.IntVar(&s.certificates, "certificates", 1_000_000, "certificates of which lists are asked")
	flag.IntVar(&s.uploads, "uploads", 3_000, "documents that are uploaded one by one")
	asJSON := flag.String("json", "", "a file that gets all runs as JSON, for compare")
	strict := flag.Bool("strict", false, "exit 1 when a goal is missed")
	flag.Parse()
	wanted := flag.Args()
	if len(wanted) == 3 && wanted[0] == "compare" {
		return compare(os.Stdout, wanted[1], wanted[2])
	}
	if len(wanted) == 0 || slices.Contains(wanted, "all") {
		wanted = nil
		for _, m := range modes {
			wanted = append(wanted, m.name)
		}
	}
	if s.dir == "" {
		made, err := os.MkdirTemp("", "vecctl-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(made)
		s.dir = made
	}
	here, err := lookAround(s.dir)
	if err != nil {
		return err
	}
	t := newTable(os.Stdout, here)
	for _, name := range wanted {
		i := slices.IndexFunc(modes, func(m struct {
			name string
			run  func(setup, *table) error
		}) bool {
			return m.name == name
		})
		if i < 0 {
			return fmt.Errorf("there is no mode %q", name)
		}
		if err := modes[i].run(s, t); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if *asJSON != "" {
		if err := t.write(*asJSON); err != nil {
			return err
		}
	}
	if *strict && t.missed > 0 {
		return fmt.Errorf("%d goals missed", t.missed)
	}
	return nil
}
