// Command vecctl issues certificates that anyone can check.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // institutions have time zones, small machines no list of them

	"github.com/vecctl/vecctl/pkg/pdf"
)

// How much garbage there may be, in hundredths of what is in use. Rows and documents
// come and go, so half of what is usual keeps a large batch small and costs little
// time. What runs for long needs little itself: there, garbage of a few hundred calls
// would be collected at once, and some of them would wait for it.
const (
	gcPercent            = 50
	gcPercentLongRunning = 100
)

// setGCPercent sets it, unless whoever started the program did.
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
		fmt.Fprintln(os.Stderr, "Stopping; what is in hand is finished first. Once more to stop at once.")
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
