package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Exit codes; "vecctl help exit-codes" prints exitCodesHelp.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitPartly      = 3
	exitDenied      = 4
	exitUnreachable = 10
	exitLocked      = 11
	exitInterrupted = 130
)

const exitCodesHelp = `Exit codes:
    0  done
    1  failed
    2  usage or invalid input; nothing was done
    3  done in part: some rows failed, lack their time stamp or level, or
       are not finished by a remote vault
    4  not authorised
   10  the agent or API cannot be reached
   11  another process holds the home
  130  interrupted; run the same command again to continue
`

// exitStatus is an exit code without an error message: the command has printed all.
type exitStatus int

func (o exitStatus) Error() string { return fmt.Sprintf("exit code %d", int(o)) }

// usageError returns an error about the command line.
func usageError(format string, args ...any) error {
	return fault.Newf(fault.Invalid, format, args...)
}

// exitCode maps an error to an exit code.
func exitCode(err error) int {
	if code, ok := errors.AsType[exitStatus](err); ok {
		return int(code)
	}
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	switch fault.KindOf(err) {
	case fault.Invalid:
		return exitUsage
	case fault.Unauthenticated, fault.Forbidden:
		return exitDenied
	case fault.Unavailable:
		return exitUnreachable
	case fault.Locked:
		return exitLocked
	case fault.Internal, fault.NotFound, fault.Conflict, fault.Illegal, fault.Full, fault.Damaged:
	}
	return exitFailed
}

// printError prints the message of an error that is meant for people, or else its whole text.
func printError(w io.Writer, err error) {
	if _, said := errors.AsType[exitStatus](err); said || err == nil {
		return
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(w, "vecctl: interrupted; run the same command again to continue")
		return
	}
	message, ok := fault.Message(err)
	if !ok {
		message = err.Error()
	}
	fmt.Fprintln(w, "vecctl: "+sanitize(message))
	for _, f := range fault.FieldsOf(err) {
		if f.Message != message {
			fmt.Fprintf(w, "  %s: %s\n", f.Name, sanitize(f.Message))
		}
	}
}
