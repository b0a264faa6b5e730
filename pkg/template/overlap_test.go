package template

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

const crowded = `name: X
language: en
page: {size: A4}
fonts: {r: go.ttf}
fields:
  - {text: "{full_name}", x: 10, y: 262, width: 190, height: 25, font: r, size: 40, align: right}
  - {text: "Registrar", x: 20, y: 200, width: 60, height: 10, font: r, size: 12}
  - {text: "{details?}", x: 20, y: 196, width: 100, height: 20, font: r, size: 12, valign: top}
qr: {at: bottom-right}
`

// TestOverlaps refuses texts that meet the code or each other, and no others.
func TestOverlaps(t *testing.T) {
	tpl := load(t, crowded)
	_, err := tpl.Render(map[string]string{"full_name": "Wolfgang Amadeus Moz"})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "full_name would meet the code") {
		t.Errorf("%v", err)
	}
	// The code goes elsewhere: the name may stand there.
	if _, err := tpl.RenderApart(map[string]string{"full_name": "Wolfgang Amadeus Moz"}); err != nil {
		t.Error(err)
	}
	if _, err := tpl.RenderApart(map[string]string{"full_name": "Ada", "details": "line\nline\nline"}); err == nil || !strings.Contains(err.Error(), `details would meet the text "Registrar"`) {
		t.Errorf("%v", err)
	}
	fits := tpl.Fits()
	if len(fits) != 2 || fits[0].Meets != "the code" || fits[0].Letters > 0 {
		t.Errorf("%+v", fits)
	}
	// A text that starts on the left has room up to the code.
	fits = load(t, strings.Replace(crowded, "align: right", "align: left", 1)).Fits()
	if fits[0].Meets != "the code" || fits[0].Letters < 8 || fits[0].Letters > 60 {
		t.Errorf("%+v", fits)
	}
}

// TestFrame refuses a text that meets the background's frame.
func TestFrame(t *testing.T) {
	dir := folder(strings.NewReplacer("page: {size: A4}", "background: bg.pdf", "x: 10, y: 262, width: 190", "x: 0, y: 100, width: 210", "at: bottom-right", "at: auto").Replace(crowded))
	dir["bg.pdf"] = &fstest.MapFile{Data: framed(t)}
	tpl, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tpl.Render(map[string]string{"full_name": "Ada"}); err == nil || !strings.Contains(err.Error(), "full_name would meet the frame") {
		t.Errorf("%v", err)
	}
	dir[File].Data = bytes.Replace(dir[File].Data, []byte("align: right"), []byte("align: center"), 1)
	if tpl, err = Load(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := tpl.Render(map[string]string{"full_name": "Ada"}); err != nil {
		t.Error(err)
	}
}

// framed is a page of A4 with a frame 10 mm from its edges.
func framed(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	const w, h, edge = 595.28, 841.89, 28.3
	frame := pdf.Shape{X: edge, Y: edge, W: w - 2*edge, H: h - 2*edge, Line: 4}
	if err := (pdf.Document{Width: w, Height: h, Title: "x", Language: "en", Pages: []pdf.Page{{Shapes: []pdf.Shape{frame}}}}).Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestBundledRoom proves that the templates that come along let nothing overlap.
func TestBundledRoom(t *testing.T) {
	for _, name := range BundledNames() {
		files, err := BundledFiles(name)
		if err != nil {
			t.Fatal(err)
		}
		dir := fstest.MapFS{}
		for file, b := range files {
			dir[file] = &fstest.MapFile{Data: b}
		}
		tpl, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if lost := tpl.Lost(); len(lost) > 0 {
			t.Errorf("%s: %v", name, lost)
		}
		for _, fit := range tpl.Fits() {
			if fit.Meets != "" || fit.Letters < 60 {
				t.Errorf("%s: %s", name, fit)
			}
		}
	}
}
