package typeset

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/font/gofont/goregular"

	"github.com/vecctl/vecctl/pkg/pdf"
)

func parse(t testing.TB, file []byte) *Font {
	t.Helper()
	f, err := ParseFont("test", file)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// installed is a font of the system, or the test is skipped.
func installed(t *testing.T, path string) *Font {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("/usr/share/fonts/truetype", path))
	if err != nil {
		t.Skipf("%s is not installed", path)
	}
	return parse(t, file)
}

func style(fonts ...*Font) Style {
	return Style{Fonts: fonts, Size: 30, MinSize: 15, Leading: 1.2, Horizontal: Middle, Vertical: Middle}
}

var box = Box{X: 50, Y: 100, W: 300, H: 40}

func says(texts []pdf.Text) string {
	var b strings.Builder
	for _, t := range texts {
		b.WriteString(glyphText(t))
	}
	return b.String()
}

// glyphText is what a text's glyphs say, from left to right.
func glyphText(t pdf.Text) string {
	var b strings.Builder
	for _, g := range t.Glyphs {
		b.WriteString(g.Text)
	}
	return b.String()
}

func width(t pdf.Text) float64 {
	sum := 0.0
	for _, g := range t.Glyphs {
		sum += g.Advance * t.Size
	}
	return sum
}

func TestFit(t *testing.T) {
	f := parse(t, goregular.TTF)
	for name, tt := range map[string]struct {
		text  string
		size  float64 // 0: below the largest
		lines int
		bad   string
	}{
		"short":    {"Ada Lovelace", 30, 1, ""},
		"shrunk":   {"Maximiliane von Hohenberg-Altmann", 0, 1, ""},
		"wrapped":  {"Maximiliane Josephine von Hohenberg-Altmann zu Wolkenstein", 0, 2, ""},
		"two":      {"Ada\nLovelace", 0, 2, ""},
		"too long": {strings.Repeat("Maximiliane Josephine ", 9), 0, 0, "is too long for its place"},
		"one word": {strings.Repeat("x", 60), 0, 0, "is too long for its place"},
		"no glyph": {"नमस्ते", 0, 0, `has the character 'न' (U+0928), which none of its fonts holds`},
		"empty":    {"  ", 30, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var s Layouter
			texts, err := s.Layout(tt.text, style(f), box)
			if tt.bad != "" {
				if err == nil || !strings.Contains(err.Error(), tt.bad) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || len(texts) != tt.lines {
				t.Fatalf("%d lines, %v", len(texts), err)
			}
			for _, text := range texts {
				if tt.size != 0 && text.Size != tt.size || text.Size > 30 || text.Size < 15 {
					t.Errorf("set in %g points", text.Size)
				}
				w := width(text)
				if text.X < box.X-0.01 || text.X+w > box.X+box.W+0.01 || text.Y-0.7*text.Size < box.Y || text.Y+0.25*text.Size > box.Y+box.H {
					t.Errorf("it lies at %.1f, %.1f and is %.1f wide, beyond its box", text.X, text.Y, w)
				}
				if middle := text.X + w/2; middle < box.X+box.W/2-0.1 || middle > box.X+box.W/2+0.1 {
					t.Errorf("its middle is at %.1f", middle)
				}
			}
			if got, want := strings.Join(strings.Fields(says(texts)), ""), strings.Join(strings.Fields(tt.text), ""); got != want {
				t.Errorf("it says %q", got)
			}
		})
	}
}

// TestRunningText wraps before it shrinks.
func TestRunningText(t *testing.T) {
	st := style(parse(t, goregular.TTF))
	st.Size, st.MinSize, st.WrapFirst = 12, 6, true
	var s Layouter
	const text = "All examinations of the programme were passed, the last one in May."
	texts, err := s.Layout(text, st, box)
	if err != nil || len(texts) != 2 || texts[0].Size != 12 {
		t.Errorf("%d lines, %v", len(texts), err)
	}
	texts, err = s.Layout(text+" "+text+" "+text, st, box)
	if err != nil || len(texts) < 3 || texts[0].Size >= 12 {
		t.Errorf("%d lines, %v", len(texts), err)
	}
}

// TestScripts shapes what is not simply one glyph after the other.
func TestScripts(t *testing.T) {
	latin := parse(t, goregular.TTF)
	dejavu := installed(t, "dejavu/DejaVuSans.ttf")
	var s Layouter
	// The letters of an Arabic word join: they are other glyphs than alone.
	word, err := s.Layout("محمد", style(latin, dejavu), box)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := s.Layout("م ح م د", style(latin, dejavu), box)
	if err != nil {
		t.Fatal(err)
	}
	if len(word) != 1 || len(word[0].Glyphs) != 4 {
		t.Fatalf("%+v", word)
	}
	// From left to right the last letter comes first.
	if g := word[0].Glyphs[0]; g.Text != "د" || g.ID == alone[0].Glyphs[len(alone[0].Glyphs)-1].ID {
		t.Errorf("the first glyph is %+v", g)
	}
	if g := word[0].Glyphs[1]; g.ID == alone[0].Glyphs[2].ID {
		t.Error("a letter within the word stands as it stands alone")
	}
	// Two directions, two fonts: the name in Arabic stands left of the Latin one
	// when it comes after it in a text that is read from the right.
	mixed, err := s.Layout("محمد Ada", style(latin, dejavu), box)
	if err != nil {
		t.Fatal(err)
	}
	if len(mixed) != 2 || !strings.Contains(glyphText(mixed[0]), "Ada") || mixed[0].Font == mixed[1].Font || mixed[0].X >= mixed[1].X {
		t.Errorf("%+v", mixed)
	}
	// Marks stand over their letters and take no room.
	plain, err := s.Layout("x", style(dejavu), box)
	if err != nil {
		t.Fatal(err)
	}
	marked, err := s.Layout("x\u0301", style(dejavu), box)
	if err != nil {
		t.Fatal(err)
	}
	if len(marked[0].Glyphs) != 3 || width(marked[0]) > width(plain[0])+0.01 {
		t.Errorf("a mark takes room: %+v", marked[0].Glyphs)
	}
}

// TestMarksOfIndia shows that parts of a cluster change their order.
func TestMarksOfIndia(t *testing.T) {
	f := installed(t, "noto/NotoSansDevanagari-Regular.ttf")
	var s Layouter
	texts, err := s.Layout("कि", style(f), box) // the vowel is written in front
	if err != nil {
		t.Fatal(err)
	}
	alone, err := s.Layout("क", style(f), box)
	if err != nil {
		t.Fatal(err)
	}
	if g := texts[0].Glyphs; len(g) != 3 || g[1].ID != alone[0].Glyphs[0].ID || glyphText(texts[0]) != "कि" {
		t.Errorf("%+v", g)
	}
}

func FuzzSet(f *testing.F) {
	face := parse(f, goregular.TTF)
	for _, s := range []string{"Ada", "a b c d e f g", "م ح", "x\u0301\u200d\n\n", "\u202e\u2066abc", strings.Repeat("y ", 99)} {
		f.Add(s)
	}
	var s Layouter
	f.Fuzz(func(t *testing.T, text string) {
		texts, err := s.Layout(text, style(face), box)
		if err != nil {
			return
		}
		for _, x := range texts {
			if x.X < box.X-0.5 || x.X+width(x) > box.X+box.W+0.5 {
				t.Fatalf("%q lies at %.1f and is %.1f wide", text, x.X, width(x))
			}
		}
	})
}
