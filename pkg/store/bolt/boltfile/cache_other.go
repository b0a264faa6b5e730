//go:build !linux

package boltfile

// dropCached exists on Linux alone.
func dropCached(string) {}
