package body

import (
	"bytes"
	"io"
)

// tailed remembers the end of what was read. The multipart reader takes a body
// that ends within a part's headers for one that ended well; whether it did is
// seen by the last boundary.
type tailed struct {
	io.Reader
	tail []byte
	any  bool
}

// tailLength is more than the multipart reader reads ahead.
const tailLength = 16 << 10

func (t *tailed) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	if n > 0 {
		t.any = true
		if n >= tailLength {
			t.tail = t.tail[:0]
		}
		t.tail = append(t.tail, p[max(0, n-tailLength):n]...)
		if len(t.tail) > 2*tailLength {
			t.tail = append(t.tail[:0], t.tail[len(t.tail)-tailLength:]...)
		}
	}
	return n, err
}

// ended tells whether the last boundary came, or nothing at all.
func (t *tailed) ended(boundary string) bool {
	return !t.any || bytes.Contains(t.tail, []byte("--"+boundary+"--"))
}
