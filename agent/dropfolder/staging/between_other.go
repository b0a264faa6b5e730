//go:build !unix

package staging

import (
	"errors"
	"os"
)

// renameBetween is not possible by handles here, so files are copied.
func renameBetween(*os.File, string, *os.File, string) error { return errors.ErrUnsupported }

// linkBetween is not possible by handles here, so files are copied.
func linkBetween(*os.File, string, *os.File, string) error { return errors.ErrUnsupported }

// syncFolder does nothing: folders cannot be flushed here.
func syncFolder(*os.File) error { return nil }
