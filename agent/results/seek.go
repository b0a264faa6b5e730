package results

import (
	"errors"
	"fmt"
	"io"
)

// Read and Seek make a verified PDF one stream that can be entered anywhere: the
// document's bytes, then the tail.

// Read implements io.Reader.
func (v *Verified) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if v.at < v.length {
		n, err := v.document.ReadAt(p[:min(int64(len(p)), v.length-v.at)], v.at)
		v.at += int64(n)
		if n > 0 {
			return n, nil
		}
		if errors.Is(err, io.EOF) { // the file's own end, too early
			err = io.ErrUnexpectedEOF
		}
		return 0, fmt.Errorf("reading a stored document: %w", err)
	}
	rest := v.update[min(v.at-v.length, int64(len(v.update))):]
	if len(rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, rest)
	v.at += int64(n)
	return n, nil
}

// Seek implements io.Seeker.
func (v *Verified) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += v.at
	case io.SeekEnd:
		offset += v.length + int64(len(v.update))
	}
	if offset < 0 {
		return v.at, fmt.Errorf("seeking before a document's beginning (%d)", offset)
	}
	v.at = offset
	return offset, nil
}
