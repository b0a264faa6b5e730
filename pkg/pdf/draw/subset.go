package draw

import (
	"encoding/binary"
)

// Flags of a component (OpenType, table glyf).
const (
	argsAreWords    = 0x0001
	hasScale        = 0x0008
	moreComponents  = 0x0020
	hasXYScale      = 0x0040
	hasMatrix       = 0x0080
	hasInstructions = 0x0100
)

const maxSubset = 4096 // glyphs, with those that others are made of

// Subset makes a font of some glyphs, numbered as they stand in the list; glyph
// 0 must come first. It has the tables that a PDF needs, and no hints: those
// are for small screens, and larger than the outlines.
func (f *Font) Subset(glyphs []uint16) []byte {
	s := subset{Font: f, number: make(map[uint16]uint16, len(glyphs)+8)}
	for _, g := range glyphs {
		s.add(g)
	}
	loca := make([]byte, 0, 4*len(glyphs)+64)
	var glyf, hmtx []byte
	for i := 0; i < len(s.glyphs); i++ { // it grows by components
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		glyf = s.appendOutline(glyf, f.outline(s.glyphs[i]))
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
	for _, g := range s.glyphs {
		hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(f.Advance(g)))
		hmtx = append(hmtx, f.bearing(g)...)
	}
	n := uint16(len(s.glyphs))
	head, hhea, maxp := putUint16(f.head, 50, 1), putUint16(f.hhea, 34, n), putUint16(f.maxp, 4, n)
	copy(head[8:12], "\x00\x00\x00\x00") // a sum over a file that is no more
	for _, at := range []int{14, 16, 18, 20, 22, 24, 26} {
		copy(maxp[at:], "\x00\x00") // what instructions need
	}
	return buildFont([]fontTable{{"glyf", glyf}, {"head", head}, {"hhea", hhea}, {"hmtx", hmtx}, {"loca", loca}, {"maxp", maxp}})
}

func putUint16(b []byte, at int, n uint16) []byte {
	out := append([]byte(nil), b...)
	binary.BigEndian.PutUint16(out[at:], n)
	return out
}

type subset struct {
	*Font
	glyphs []uint16
	number map[uint16]uint16
}

func (s *subset) add(g uint16) uint16 {
	n, ok := s.number[g]
	if !ok && len(s.glyphs) < maxSubset {
		n = uint16(len(s.glyphs))
		s.number[g] = n
		s.glyphs = append(s.glyphs, g)
	}
	return n
}

// appendOutline copies a glyph without its instructions. What is damaged shows
// nothing.
func (s *subset) appendOutline(out, g []byte) []byte {
	if len(g) == 0 {
		return out
	}
	contours := int16At(g)
	if contours < 0 {
		return s.appendComposite(out, g)
	}
	at := 10 + 2*contours
	if at+2 > len(g) {
		return out
	}
	behind := at + 2 + int(binary.BigEndian.Uint16(g[at:]))
	if behind > len(g) {
		return out
	}
	out = append(out, g[:at]...)
	out = append(out, 0, 0)
	return append(out, g[behind:]...)
}

func (s *subset) appendComposite(out, g []byte) []byte {
	start := len(out)
	out = append(out, g[:10]...)
	for i := 10; ; {
		if i+4 > len(g) {
			return out[:start]
		}
		flags := binary.BigEndian.Uint16(g[i:])
		size := 6
		if flags&argsAreWords != 0 {
			size += 2
		}
		switch {
		case flags&hasScale != 0:
			size += 2
		case flags&hasXYScale != 0:
			size += 4
		case flags&hasMatrix != 0:
			size += 8
		}
		if i+size > len(g) {
			return out[:start]
		}
		out = binary.BigEndian.AppendUint16(out, flags&^hasInstructions)
		out = binary.BigEndian.AppendUint16(out, s.add(binary.BigEndian.Uint16(g[i+2:])))
		out = append(out, g[i+4:i+size]...)
		if i += size; flags&moreComponents == 0 {
			return out
		}
	}
}

type fontTable struct {
	name string
	data []byte
}

// buildFont puts tables, in order of their names, into a font file.
func buildFont(tables []fontTable) []byte {
	n := len(tables)
	power, log := 1, 0
	for 2*power <= n {
		power, log = 2*power, log+1
	}
	out := []byte{0, 1, 0, 0}
	for _, x := range [4]int{n, 16 * power, log, 16 * (n - power)} {
		out = binary.BigEndian.AppendUint16(out, uint16(x))
	}
	at := 12 + 16*n
	for _, t := range tables {
		out = append(out, t.name...)
		for _, x := range [3]uint32{checksum(t.data), uint32(at), uint32(len(t.data))} {
			out = binary.BigEndian.AppendUint32(out, x)
		}
		at += (len(t.data) + 3) &^ 3
	}
	for _, t := range tables {
		out = append(out, t.data...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	return out
}

func checksum(b []byte) uint32 {
	var n uint32
	for i := range b {
		n += uint32(b[i]) << (24 - 8*(i%4))
	}
	return n
}
