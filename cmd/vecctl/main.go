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

// headRoom is how much garbage there may be, in hundredths of what is in use. Rows and
// documents come and go, so half of what is usual keeps a large batch small and
// costs little time.
const headRoom = 50

func main() {
	if pdf.InCage(os.Args) {
		os.Exit(pdf.ServeCage(os.Stdin, os.Stdout, os.Stderr))
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(headRoom)
	}
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
	cage, err := pdf.NewCage(os.Args[0])
	if err != nil {
		complain(os.Stderr, err)
		os.Exit(exitFailed)
	}
	os.Exit(run(ctx, os.Args, world{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, page: cage.Convert,
	}))
}
