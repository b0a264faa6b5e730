//go:build !linux && !windows && !darwin

package home

import "errors"

// diskOf is not known on this system.
func diskOf(string) (Disk, error) { return Disk{}, errors.ErrUnsupported }
