package draw

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
)

func parsed(t testing.TB) *Font {
	t.Helper()
	f, err := ParseFont(goregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func plain(f *Font, glyphs ...uint16) []shape {
	var all []shape
	for _, g := range glyphs {
		all = append(all, f.plainShape(g))
	}
	return all
}

func TestParse(t *testing.T) {
	f := parsed(t)
	if f.Name != "GoRegular" || f.UnitsPerEm != 2048 || f.Ascent <= 0 || f.Descent >= 0 || f.CapHeight <= 0 || f.Glyphs() < 600 {
		t.Errorf("%+v", f.Name)
	}
}

// TestSubset compares the glyphs of a small font with those of the whole one.
func TestSubset(t *testing.T) {
	face := parsed(t)
	whole, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	var buf sfnt.Buffer
	glyphs := []uint16{0}
	for _, c := range "Aéöšﬁ Ł" {
		g, err := whole.GlyphIndex(&buf, c)
		if err != nil {
			t.Fatal(err)
		}
		glyphs = append(glyphs, uint16(g))
	}
	file := face.subset(plain(face, glyphs...))
	if len(file) > 6000 || !bytes.Equal(file, face.subset(plain(face, glyphs...))) {
		t.Errorf("%d bytes, or not the same each time", len(file))
	}
	again, err := ParseFont(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range glyphs {
		if again.Advance(uint16(i)) != face.Advance(g) || !bytes.Equal(again.bearing(uint16(i)), face.bearing(g)) {
			t.Errorf("glyph %d has other metrics", g)
		}
		if got, want := segments(t, again, uint16(i)), segments(t, face, g); !slices.Equal(got, want) {
			t.Errorf("glyph %d is drawn as %v, want %v", g, got, want)
		}
	}
}

// segments are the contours of a glyph, those of its components included.
func segments(t *testing.T, f *Font, g uint16) []byte {
	t.Helper()
	o := f.outline(g)
	if len(o) == 0 {
		return nil
	}
	if int16At(o) >= 0 {
		s := subset{Font: f, number: map[uint16]uint16{}}
		return bytes.TrimRight(s.appendOutline(nil, o), "\x00")
	}
	var all []byte
	for i := 10; ; {
		flags := binary.BigEndian.Uint16(o[i:])
		part := binary.BigEndian.Uint16(o[i+2:])
		size := 6 + 2*int(flags&argsAreWords)
		all = append(all, o[i+4:i+size]...)
		all = append(all, segments(t, f, part)...)
		if i += size; flags&moreComponents == 0 {
			return all
		}
	}
}

func TestNoFont(t *testing.T) {
	forbidding := slices.Clone(goregular.TTF)
	at := bytes.Index(forbidding[:400], []byte("OS/2"))
	os2 := binary.BigEndian.Uint32(forbidding[at+8:])
	binary.BigEndian.PutUint16(forbidding[os2+8:], restricted)
	for name, tt := range map[string]struct {
		file []byte
		want error
	}{
		"nothing": {nil, ErrNoFont}, "text": {[]byte("this is not a font at all"), ErrNoFont},
		"outlines of the other kind": {append([]byte("OTTO"), goregular.TTF[4:]...), ErrOutlines},
		"one that forbids":           {forbidding, ErrForbidden},
	} {
		if _, err := ParseFont(tt.file); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseFont(goregular.TTF[:5000]); err == nil {
		t.Error("half a font is taken")
	}
}

func FuzzSubset(f *testing.F) {
	f.Add(goregular.TTF[:2000], uint16(3))
	face := parsed(f)
	f.Add(face.subset(plain(face, 0, 36, 37, 120)), uint16(1))
	f.Fuzz(func(_ *testing.T, b []byte, g uint16) {
		face, err := ParseFont(b)
		if err == nil {
			face.subset(plain(face, 0, g, g+1, uint16(face.Glyphs())))
		}
	})
}
