package signing

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
)

// What says nothing of a page does not fail its certificate: a failing disk, and a program that was
// ended from outside when the service was stopped.
func TestWhatSaysNothingOfThePage(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there are no signals")
	}
	ended := func(how string) error {
		err := exec.Command("/bin/sh", "-c", how).Run()
		return fault.Wrap(fault.Invalid, fmt.Errorf("pdftoppm: %w: ", err), "The stamped page cannot be drawn to read its code back.")
	}
	for name, test := range map[string]struct {
		err   error
		final bool
	}{
		"asked to end":           {ended("kill -TERM $$"), false},
		"interrupted":            {ended("kill -INT $$"), false},
		"over its limit of time": {ended("kill -XCPU $$"), true},
		"killed":                 {ended("kill -KILL $$"), true},
		"gave up":                {ended("exit 1"), true},
		"disk":                   {fmt.Errorf("scan a code back: %w", &fs.PathError{Op: "write", Path: "page.pdf", Err: syscall.EIO}), false},
		"full disk":              {fmt.Errorf("scan a code back: %w", &fs.PathError{Op: "write", Path: "page.pdf", Err: syscall.ENOSPC}), false},
		"another code":           {fault.New(fault.Invalid, "The code on the page says x and not y."), true},
	} {
		t.Run(name, func(t *testing.T) {
			got := judgeReadBack(test.err)
			if _, final := errors.AsType[unreadableCode](got); final != test.final || got == nil {
				t.Errorf("got %v", got)
			}
			if name == "full disk" && !fault.Is(got, fault.Full) {
				t.Errorf("the disk is full, and it says %v", got)
			}
		})
	}
}
