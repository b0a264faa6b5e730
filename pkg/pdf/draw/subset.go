package draw

import (
	"encoding/binary"
	"slices"
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

// subset makes a font of some shapes, numbered as they stand in the list; glyph
// 0 must come first. It has the tables that a PDF needs, and no hints: those
// are for small screens, and larger than the outlines.
func (f *Font) subset(shapes []shape) []byte {
	s := subset{Font: f, number: make(map[uint16]uint16, len(shapes)+8)}
	for i, sh := range shapes {
		if !sh.joined {
			if _, ok := s.number[sh.parts[0].glyph]; !ok {
				s.number[sh.parts[0].glyph] = uint16(i)
			}
		}
	}
	s.shapes = slices.Clip(shapes)
	loca := make([]byte, 0, 4*len(shapes)+64)
	var glyf, hmtx []byte
	most := 0
	for i := 0; i < len(s.shapes); i++ { // it grows by components
		sh := s.shapes[i]
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(sh.advance))
		if sh.joined {
			var left int
			glyf, left = s.appendJoined(glyf, sh.parts)
			hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(left))
			most = max(most, len(sh.parts))
		} else {
			glyf = s.appendOutline(glyf, f.outline(sh.parts[0].glyph))
			hmtx = append(hmtx, f.bearing(sh.parts[0].glyph)...)
		}
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
	n := uint16(len(s.shapes))
	head, hhea, maxp := putUint16(f.head, 50, 1), putUint16(f.hhea, 34, n), putUint16(f.maxp, 4, n)
	copy(head[8:12], "\x00\x00\x00\x00") // a sum over a file that is no more
	for _, at := range []int{14, 16, 18, 20, 22, 24, 26} {
		copy(maxp[at:], "\x00\x00") // what instructions need
	}
	growMaximums(maxp, most)
	return buildFont([]fontTable{{"glyf", glyf}, {"head", head}, {"hhea", hhea}, {"hmtx", hmtx}, {"loca", loca}, {"maxp", maxp}})
}

// growMaximums makes room in table maxp for glyphs that are joined of so many.
func growMaximums(maxp []byte, parts int) {
	if parts == 0 {
		return
	}
	at := func(i int) int { return int(binary.BigEndian.Uint16(maxp[i:])) }
	set := func(i, n int) { binary.BigEndian.PutUint16(maxp[i:], uint16(min(n, 0xFFFF))) }
	set(10, parts*max(at(6), at(10))) // points
	set(12, parts*max(at(8), at(12))) // contours
	set(28, max(parts, at(28)))       // components, and how deep they lie
	set(30, at(30)+1)
}

func putUint16(b []byte, at int, n uint16) []byte {
	out := append([]byte(nil), b...)
	binary.BigEndian.PutUint16(out[at:], n)
	return out
}

type subset struct {
	*Font
	shapes []shape
	number map[uint16]uint16 // of the font's glyphs
}

func (s *subset) add(g uint16) uint16 {
	n, ok := s.number[g]
	if !ok && len(s.shapes) < maxSubset {
		n = uint16(len(s.shapes))
		s.number[g] = n
		s.shapes = append(s.shapes, s.plainShape(g))
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

// appendJoined appends a glyph made of others, and returns where it begins on its left.
func (s *subset) appendJoined(out []byte, parts []part) ([]byte, int) {
	if len(parts) == 0 {
		return out, 0
	}
	const argsAreXY = 0x0002
	start := len(out)
	out = append(out, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0)
	var box [4]int
	for i, p := range parts {
		o := s.outline(p.glyph)
		// A glyph stands where its metrics say, and a component where its points are.
		x := p.x + int16At(s.bearing(p.glyph)) - int16At(o[2:])
		for k := range box {
			edge := int16At(o[2+2*k:]) + [2]int{x, p.y}[k%2]
			switch {
			case i == 0:
				box[k] = edge
			case k < 2:
				box[k] = min(box[k], edge)
			default:
				box[k] = max(box[k], edge)
			}
		}
		flags := uint16(argsAreWords | argsAreXY)
		if i < len(parts)-1 {
			flags |= moreComponents
		}
		for _, n := range [4]uint16{flags, s.add(p.glyph), uint16(x), uint16(p.y)} {
			out = binary.BigEndian.AppendUint16(out, n)
		}
	}
	for k, edge := range box {
		binary.BigEndian.PutUint16(out[start+2+2*k:], uint16(edge))
	}
	return out, box[0]
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
