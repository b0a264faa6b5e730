package verify

import (
	"crypto"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"github.com/vecctl/vecctl/pkg/pdf/cms"
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// byteRange is what a signature covers: all bytes up to end but for the gap, in
// which the signature itself stands (ISO 32000-1, 12.8.1).
type byteRange struct {
	gap, behind int64 // where "<" stands, and what follows ">"
	end         int64
	contents    []byte
}

var (
	errRange    = &problem{BadRange, "the signature does not say which bytes it covers"}
	errGap      = &problem{BadRange, "the signature leaves out bytes that it must cover"}
	errContents = &problem{BadRange, "the signature itself is not where it must be, or is damaged"}
)

// readByteRange reads ByteRange and Contents and checks that nothing but the
// signature itself is left out.
func readByteRange(f *xref.File, sig xref.Value) (byteRange, error) {
	var n [4]int64
	i := 0
	for e := range f.Elems(f.Get(sig, "ByteRange")) {
		x, ok := e.Int()
		if !ok || i > 3 || x < 0 || x > f.Size() {
			return byteRange{}, errRange
		}
		n[i], i = x, i+1
	}
	s := byteRange{gap: n[1], behind: n[2], end: n[2] + n[3]}
	if i != 4 || s.gap > s.behind || s.end > f.Size() {
		return byteRange{}, errRange
	}
	// Offsets count from the header, and where junk stands before it, some
	// writers count from the file's start.
	contents := sig.Key("Contents")
	if n[0] != 0 || contents.Pos < 0 {
		return byteRange{}, errGap
	}
	if contents.Pos != s.gap || contents.Pos+int64(len(contents.Object)) != s.behind {
		return byteRange{}, errGap
	}
	if s.behind-s.gap > 2*cms.MaxEnvelope {
		return byteRange{}, errContents
	}
	var ok bool
	if s.contents, ok = hexadecimal(contents.Object); !ok {
		return byteRange{}, errContents
	}
	return s, nil
}

// hexadecimal decodes a string strictly, since no signature covers it: no white
// space, and letters of one case.
func hexadecimal(o object.Object) ([]byte, bool) {
	if len(o) < 4 || len(o)%2 != 0 || o[0] != '<' || o[len(o)-1] != '>' {
		return nil, false
	}
	var seen [8]uint32 // the set of the bytes, by which no byte takes a decision
	for _, c := range o[1 : len(o)-1] {
		seen[c>>5] |= 1 << (c & 31)
	}
	const digits, letters = 0x3FF << ('0' & 31), 0x3F << ('a' & 31)
	upper, lower := seen['A'>>5], seen['a'>>5]
	isHexadecimal := seen['0'>>5]&^digits == 0 && (upper|lower)&^letters == 0 && seen[0]|seen[4]|seen[5]|seen[6]|seen[7] == 0
	if !isHexadecimal {
		return nil, false
	}
	out := make([]byte, len(o)/2-1)
	_, err := hex.Decode(out, o[1:len(o)-1])
	return out, err == nil && (upper == 0 || lower == 0)
}

// digest hashes what the span covers. Where the hash is SHA-256 and whole is asked for, it
// is that of all bytes up to the end, gap and all, for which the part before the gap is not
// hashed again.
func (s byteRange) digest(r io.ReaderAt, h crypto.Hash, withWhole bool) (sum, whole []byte, err error) {
	before, behind := io.NewSectionReader(r, 0, s.gap), io.NewSectionReader(r, s.behind, s.end-s.behind)
	covered := h.New()
	buf := make([]byte, 32<<10) // for all of it
	if _, err := io.CopyBuffer(covered, before, buf); err != nil {
		return nil, nil, &readError{err}
	}
	if begun, ok := covered.(hash.Cloner); ok && withWhole && h == crypto.SHA256 {
		all, err := begun.Clone()
		if err != nil {
			return nil, nil, fmt.Errorf("continue a hash: %w", err)
		}
		if _, err := io.CopyBuffer(all, io.NewSectionReader(r, s.gap, s.end-s.gap), buf); err != nil {
			return nil, nil, &readError{err}
		}
		whole = all.Sum(nil)
	}
	if _, err := io.CopyBuffer(covered, behind, buf); err != nil {
		return nil, nil, &readError{err}
	}
	return covered.Sum(nil), whole, nil
}
