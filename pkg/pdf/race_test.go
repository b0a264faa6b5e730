//go:build race

package pdf

// slowdown is how much longer things may take with the race detector.
const slowdown = 30
