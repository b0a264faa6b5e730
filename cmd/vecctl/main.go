// Command vecctl issues certificates that anyone can check.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // small machines have no list of time zones

	"github.com/vecctl/vecctl/pkg/pdf"
)

// The garbage collector's targets, as GOGC has them. Half of the usual value keeps the
// memory of a large batch small and costs little time. A long-running process has little
// live memory, so a low value would collect after a few hundred calls and delay some.
const (
	gcPercent            = 50
	gcPercentLongRunning = 100
)

// setGCPercent sets the target, unless the environment sets one.
func setGCPercent(getenv func(string) string, room int) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(room)
	}
}

func main() {
	if pdf.InSandbox(os.Args) {
		os.Exit(pdf.ServeSandbox(os.Stdin, os.Stdout, os.Stderr))
	}
	setGCPercent(os.Getenv, gcPercent)
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		fmt.Fprintln(os.Stderr, "Stopping after the current work. Press Ctrl-C again to stop at once.")
		cancel()
		<-signals
		os.Exit(exitInterrupted)
	}()
	cage, err := pdf.NewSandbox(os.Args[0])
	if err != nil {
		printError(os.Stderr, err)
		os.Exit(exitFailed)
	}
	os.Exit(run(ctx, os.Args, environment{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, page: cage.Convert,
	}))
}
