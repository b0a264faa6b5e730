package pdf

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf/stamp"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// coverageOf looks at the place of a code as long as those of the tests.
func coverageOf(t *testing.T, file []byte, m Stamp) Coverage {
	t.Helper()
	m.URL, m.Caption = testURL, testCaption
	_, c, err := InspectAt(bytes.NewReader(file), int64(len(file)), m, true)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// scan is a grey picture with a dark stroke at its bottom right, and a little grain.
func scan(stroke bool) *image.Gray {
	m := image.NewGray(image.Rect(0, 0, 600, 850))
	for i := range m.Pix {
		m.Pix[i] = uint8(225 + i*7%13)
	}
	if stroke {
		for x := 480; x < 570; x++ {
			for y := range 4 {
				m.SetGray(x, 790-x%20+y, color.Gray{Y: 40})
			}
		}
	}
	return m
}

func jpegOf(t *testing.T, m image.Image) string {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestCoverage finds out what a code in the bottom right corner would cover, as a reader
// sees the page.
func TestCoverage(t *testing.T) {
	const there = "480 60 Td (Registrar) Tj ET"
	const wholePage = "q 595 0 0 842 0 0 cm /I Do Q"
	picture := func(dict, data string) objects {
		return objects{6: stream("/Subtype/Image/BitsPerComponent 8/ColorSpace/DeviceGray"+dict, data)}
	}
	page := func(content string, more objects) objects {
		o := plainObjects().with(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>/XObject<</I 6 0 R>>"+
			"/ExtGState<</Gone<</ca 0>>/Mul<</BM/Multiply>>>>/Properties<</L 8 0 R>>/Pattern<</P 9 0 R>>>>>>").with(4, stream("", content))
		for n, text := range more {
			o = o.with(n, text)
		}
		return o
	}
	for name, tt := range map[string]struct {
		content string
		more    objects
		want    string
		frame   bool
	}{
		"nothing":                  {"", nil, "", false},
		"text":                     {"BT /F1 12 Tf " + there, nil, "text", false},
		"text of no size":          {"BT /F1 0 Tf " + there, nil, "", false},
		"white text":               {"1 g BT /F1 12 Tf " + there, nil, "", false},
		"white text on a band":     {"0 0 .4 rg 0 0 595 150 re f 1 g BT /F1 12 Tf " + there, nil, "text", false},
		"a band":                   {"0 0 .4 rg 0 0 595 150 re f", nil, "", false},
		"a patch":                  {"0 0 .4 rg 430 10 160 160 re f", nil, "a drawing", false},
		"text behind a picture":    {"BT 3 Tr /F1 12 Tf " + there, nil, "", false},
		"text under white":         {"BT /F1 12 Tf " + there + " 1 g 400 0 195 200 re f", nil, "", false},
		"text that is see-through": {"/Gone gs BT /F1 12 Tf " + there, nil, "", false},
		"text beside it":           {"BT /F1 12 Tf 300 60 Td (Registrar of the college) Tj ET", nil, "", false},
		"text above it":            {"BT /F1 12 Tf 480 130 Td (Registrar) Tj ET", nil, "", false},
		"a signature":              {"1 w 470 40 m 500 90 520 20 560 70 c S", nil, "a drawing", false},
		"a hair":                   {"0 w 470 40 m 560 41 l S", nil, "a drawing", false},
		"a thin bar":               {"470 40 90 .1 re f", nil, "a drawing", false},
		"a curve around it":        {"400 10 m 400 400 700 400 700 10 c S", nil, "", false},
		"a hole in a shape":        {"0 0 595 400 re 430 10 160 170 re f*", nil, "", false},
		"a frame":                  {"2 w 40 40 515 762 re S", nil, "", true},
		"a double frame":           {"2 w 30 30 535 782 re S .5 w 36 36 523 770 re S", nil, "", true},
		"a frame with text":        {"2 w 40 40 515 762 re S BT /F1 12 Tf " + there, nil, "text", true},
		"a gradient":               {"/Pattern cs /P scn 0 0 595 842 re f", objects{9: "<</PatternType 2/Shading<</ShadingType 2/ColorSpace/DeviceGray/Coords[0 0 0 842]/Function<</FunctionType 2/Domain[0 1]/C0[1]/C1[.4]/N 1>>>>>>"}, "", false},
		"a layer that is off":      {"/OC /L BDC BT /F1 12 Tf " + there + " EMC", objects{1: "<</Type/Catalog/Pages 2 0 R/OCProperties<</OCGs[8 0 R]/D<</OFF[8 0 R]>>>>>>", 8: "<</Type/OCG/Name(Draft)>>"}, "", false},
		"a layer that is on":       {"/OC /L BDC BT /F1 12 Tf " + there + " EMC", objects{1: "<</Type/Catalog/Pages 2 0 R/OCProperties<</OCGs[8 0 R]/D<<>>>>>>", 8: "<</Type/OCG/Name(Draft)>>"}, "text", false},
		"a scan of empty paper":    {wholePage, picture("/Width 600/Height 850", string(scan(false).Pix)), "", false},
		"a scan with writing":      {wholePage, picture("/Width 600/Height 850", string(scan(true).Pix)), "an image", false},
		"a JPEG of it":             {wholePage, picture("/Width 600/Height 850/Filter/DCTDecode", jpegOf(t, scan(true))), "an image", false},
		"a scan under white":       {wholePage + " 1 g 430 10 160 160 re f", picture("/Width 600/Height 850", string(scan(true).Pix)), "", false},
		"a logo":                   {"q 60 0 0 60 500 30 cm /I Do Q", picture("/Width 2/Height 1", "\x00\xff"), "an image", false},
		"a logo that is clear":     {"q 60 0 0 60 500 30 cm /I Do Q", picture("/Width 2/Height 1/SMask 7 0 R", "\x00\xff").with(7, stream("/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray", "\x00")), "", false},
		"a stencil":                {"q 60 0 0 60 500 30 cm /I Do Q", objects{6: stream("/Subtype/Image/ImageMask true/Width 8/Height 1/BitsPerComponent 1", "\xf0")}, "an image", false},
		"an inline image":          {"q 60 0 0 60 500 30 cm BI /W 2 /H 1 /BPC 8 /CS /G ID \x00\xff EI Q", nil, "an image", false},
		"an unknown image":         {wholePage, picture("/Width 600/Height 850/Filter/JPXDecode", "?"), UnseenContent, false},
		"a note": {"", objects{3: "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Annots[<</Subtype/FreeText/Rect[480 40 560 80]>>]>>"},
			"a form field or a note", false},
		"a note that is hidden": {"", objects{3: "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Annots[<</Subtype/FreeText/F 2/Rect[480 40 560 80]>>]>>"}, "", false},
		"a cropped page": {"BT /F1 12 Tf 280 40 Td (Registrar) Tj ET",
			objects{3: "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/CropBox[0 0 350 500]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>"}, "text", false},
	} {
		t.Run(name, func(t *testing.T) {
			c := coverageOf(t, page(tt.content, tt.more).table(""), Stamp{})
			if c.Describe() != tt.want || c.Frame != tt.frame || c.Covers() != (tt.want != "") {
				t.Errorf("it covers %q, a frame: %v; want %q, %v", c.Describe(), c.Frame, tt.want, tt.frame)
			}
		})
	}
}

// TestFreeInstead names the places that are free.
func TestFreeInstead(t *testing.T) {
	page := func(content string) []byte {
		return plainObjects().with(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>").with(4, stream("", content)).table("")
	}
	for content, want := range map[string]string{
		"BT /F1 12 Tf 480 60 Td (Registrar) Tj ET":                                                                   "bottom-left top-right top-left",
		"BT /F1 12 Tf 480 60 Td (Registrar) Tj ET 0 0 200 200 re f 0 700 195 142 re f":                               "top-right",
		"2 w 40 40 515 762 re S BT /F1 9 Tf 490 20 Td (Form 12) Tj ET":                                               "168,251",
		"BT /F1 10 Tf 12 TL 0 830 Td " + strings.Repeat("("+strings.Repeat("wide words ", 20)+") Tj T* ", 70) + "ET": "",
	} {
		c := coverageOf(t, page(content), Stamp{})
		if got := strings.Join(c.Instead(), " "); got != want {
			t.Errorf("%s: free are %q, want %q", content, got, want)
		}
	}
	// On a page that is turned, corners are as a reader sees them.
	turned := plainObjects().with(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Rotate 90/Contents 4 0 R>>").with(4, stream("", "500 20 60 60 re f")).table("")
	if c := coverageOf(t, turned, Stamp{Corner: BottomLeft}); c.Describe() != "a drawing" || !slices.Equal(c.Corners, []string{"bottom-right", "top-right", "top-left"}) {
		t.Errorf("turned: %q, %v", c.Describe(), c.Corners)
	}
}

// TestCoverageOfImages looks at documents that are images.
func TestCoverageOfImages(t *testing.T) {
	var clear bytes.Buffer
	if err := png.Encode(&clear, scan(false)); err != nil {
		t.Fatal(err)
	}
	if c := coverageOf(t, clear.Bytes(), Stamp{}); c.Covers() || len(c.Corners) != 4 {
		t.Errorf("empty paper: %q, %v", c.Describe(), c.Corners)
	}
	if c := coverageOf(t, []byte(jpegOf(t, scan(true))), Stamp{}); c.Describe() != "an image" || len(c.Corners) != 3 {
		t.Errorf("writing: %q, %v", c.Describe(), c.Corners)
	}
}

// TestSharedCover is the case of a registrar's name where the code usually goes.
func TestSharedCover(t *testing.T) {
	body, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "cases", "manifests", "qr-covers", "sig.pdf"))
	if os.IsNotExist(err) {
		t.Skip("the cases are not at hand")
	}
	if err != nil {
		t.Fatal(err)
	}
	c := coverageOf(t, body, Stamp{})
	if c.Describe() != "text" || !slices.Equal(c.Corners, []string{"bottom-left", "top-right", "top-left"}) {
		t.Errorf("it covers %q, free are %v", c.Describe(), c.Corners)
	}
	if c := coverageOf(t, body, Stamp{Corner: Auto}); c.Covers() {
		t.Errorf("auto covers %q", c.Describe())
	}
}

// TestCoverageAgreesWithPoppler compares what is found out here with what poppler draws, on
// real documents. What is called free must be free there.
func TestCoverageAgreesWithPoppler(t *testing.T) {
	tool, err := exec.LookPath("pdftoppm")
	if err != nil {
		t.Skip("pdftoppm is not installed")
	}
	files, err := filepath.Glob("../../testdata/spring-2026/documents/*.pdf")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d documents, %v", len(files), err)
	}
	if os.Getenv("VECCTL_LONG") == "" {
		files = files[:6]
	}
	agreed, places := 0, 0
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		drawn, err := exec.Command(tool, "-png", "-r", "72", "-l", "1", "-cropbox", "-singlefile", file).Output()
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(bytes.NewReader(drawn))
		if err != nil {
			t.Fatal(err)
		}
		f, err := xref.Open(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		s, err := analyze(f, 1, true)
		if err != nil {
			t.Fatal(err)
		}
		g := &ground{analysis: s, r: bytes.NewReader(body), size: int64(len(body))}
		for corner := BottomRight; corner <= TopLeft; corner++ {
			mark := Stamp{URL: testURL, Caption: testCaption, Corner: corner, SizeMM: DefaultSizeMM, MarginMM: DefaultMarginMM}
			code, err := sampleCode(mark.URL)
			if err != nil {
				t.Fatal(err)
			}
			l, err := stamp.NewLayout(s.page, code, mark.spec())
			if err != nil {
				t.Fatal(err)
			}
			free := g.shows(l.Rect(s.page)).Free()
			if places++; free == plain(m, l) {
				agreed++
			} else if free {
				t.Errorf("%s: corner %d is called free, and poppler draws something there", file, corner)
			}
		}
		f.Close()
	}
	if agreed*20 < places*19 {
		t.Errorf("poppler agrees about %d of %d places", agreed, places)
	}
}

// plain reports whether a picture of a page has one shade where a layout is.
func plain(m image.Image, l stamp.Layout) bool {
	w, h := float64(m.Bounds().Dx()), float64(m.Bounds().Dy())
	var shades [256]int
	total := 0
	for y := int((1-(l.Y+l.H)/l.PageH)*h) + 1; y < int((1-l.Y/l.PageH)*h)-1; y++ {
		for x := int(l.X/l.PageW*w) + 1; x < int((l.X+l.W)/l.PageW*w)-1; x++ {
			r, g, b, _ := m.At(x, y).RGBA()
			shades[(77*(r>>8)+141*(g>>8)+38*(b>>8))>>8]++
			total++
		}
	}
	middle, n := 0, 0
	for middle = range shades {
		if n += shades[middle]; 2*n >= total {
			break
		}
	}
	for shade, count := range shades {
		if count > 0 && (shade < middle-40 || shade > middle+40) {
			return false
		}
	}
	return true
}

// FuzzCoverage looks at pages with any content, and puts them on a contact sheet.
func FuzzCoverage(f *testing.F) {
	for _, seed := range []string{
		"", "BT /F1 12 Tf 480 60 Td (Registrar) Tj ET", "1e38 0 0 1e38 1e38 0 cm 0 0 1e38 1e38 re B", "/Pattern cs /P scn 0 0 9 9 re f* /Gone gs /L sh",
		"q 60 0 0 60 500 30 cm BI /W 2 /H 1 /BPC 16 /CS [/Indexed /RGB 1 <00ff00>] /D [1 0] ID \x00\xff EI Q", "/OC /L BDC /I Do EMC", "0 0 m 1 1 2 2 3 3 c h W* n 1 0 0 RG 9 w S",
		"BT 1 Tr 200 Tz 3 Ts /F1 1e9 Tf 1 0 0 0 0 0 Tm [(a b) -1e9 <41>] TJ (x) ' 1 2 (y) \" ET", "0 0 0 0 0 0 cm /I Do 0 0 1 1 re f",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		if strings.Contains(content, "endstream") {
			return
		}
		file := plainObjects().with(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>/XObject<</I 6 0 R/X 7 0 R>>"+
			"/ExtGState<</Gone<</ca 0.5/BM/Multiply>>>>/Properties<</L 8 0 R>>/Pattern<</P 9 0 R>>>>>>").with(4, stream("", content)).
			with(6, stream("/Subtype/Image/Width 2/Height 2/BitsPerComponent 8/ColorSpace/DeviceGray", "\x00\x80\xff\x00")).
			with(7, stream("/Subtype/Form/BBox[0 0 99 99]/Matrix[1 2 3 4 5 6]", "0 0 99 99 re f")).table("")
		m := Stamp{URL: testURL, Caption: testCaption}
		if _, _, err := InspectAt(bytes.NewReader(file), int64(len(file)), m, true); err != nil {
			return
		}
		s := NewContactSheet("Preview")
		if err := s.Add(bytes.NewReader(file), int64(len(file)), m, ""); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkCoverage(b *testing.B) {
	for _, name := range []string{"gideon-asante-transcript.pdf", "arash-nikpour.pdf", "figueira_scan.pdf"} {
		body, err := os.ReadFile("../../testdata/spring-2026/documents/" + name)
		if err != nil {
			b.Fatal(err)
		}
		for _, cover := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/%v", name, cover), func(b *testing.B) {
				for b.Loop() {
					if _, _, err := InspectAt(bytes.NewReader(body), int64(len(body)), Stamp{URL: testURL, Caption: testCaption}, cover); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
