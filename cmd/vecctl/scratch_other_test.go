//go:build !linux

package main

import "testing"

// scratch is a folder for a test.
func scratch(t testing.TB) string { return t.TempDir() }
