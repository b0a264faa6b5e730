package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// element is a text or a ground of a picture.
type element struct{ name, attributes, text string }

// elements reads a picture as any XML reader would.
func elements(t *testing.T, svg []byte) []element {
	t.Helper()
	var all []element
	d := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		token, err := d.Token()
		switch token := token.(type) {
		case xml.StartElement:
			var attributes []string
			for _, a := range token.Attr {
				attributes = append(attributes, a.Name.Local+"="+a.Value)
			}
			all = append(all, element{token.Name.Local, strings.Join(attributes, " "), ""})
		case xml.CharData:
			if len(all) > 0 {
				all[len(all)-1].text += strings.TrimSpace(string(token))
			}
		}
		if errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestDraw(t *testing.T) {
	t.Parallel()
	svg := draw("plain  <&> two\n\x1b[1;31mred\x1b[0m \x1b[7mthere\x1b[27m\n\x1b[38;5;196;48;2;1;2;3mdeep  김서연\x1b[mend\n")
	for _, want := range []struct{ name, attribute, text string }{
		{"text", "x=14.0 ", "plain"}, {"text", "x=72.8 ", "<&> two"},
		{"text", "fill=" + basic[1] + " font-weight=bold", "red"},
		{"rect", "fill=" + text, ""}, {"text", "fill=" + paper, "there"},
		{"rect", "fill=#010203", ""}, {"text", "fill=#ff0000", "deep"},
		{"text", "textLength=50.4", "김서연"}, // six columns
		{"text", "x=114.8 ", "end"},        // behind them, in the terminal's own colours
	} {
		found := false
		for _, e := range elements(t, svg) {
			found = found || e.name == want.name && e.text == want.text && strings.Contains(e.attributes, want.attribute)
		}
		if !found {
			t.Errorf("there is no %s %q with %s in\n%s", want.name, want.text, want.attribute, svg)
		}
	}
}

func TestPalette(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{16: "#000000", 21: "#0000ff", 231: "#ffffff", 232: "#080808", 255: "#eeeeee"} {
		if got := palette(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

// The README's picture is one of the screen; scripts/picture makes it anew.
func TestTheReadmesPicture(t *testing.T) {
	t.Parallel()
	top := filepath.Join("..", "..")
	readme, err := os.ReadFile(filepath.Join(top, "README.md"))
	if err != nil || !strings.Contains(string(readme), "](docs/screen.svg)") {
		t.Fatalf("the README shows no docs/screen.svg: %v", err)
	}
	svg, err := os.ReadFile(filepath.Join(top, "docs", "screen.svg"))
	if err != nil {
		t.Fatal(err)
	}
	var words strings.Builder
	for _, e := range elements(t, svg) {
		words.WriteString(e.text + "|")
	}
	for _, want := range []string{"Certificates", "University of Example", "approved", "revoked", "VEC-IC-", "live"} {
		if !strings.Contains(words.String(), want) {
			t.Errorf("the picture does not say %q", want)
		}
	}
}

func FuzzDraw(f *testing.F) {
	f.Add("\x1b[38;5;1mx\x1b[38;5m\x1b[48;2;1my\x1b[999;-1;m\x00\xff")
	f.Fuzz(func(t *testing.T, captured string) { elements(t, draw(captured)) })
}
