package bolt

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"

	"github.com/vecctl/vecctl/pkg/fault"
)

// The room that a signature keeps free is filled with the digit 0. In the store it takes no
// place: a tail with such padding is kept as packedTail, the padding's offset and length as
// varints, and the bytes around it. The signature before the padding is written in hexadecimal,
// which is kept as the bytes that it stands for: the tail is then a hexTail, with the offset and
// the length of those bytes and the length of the padding. Other tails are kept as they are; an
// update of a PDF begins with a line feed, never with one of these.
const (
	packedTail = 0x01
	hexTail    = 0x02
	paddingOf  = '0'
	minPadding = 64      // shorter padding is not worth the header
	minHex     = 64      // digits; fewer are not worth another form
	maxTail    = 1 << 30 // bytes; a longer one is damage
)

// packTail takes the longest run of padding out of a tail, and makes bytes of the hexadecimal
// digits before it.
func packTail(tail []byte) []byte {
	at, n := longestRun(tail, paddingOf)
	if n < minPadding {
		if len(tail) == 0 || tail[0] != packedTail && tail[0] != hexTail {
			return tail
		}
		at, n = 0, 0
	}
	from := at
	for from > 0 && isLowerHex(tail[from-1]) {
		from--
	}
	if from += (at - from) % 2; at-from >= minHex {
		return packHex(tail, from, at, n)
	}
	out := make([]byte, 0, len(tail)-n+1+2*binary.MaxVarintLen32)
	out = append(out, packedTail)
	out = binary.AppendUvarint(out, uint64(at))
	out = binary.AppendUvarint(out, uint64(n))
	out = append(out, tail[:at]...)
	return append(out, tail[at+n:]...)
}

// packHex packs a tail with hexadecimal digits from an offset to another, where n digits of
// padding begin.
func packHex(tail []byte, from, at, n int) []byte {
	size := (at - from) / 2
	out := make([]byte, 0, len(tail)-size-n+1+3*binary.MaxVarintLen32)
	out = append(out, hexTail)
	out = binary.AppendUvarint(out, uint64(from))
	out = binary.AppendUvarint(out, uint64(size))
	out = binary.AppendUvarint(out, uint64(n))
	out = append(out, tail[:from]...)
	out, err := hex.AppendDecode(out, tail[from:at])
	if err != nil { // they are digits
		return tail
	}
	return append(out, tail[at+n:]...)
}

func isLowerHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }

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
	if len(kept) == 0 || kept[0] != packedTail && kept[0] != hexTail {
		return bytes.Clone(kept), nil
	}
	rest := kept[1:]
	next := func() (n uint64) {
		n, size := binary.Uvarint(rest)
		if size <= 0 {
			rest = nil
			return maxTail + 1
		}
		rest = rest[size:]
		return n
	}
	from, size := next(), uint64(0)
	if kept[0] == hexTail {
		size = next()
	}
	n := next()
	if from > uint64(len(rest)) || size > uint64(len(rest))-from || n > maxTail {
		return nil, errTail()
	}
	out := make([]byte, 0, len(rest)+int(size)+int(n))
	out = append(out, rest[:from]...)
	out = hex.AppendEncode(out, rest[from:from+size])
	out = append(out, bytes.Repeat([]byte{paddingOf}, int(n))...)
	return append(out, rest[from+size:]...), nil
}

func errTail() error {
	return fault.New(fault.Damaged, "the update of a verified PDF is damaged in the store; restore the home from a backup")
}
