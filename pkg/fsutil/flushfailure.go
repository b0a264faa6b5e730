package fsutil

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"

	"github.com/vecctl/vecctl/pkg/fault"
)

// flushError is an error of a flush itself. The system may forget what could not be flushed, and
// the next flush then reports success: trying again proves nothing.
type flushError struct{ cause error }

func (e flushError) Error() string { return "flush: " + e.cause.Error() }

func (e flushError) Unwrap() error { return e.cause }

// flushed marks an error of a flush. A full disk is none: what found no room was not taken.
func flushed(err error) error {
	if err == nil || errors.Is(err, syscall.ENOSPC) || isQuota(err) {
		return err
	}
	return flushError{err}
}

// IsFlushFailure reports whether a flush failed, so that nobody knows what lies on the disk.
func IsFlushFailure(err error) bool {
	_, ok := errors.AsType[flushError](err)
	return ok
}

// FlushFailure remembers that a file or folder could not be written durably. From then on its
// owner writes nothing more to it. The zero value has not failed.
type FlushFailure struct {
	mu     sync.Mutex
	err    error
	failed chan struct{}
}

// Set notes the first failure and returns it: what is the file or folder, in words, and path
// where it lies.
func (f *FlushFailure) Set(what, path string, cause error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return f.err
	}
	f.err = fault.Wrap(fault.Damaged, cause, fmt.Sprintf(
		"%s %s could not be written to its disk%s (%s); nothing more is written there, and what was under way may have been kept or not; "+
			"check the disk (dmesg, smartctl), then start it again: what lies on the disk is then read anew", what, path, diskName(path), rootCause(cause)))
	close(f.signal())
	return f.err
}

// Err is the failure; nil where there is none.
func (f *FlushFailure) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// Wait returns the failure as soon as there is one, and the error of ctx when that ends before.
func (f *FlushFailure) Wait(ctx context.Context) error {
	f.mu.Lock()
	failed := f.signal()
	f.mu.Unlock()
	select {
	case <-failed:
		return f.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *FlushFailure) signal() chan struct{} {
	if f.failed == nil {
		f.failed = make(chan struct{})
	}
	return f.failed
}

// rootCause is what the system said.
func rootCause(err error) string {
	if code, ok := errors.AsType[syscall.Errno](err); ok {
		return code.Error()
	}
	return err.Error()
}
