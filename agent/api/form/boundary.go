package form

import (
	"bytes"
	"io"
)

// tailReader remembers the end of what was read. The multipart reader takes a body
// that ends within a part's headers for one that ended well; whether it did is
// seen by the last boundary.
type tailReader struct {
	io.Reader
	tail    []byte
	started bool
}

// tailSize is more than the multipart reader reads ahead.
const tailSize = 16 << 10

func (t *tailReader) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	if n > 0 {
		t.started = true
		if n >= tailSize {
			t.tail = t.tail[:0]
		}
		t.tail = append(t.tail, p[max(0, n-tailSize):n]...)
		if len(t.tail) > 2*tailSize {
			t.tail = append(t.tail[:0], t.tail[len(t.tail)-tailSize:]...)
		}
	}
	return n, err
}

// complete reports whether the last boundary came, or nothing at all.
func (t *tailReader) complete(boundary string) bool {
	return !t.started || bytes.Contains(t.tail, []byte("--"+boundary+"--"))
}
