package draw

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Font is a TrueType font. It is safe for concurrent use.
type Font struct {
	Name       string // as PostScript knows it
	UnitsPerEm int
	Ascent     int // of the font, in units; Descent is below zero
	Descent    int
	CapHeight  int // 0: the font does not say
	Slant      float64
	Box        [4]int // around all glyphs

	glyphCount  int // glyphs
	metricCount int // of hmtx, with an advance
	longOffsets bool
	head        []byte
	hhea        []byte
	maxp        []byte
	hmtx        []byte
	loca        []byte
	glyf        []byte
}

// The ways in which a file is no font that can be used.
var (
	ErrNoFont    = errors.New("it is not a TrueType font")
	ErrOutlines  = errors.New("its outlines are not TrueType's: a font with PostScript outlines (.otf) must be converted to .ttf")
	ErrForbidden = errors.New("its licence forbids embedding it in documents")
)

const (
	restricted   = 0x0002 // fsType: must not be embedded
	bitmapsOnly  = 0x0200
	noSubsetting = 0x0100
)

// ParseFont reads a font file.
func ParseFont(file []byte) (*Font, error) {
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

func assemble(tables map[string][]byte) (*Font, error) {
	for name, least := range map[string]int{"head": 54, "hhea": 36, "maxp": 32, "hmtx": 4, "loca": 4, "glyf": 0} {
		if t, ok := tables[name]; !ok || len(t) < least {
			return nil, damaged(fmt.Sprintf("table %q", name))
		}
	}
	f := &Font{head: tables["head"][:54], hhea: tables["hhea"][:36], maxp: tables["maxp"][:32],
		hmtx: tables["hmtx"], loca: tables["loca"], glyf: tables["glyf"]}
	f.UnitsPerEm = int(binary.BigEndian.Uint16(f.head[18:]))
	f.longOffsets = binary.BigEndian.Uint16(f.head[50:]) != 0
	f.glyphCount = int(binary.BigEndian.Uint16(f.maxp[4:]))
	f.metricCount = int(binary.BigEndian.Uint16(f.hhea[34:]))
	f.Ascent, f.Descent = int16At(f.hhea[4:]), int16At(f.hhea[6:])
	for i := range f.Box {
		f.Box[i] = int16At(f.head[36+2*i:])
	}
	offset := 2
	if f.longOffsets {
		offset = 4
	}
	if f.UnitsPerEm < 16 || f.UnitsPerEm > 16384 || f.glyphCount == 0 || f.metricCount == 0 || f.metricCount > f.glyphCount ||
		len(f.hmtx) < 4*f.metricCount || len(f.loca) < offset*(f.glyphCount+1) {
		return nil, damaged("table of glyphs")
	}
	if post := tables["post"]; len(post) >= 8 {
		f.Slant = float64(int16At(post[4:])) + float64(binary.BigEndian.Uint16(post[6:]))/65536
	}
	if err := f.permissions(tables["OS/2"]); err != nil {
		return nil, err
	}
	f.Name = postScriptName(tables["name"])
	return f, nil
}

func (f *Font) permissions(os2 []byte) error {
	if len(os2) < 10 {
		return nil
	}
	if kind := binary.BigEndian.Uint16(os2[8:]); kind&0xF == restricted || kind&(bitmapsOnly|noSubsetting) != 0 {
		return ErrForbidden
	}
	if len(os2) >= 90 && binary.BigEndian.Uint16(os2) >= 2 {
		f.CapHeight = int16At(os2[88:])
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

func int16At(b []byte) int { return int(int16(binary.BigEndian.Uint16(b))) }

// Glyphs is how many glyphs the font has.
func (f *Font) Glyphs() int { return f.glyphCount }

// Advance is a glyph's width in units.
func (f *Font) Advance(glyph uint16) int {
	i := min(int(glyph), f.metricCount-1)
	return int(binary.BigEndian.Uint16(f.hmtx[4*i:]))
}

// bearing is the space on a glyph's left.
func (f *Font) bearing(glyph uint16) []byte {
	if int(glyph) < f.metricCount {
		return f.hmtx[4*int(glyph)+2:][:2]
	}
	if at := 4*f.metricCount + 2*(int(glyph)-f.metricCount); at+2 <= len(f.hmtx) {
		return f.hmtx[at:][:2]
	}
	return []byte{0, 0}
}

// outline is a glyph's description; empty where it shows nothing.
func (f *Font) outline(glyph uint16) []byte {
	if int(glyph) >= f.glyphCount {
		return nil
	}
	var from, to int64
	if f.longOffsets {
		from, to = int64(binary.BigEndian.Uint32(f.loca[4*int(glyph):])), int64(binary.BigEndian.Uint32(f.loca[4*int(glyph)+4:]))
	} else {
		from, to = 2*int64(binary.BigEndian.Uint16(f.loca[2*int(glyph):])), 2*int64(binary.BigEndian.Uint16(f.loca[2*int(glyph)+2:]))
	}
	if from+10 > to || to > int64(len(f.glyf)) {
		return nil
	}
	return f.glyf[from:to]
}
