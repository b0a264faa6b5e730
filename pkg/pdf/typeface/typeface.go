// Package typeface takes TrueType fonts apart, as far as embedding them in a
// PDF needs, and makes fonts of those glyphs alone that a document shows.
package typeface

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Face is a TrueType font. It is safe for concurrent use.
type Face struct {
	Name       string // as PostScript knows it
	UnitsPerEm int
	Ascent     int // of the font, in units; Descent is below zero
	Descent    int
	CapHeight  int // 0: the font does not say
	Slant      float64
	Box        [4]int // around all glyphs

	count   int // glyphs
	metrics int // of hmtx, with an advance
	long    bool
	head    []byte
	hhea    []byte
	maxp    []byte
	hmtx    []byte
	loca    []byte
	glyf    []byte
}

// The ways in which a file is no font that can be used.
var (
	ErrNoFont    = errors.New("it is not a TrueType font")
	ErrOutlines  = errors.New("its outlines are not TrueType's: a font with PostScript outlines (.otf) must be converted to .ttf")
	ErrForbidden = errors.New("it forbids to be embedded in documents")
)

const (
	restricted   = 0x0002 // fsType: must not be embedded
	bitmapsOnly  = 0x0200
	noSubsetting = 0x0100
)

// Parse reads a font file.
func Parse(file []byte) (*Face, error) {
	if len(file) < 12 {
		return nil, ErrNoFont
	}
	switch string(file[:4]) {
	case "\x00\x01\x00\x00", "true":
	case "OTTO":
		return nil, ErrOutlines
	case "ttcf":
		return nil, fmt.Errorf("it is a collection of fonts: give one font of it")
	default:
		return nil, ErrNoFont
	}
	tables := map[string][]byte{}
	for i := range int(binary.BigEndian.Uint16(file[4:])) {
		if 12+16*i+16 > len(file) {
			return nil, damaged("directory")
		}
		entry := file[12+16*i:]
		at, n := int64(binary.BigEndian.Uint32(entry[8:])), int64(binary.BigEndian.Uint32(entry[12:]))
		if at+n > int64(len(file)) {
			return nil, damaged(fmt.Sprintf("table %q", entry[:4]))
		}
		tables[string(entry[:4])] = file[at : at+n : at+n]
	}
	return assemble(tables)
}

func damaged(what string) error { return fmt.Errorf("it is damaged: its %s cannot be read", what) }

func assemble(tables map[string][]byte) (*Face, error) {
	for name, least := range map[string]int{"head": 54, "hhea": 36, "maxp": 32, "hmtx": 4, "loca": 4, "glyf": 0} {
		if t, ok := tables[name]; !ok || len(t) < least {
			return nil, damaged(fmt.Sprintf("table %q", name))
		}
	}
	f := &Face{head: tables["head"][:54], hhea: tables["hhea"][:36], maxp: tables["maxp"][:32],
		hmtx: tables["hmtx"], loca: tables["loca"], glyf: tables["glyf"]}
	f.UnitsPerEm = int(binary.BigEndian.Uint16(f.head[18:]))
	f.long = binary.BigEndian.Uint16(f.head[50:]) != 0
	f.count = int(binary.BigEndian.Uint16(f.maxp[4:]))
	f.metrics = int(binary.BigEndian.Uint16(f.hhea[34:]))
	f.Ascent, f.Descent = signed(f.hhea[4:]), signed(f.hhea[6:])
	for i := range f.Box {
		f.Box[i] = signed(f.head[36+2*i:])
	}
	offset := 2
	if f.long {
		offset = 4
	}
	if f.UnitsPerEm < 16 || f.UnitsPerEm > 16384 || f.count == 0 || f.metrics == 0 || f.metrics > f.count ||
		len(f.hmtx) < 4*f.metrics || len(f.loca) < offset*(f.count+1) {
		return nil, damaged("table of glyphs")
	}
	if post := tables["post"]; len(post) >= 8 {
		f.Slant = float64(signed(post[4:])) + float64(binary.BigEndian.Uint16(post[6:]))/65536
	}
	if err := f.permissions(tables["OS/2"]); err != nil {
		return nil, err
	}
	f.Name = postScriptName(tables["name"])
	return f, nil
}

func (f *Face) permissions(os2 []byte) error {
	if len(os2) < 10 {
		return nil
	}
	if kind := binary.BigEndian.Uint16(os2[8:]); kind&0xF == restricted || kind&(bitmapsOnly|noSubsetting) != 0 {
		return ErrForbidden
	}
	if len(os2) >= 90 && binary.BigEndian.Uint16(os2) >= 2 {
		f.CapHeight = signed(os2[88:])
	}
	return nil
}

// postScriptName is the font's name without what a PDF's name cannot have.
func postScriptName(table []byte) string {
	const plain = "Embedded"
	if len(table) < 6 {
		return plain
	}
	texts := int(binary.BigEndian.Uint16(table[4:]))
	for i := range int(binary.BigEndian.Uint16(table[2:])) {
		if 6+12*i+12 > len(table) {
			break
		}
		record := table[6+12*i:]
		at, n := texts+int(binary.BigEndian.Uint16(record[10:])), int(binary.BigEndian.Uint16(record[8:]))
		if binary.BigEndian.Uint16(record[6:]) != 6 || at+n > len(table) {
			continue
		}
		var name []byte
		for _, c := range table[at : at+n] {
			if c == '-' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
				name = append(name, c)
			}
		}
		if len(name) > 0 && len(name) < 64 {
			return string(name)
		}
	}
	return plain
}

func signed(b []byte) int { return int(int16(binary.BigEndian.Uint16(b))) }

// Glyphs is how many glyphs the font has.
func (f *Face) Glyphs() int { return f.count }

// Advance is a glyph's width in units.
func (f *Face) Advance(glyph uint16) int {
	i := min(int(glyph), f.metrics-1)
	return int(binary.BigEndian.Uint16(f.hmtx[4*i:]))
}

// bearing is the space on a glyph's left.
func (f *Face) bearing(glyph uint16) []byte {
	if int(glyph) < f.metrics {
		return f.hmtx[4*int(glyph)+2:][:2]
	}
	if at := 4*f.metrics + 2*(int(glyph)-f.metrics); at+2 <= len(f.hmtx) {
		return f.hmtx[at:][:2]
	}
	return []byte{0, 0}
}

// outline is a glyph's description; empty where it shows nothing.
func (f *Face) outline(glyph uint16) []byte {
	if int(glyph) >= f.count {
		return nil
	}
	var from, to int64
	if f.long {
		from, to = int64(binary.BigEndian.Uint32(f.loca[4*int(glyph):])), int64(binary.BigEndian.Uint32(f.loca[4*int(glyph)+4:]))
	} else {
		from, to = 2*int64(binary.BigEndian.Uint16(f.loca[2*int(glyph):])), 2*int64(binary.BigEndian.Uint16(f.loca[2*int(glyph)+2:]))
	}
	if from+10 > to || to > int64(len(f.glyf)) {
		return nil
	}
	return f.glyf[from:to]
}
