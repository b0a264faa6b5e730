package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/vecctl/vecctl/pkg/client"
)

// progress shows the progress of a batch: as a bar on a terminal, else as a line from time
// to time.
type progress struct {
	out       io.Writer
	bar       bool
	stage     string
	begun     time.Time
	printedAt time.Time
	shown     int // the width of the bar
}

// progressInterval is the minimum time between two lines of one stage.
const progressInterval = 5 * time.Second

func newProgress(c *cli.Context, w environment) *progress {
	p := &progress{out: w.stderr, bar: isTerminal(w.stderr) && w.getenv("TERM") != "dumb"}
	if c.Bool("quiet") {
		p.out = io.Discard
	}
	return p
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// update shows the progress. It reads the time itself, because the time only changes what is
// shown.
func (p *progress) update(at client.Progress) {
	if at.Total == 0 {
		return
	}
	now := time.Now()
	if at.Stage != p.stage {
		p.clear()
		p.stage, p.begun, p.printedAt = at.Stage, now, now
	}
	switch {
	case p.bar:
		p.draw(at, now)
	case now.Sub(p.printedAt) >= progressInterval:
		p.printedAt = now
		fmt.Fprintf(p.out, "%s: %d of %d\n", at.Stage, at.Done, at.Total)
	}
}

func (p *progress) draw(at client.Progress, now time.Time) {
	const width = 30
	full := width * at.Done / at.Total
	line := fmt.Sprintf("%-9s [%s%s] %d of %d", at.Stage,
		strings.Repeat("#", full), strings.Repeat(".", width-full), at.Done, at.Total)
	if took := now.Sub(p.begun).Seconds(); took > 1 && at.Done > 0 {
		rate := float64(at.Done) / took
		line += fmt.Sprintf(", %.0f per second, %.0f s left", rate, float64(at.Total-at.Done)/rate)
	}
	pad := max(0, p.shown-len(line))
	p.shown = len(line)
	fmt.Fprint(p.out, "\r"+line+strings.Repeat(" ", pad))
}

// clear removes the bar.
func (p *progress) clear() {
	if p.shown > 0 {
		fmt.Fprint(p.out, "\r"+strings.Repeat(" ", p.shown)+"\r")
		p.shown = 0
	}
}
