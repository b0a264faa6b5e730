package blob

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

// Digest says which content something is.
type Digest struct {
	SHA256    string // lower-case hexadecimal
	Size      int64
	HashState []byte // SHA-256's running state after the last byte
}

// Hasher reads contents. The zero value is ready; it keeps buffers for the next content.
type Hasher struct{ buffers sync.Pool }

const bufferSize = 128 << 10

// Sum reads r to its end and keeps nothing of it but its digest. Content of more than
// limit bytes is Invalid.
func (h *Hasher) Sum(r io.Reader, limit int64) (Digest, error) { return h.Copy(io.Discard, r, limit) }

// Copy is Sum, and writes the content to w.
func (h *Hasher) Copy(w io.Writer, r io.Reader, limit int64) (Digest, error) {
	buf, ok := h.buffers.Get().(*[]byte)
	if !ok {
		made := make([]byte, bufferSize)
		buf = &made
	}
	defer h.buffers.Put(buf)
	hash := sha256.New()
	var size int64
	for {
		n, err := fillUp(*buf, r)
		if n > 0 {
			if size += int64(n); size > limit {
				return Digest{}, fault.Newf(fault.Invalid, "the file is larger than %d MB", limit>>20)
			}
			hash.Write((*buf)[:n])
			if _, err := w.Write((*buf)[:n]); err != nil {
				return Digest{}, fsutil.DiskError(err, "storing a document")
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Digest{}, fmt.Errorf("reading a document: %w", err)
		}
	}
	state, err := hash.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return Digest{}, fmt.Errorf("keeping the hash state: %w", err)
	}
	return Digest{SHA256: hex.EncodeToString(hash.Sum(nil)), Size: size, HashState: state}, nil
}

// fillUp reads until a buffer is full, so that what comes in small pieces is
// written in large ones. Its error is the reader's.
func fillUp(buf []byte, r io.Reader) (n int, err error) {
	for n < len(buf) && err == nil {
		var more int
		more, err = r.Read(buf[n:])
		n += more
	}
	return n, err
}
