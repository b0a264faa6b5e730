package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// framedRows is how many documents need a close look at the place of their code.
const framedRows = 500

// benchDryRun measures the processor time of dry runs: of plain pages without a look for
// names, against an earlier version where one is given; with that look; and of pages
// with a frame, which have to be drawn to find out what the code covers.
func benchDryRun(s setup, t *table) error {
	plain, err := named(s.dir, "plain", s.rows, "")
	if err != nil {
		return err
	}
	framed, err := named(s.dir, "framed", framedRows, "4 w 30 30 535 782 re S .9 .95 .9 rg 34 34 527 774 re f 0 g ")
	if err != nil {
		return err
	}
	few, err := named(s.dir, "few", framedRows, "")
	if err != nil {
		return err
	}
	var befores, offs, checks, drawns, undrawns []float64
	for i := range s.repeat {
		home := filepath.Join(s.dir, fmt.Sprintf("dry-%d-%d", os.Getpid(), i))
		for _, run := range []struct {
			program, folder string
			to              *[]float64
			flags           []string
		}{
			{s.before, plain, &befores, nil},
			{s.vecctl, plain, &offs, []string{"--names", "off"}},
			{s.vecctl, plain, &checks, nil},
			{s.vecctl, few, &undrawns, []string{"--names", "off"}},
			{s.vecctl, framed, &drawns, []string{"--names", "off"}},
		} {
			if run.program == "" {
				continue
			}
			took, err := dryRun(run.program, home, run.folder, run.flags...)
			if err != nil {
				return err
			}
			*run.to = append(*run.to, took)
		}
	}
	what := fmt.Sprintf("dry run, %d rows, processor time", s.rows)
	if s.before != "" {
		t.atMost(what+", against before", offs, befores, 1, seconds)
	} else {
		t.told(what, offs, seconds)
	}
	t.atMost(what+", with names", checks, offs, 3, seconds)
	t.below("dry run, a page that is drawn", once((median(drawns)-median(undrawns))/framedRows), 0.010, millis)
	return nil
}

// dryRun checks a manifest and returns the processor time that it took, in seconds:
// what else runs on the machine counts less there than in the time on the clock.
func dryRun(program, home, folder string, flags ...string) (float64, error) {
	args := append([]string{"bulk", "--quiet", "--dry-run", "--home", home}, flags...)
	c := exec.Command(program, append(args, filepath.Join(folder, "manifest.csv"))...)
	var out bytes.Buffer
	c.Stderr = &out
	if err := c.Run(); err != nil {
		return 0, fmt.Errorf("%s bulk --dry-run: %w: %s", program, err, out.String())
	}
	usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, fmt.Errorf("the system does not tell how long it took")
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9, nil
}

// named makes a manifest with a page for each person that says the person's name, and
// returns the folder. The drawing is on every page, below the text.
func named(dir, kind string, rows int, drawing string) (string, error) {
	return manifestFolder(dir, fmt.Sprintf("named-%s-%d", kind, rows), rows, func(i int) (row, file string, document []byte) {
		person := fmt.Sprintf("Person Number%d", i)
		file = fmt.Sprintf("c%d.pdf", i)
		content := drawing + "BT /F1 24 Tf 14 TL 100 700 Td (Certificate of Achievement) Tj T* T* (This is to certify that) Tj T* T* (" + person +
			") Tj T* T* (has passed all examinations of the spring term.) Tj ET"
		return fmt.Sprintf("Certificate of Achievement,%s,person%d@example.org,2026-06-01,%s", person, i, file), file, page(content, 3_000, uint64(i))
	})
}
