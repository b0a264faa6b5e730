//go:build !race

package pdf

// slowdown is how much longer things may take than on an idle machine.
const slowdown = 2
