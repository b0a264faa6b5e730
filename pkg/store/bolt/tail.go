package bolt

import (
	"bytes"
	"encoding/binary"

	"github.com/vecctl/vecctl/pkg/fault"
)

// The room that a signature keeps free is filled with the digit 0. In the store it takes no
// place: a tail with such padding is kept as packedTail, the padding's offset and length as
// varints, and the bytes around it. Other tails are kept as they are; an update of a PDF
// begins with a line feed, never with packedTail.
const (
	packedTail = 0x01
	paddingOf  = '0'
	minPadding = 64      // shorter padding is not worth the header
	maxTail    = 1 << 30 // bytes; a longer one is damage
)

// packTail takes the longest run of padding out of a tail.
func packTail(tail []byte) []byte {
	at, n := longestRun(tail, paddingOf)
	if n < minPadding {
		if len(tail) == 0 || tail[0] != packedTail {
			return tail
		}
		at, n = 0, 0
	}
	out := make([]byte, 0, len(tail)-n+1+2*binary.MaxVarintLen32)
	out = append(out, packedTail)
	out = binary.AppendUvarint(out, uint64(at))
	out = binary.AppendUvarint(out, uint64(n))
	out = append(out, tail[:at]...)
	return append(out, tail[at+n:]...)
}

// longestRun finds the longest run of a byte.
func longestRun(b []byte, c byte) (at, n int) {
	for i := bytes.IndexByte(b, c); i < len(b) && i >= 0; {
		end := i
		for end < len(b) && b[end] == c {
			end++
		}
		if end-i > n {
			at, n = i, end-i
		}
		next := bytes.IndexByte(b[end:], c)
		if next < 0 {
			break
		}
		i = end + next
	}
	return at, n
}

// unpackTail returns a copy of the tail as it was before packTail.
func unpackTail(kept []byte) ([]byte, error) {
	if len(kept) == 0 || kept[0] != packedTail {
		return bytes.Clone(kept), nil
	}
	rest := kept[1:]
	at, size := binary.Uvarint(rest)
	if size <= 0 {
		return nil, errTail()
	}
	rest = rest[size:]
	n, size := binary.Uvarint(rest)
	if size <= 0 {
		return nil, errTail()
	}
	rest = rest[size:]
	if at > uint64(len(rest)) || n > maxTail {
		return nil, errTail()
	}
	out := make([]byte, 0, len(rest)+int(n))
	out = append(out, rest[:at]...)
	out = append(out, bytes.Repeat([]byte{paddingOf}, int(n))...)
	return append(out, rest[at:]...), nil
}

func errTail() error {
	return fault.New(fault.Damaged, "the update of a verified PDF is damaged in the store; restore the home from a backup")
}
