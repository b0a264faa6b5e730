package draw

import (
	"bytes"
	"testing"

	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
)

// TestClusters numbers glyphs by what they show and what they say.
func TestClusters(t *testing.T) {
	face := parsed(t)
	whole, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	var buf sfnt.Buffer
	id := func(c rune) uint16 {
		g, err := whole.GlyphIndex(&buf, c)
		if err != nil {
			t.Fatal(err)
		}
		return uint16(g)
	}
	e, acute := id('e'), id('´')
	f := newUsedFont(face)
	advance := func(g uint16) float64 { return advanceOf(f, g) }
	plain := f.use([]Glyph{{ID: e, Advance: advance(e), Text: "e"}})
	marked := f.use([]Glyph{{ID: e, Advance: advance(e), Text: "é"}, {ID: acute, DX: -0.5, DY: 0.1}})
	again := f.use([]Glyph{{ID: e, Advance: advance(e) - 0.02, Text: "e"}})
	joiner := f.use([]Glyph{{ID: e, Text: "\u200c"}})
	blank := f.use([]Glyph{{Blank: true, Text: "x"}})
	if plain.id != again.id || marked.id == plain.id || f.text[plain.id] != "e" || f.text[marked.id] != "é" {
		t.Errorf("numbers %d, %d and %d", plain.id, again.id, marked.id)
	}
	if f.width(joiner.id) != 0 || f.width(blank.id) != 0 || f.width(marked.id) != f.width(plain.id) {
		t.Error("a glyph without width has one in its subset")
	}
	if says := f.toUnicode(); !bytes.Contains(says, []byte("<0002><00E9>")) {
		t.Errorf("%s", says)
	}
	checkJoined(t, f, marked.id, e, acute)
}

// checkJoined compares a joined glyph's outlines with those of its parts.
func checkJoined(t *testing.T, f *usedFont, joined, e, acute uint16) {
	t.Helper()
	again, err := ParseFont(f.subset(f.shapes))
	if err != nil {
		t.Fatal(err)
	}
	o := again.outline(joined)
	if len(o) == 0 || int16At(o) != -1 {
		t.Fatalf("the joined glyph is %v", o)
	}
	base, mark := f.outline(e), f.outline(acute)
	left := min(int16At(base[2:]), int16At(mark[2:])+f.units(advanceOf(f, e)-0.5))
	if top := int16At(mark[8:]) + f.units(0.1); int16At(o[8:]) != top || int16At(o[2:]) != left {
		t.Errorf("it reaches from %d to %d, want %d and %d", int16At(o[2:]), int16At(o[8:]), left, top)
	}
}

func advanceOf(f *usedFont, g uint16) float64 {
	return float64(f.Advance(g)) / float64(f.UnitsPerEm)
}
