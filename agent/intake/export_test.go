package intake

import "io"

// HasMark reads to the end and reports whether a vault's mark was found.
func HasMark(r io.Reader) bool {
	s := markScanner{Reader: r}
	_, _ = io.Copy(io.Discard, &s)
	return s.found
}
