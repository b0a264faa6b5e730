package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf/readback"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

// TestAuto puts the code where the page is empty.
func TestAuto(t *testing.T) {
	const form = "/Resources<</Font<</F1 5 0 R>>/XObject<</I 6 0 R/X 7 0 R>>>>"
	page := func(content string) objects {
		return plainObjects().with(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"+form+">>").with(4, stream("", content)).
			with(6, stream("/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray", "x")).
			with(7, stream("/Subtype/Form/BBox[0 0 50 50]", "0 0 50 50 re f"))
	}
	for name, tt := range map[string]struct {
		content string
		want    Corner
	}{
		"nothing":                   {"", BottomRight},
		"text elsewhere":            {"BT /F1 24 Tf 72 760 Td (Certificate) Tj ET", BottomRight},
		"text there":                {"BT /F1 12 Tf 480 60 Td (Registrar) Tj ET", BottomLeft},
		"text that runs into it":    {"BT /F1 12 Tf 300 40 Td [(The registrar of the college )-200(signs here)] TJ ET", BottomLeft},
		"text by a matrix":          {"BT /F1 1 Tf 12 0 0 12 480 60 Tm (Registrar) Tj ET", BottomLeft},
		"a second line of text":     {"BT /F1 12 Tf 14 TL 480 114 Td (a) Tj T* T* T* (Registrar) ' ET 0 0 200 200 re f", TopRight},
		"a line":                    {"400 50 m 560 50 l S", BottomLeft},
		"an image":                  {"q 100 0 0 50 450 20 cm /I Do Q", BottomLeft},
		"a form":                    {"q 1 0 0 1 500 50 cm /X Do Q", BottomLeft},
		"an inline image":           {"q 60 0 0 60 500 30 cm BI /W 1 /H 1 /BPC 8 /CS /G ID x EI Q", BottomLeft},
		"a white ground":            {"1 g 0 0 595 842 re f 0 g BT /F1 24 Tf 72 760 Td (Certificate) Tj ET", BottomRight},
		"a tinted ground":           {".9 .9 .8 rg 0 0 595 842 re f", BottomRight},
		"a border":                  {"2 w 10 10 575 822 re S", BottomRight},
		"a border that crosses it":  {"2 w 40 40 515 762 re S", BottomRight}, // in every corner: none is empty
		"a frame of two rectangles": {"5 5 585 832 re 12 12 571 818 re f*", BottomRight},
		"both corners below":        {"0 0 200 200 re f 400 0 195 200 re f", TopRight},
		"three corners":             {"0 0 200 200 re f 400 0 195 200 re f 400 700 195 142 re f", TopLeft},
		"all four":                  {"0 0 200 200 re f 400 0 195 200 re f 400 700 195 142 re f 0 700 195 142 re f", BottomRight},
		"something clipped away":    {"q 0 0 50 842 re W n 0 0 595 50 re f Q", BottomRight},
		"something restored":        {"q 1 0 0 1 450 30 cm Q 0 0 60 60 re f", BottomRight},
		"a curve":                   {"400 30 m 480 200 520 20 560 80 c S", BottomLeft},
		"broken content":            {"(((( 400 <<", BottomRight},
		"an unbalanced content":     {"Q Q 480 40 60 60 re f q", BottomLeft},
	} {
		t.Run(name, func(t *testing.T) {
			original := page(tt.content).table("")
			m := testMark()
			m.Corner = Auto
			tail, err := NewStamper(testSigner()).Stamp(source(original), m)
			if err != nil {
				t.Fatal(err)
			}
			got := Corner(0)
			if tail.Place.X < 0.5 {
				got |= BottomLeft
			}
			if tail.Place.Y < 0.5 {
				got |= TopRight
			}
			if got != tt.want {
				t.Errorf("it is in corner %d, want %d", got, tt.want)
			}
		})
	}
}

// TestAutoTurned finds the empty corner as a reader sees the page.
func TestAutoTurned(t *testing.T) {
	// On a page that is turned by 90 degrees, its bottom left corner is seen at the top left.
	original := plainObjects().with(3, "<</Type/Page/Parent 2 0 R/MediaBox[100 100 695 942]/Rotate 90/Contents 4 0 R>>").
		with(4, stream("", "600 100 95 200 re f 600 800 95 142 re f 100 800 95 142 re f")).table("")
	m := testMark()
	m.Corner = Auto
	tail, err := NewStamper(testSigner()).Stamp(source(original), m)
	if err != nil {
		t.Fatal(err)
	}
	if tail.Place.X > 0.5 || tail.Place.Y > 0.5 {
		t.Errorf("it is at %.2f, %.2f", tail.Place.X, tail.Place.Y)
	}
}

func TestFreePlace(t *testing.T) {
	original := plainObjects().table("")
	m, err := ParsePlace(" 100, 50.5 ")
	if err != nil {
		t.Fatal(err)
	}
	m.URL, m.Caption, m.SignedAt, m.SizeMM = testURL, testCaption, testTime, 25
	tail, err := NewStamper(testSigner()).Stamp(source(original), m)
	if err != nil {
		t.Fatal(err)
	}
	w, h := 595/72.0*25.4, 842/72.0*25.4
	if p := tail.Place; math.Abs(p.X*w-100) > 0.01 || math.Abs(p.Y*h-50.5) > 0.01 || math.Abs(p.W*w-25) > 0.01 {
		t.Errorf("it is %.2f mm wide at %.2f, %.2f mm", p.W*w, p.X*w, p.Y*h)
	}
	whole := slices.Concat(original, tail.Bytes)
	if err := readback.CheckContent(bytes.NewReader(whole), int64(len(whole)), readback.Place(tail.Place), testURL); err != nil {
		t.Error(err)
	}
	for _, off := range [][2]float64{{0, 50}, {200, 50}, {50, 0}, {50, 280}, {1000, 1000}} {
		m.XMM, m.YMM = off[0], off[1]
		_, err := NewStamper(testSigner()).Stamp(source(original), m)
		if r, ok := errors.AsType[*Rejection](err); !ok || r.Reason != reject.BadPlace || !strings.Contains(r.Message, "does not lie on page 1") {
			t.Errorf("at %v: %v", off, err)
		}
	}
}

// TestTryMark says beforehand whether a code has room: on a page, and on the page
// that an image becomes.
func TestTryMark(t *testing.T) {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 600, 400))); err != nil {
		t.Fatal(err)
	}
	page := plainObjects().table("")
	for name, tt := range map[string]struct {
		file []byte
		m    Stamp
		want reject.Reason
	}{
		"a corner":                   {page, Stamp{Corner: TopLeft}, ""},
		"an empty corner":            {page, Stamp{Corner: Auto}, ""},
		"a place":                    {page, Stamp{Corner: Absolute, XMM: 100, YMM: 50}, ""},
		"a place off the page":       {page, Stamp{Corner: Absolute, XMM: 300, YMM: 50}, reject.BadPlace},
		"a size out of range":        {page, Stamp{SizeMM: 3}, reject.BadPlace},
		"a page that is not there":   {page, Stamp{Page: 2}, reject.NoSuchPage},
		"an image":                   {picture.Bytes(), Stamp{Corner: Absolute, XMM: 20, YMM: 20}, ""},
		"a place off the image":      {picture.Bytes(), Stamp{Corner: Absolute, XMM: 5000, YMM: 20}, reject.BadPlace},
		"an image has no second one": {picture.Bytes(), Stamp{Page: 2}, reject.NoSuchPage},
		"half an image":              {picture.Bytes()[:60], Stamp{}, reject.DamagedImage},
		"no document":                {[]byte("text"), Stamp{}, reject.NotPDF},
		"nothing":                    {nil, Stamp{}, reject.Empty},
	} {
		err := CheckStamp(bytes.NewReader(tt.file), int64(len(tt.file)), tt.m)
		var got reject.Reason
		if r, ok := errors.AsType[*Rejection](err); ok {
			got = r.Reason
		}
		if got != tt.want || tt.want == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParsePlace(t *testing.T) {
	for s, want := range map[string]string{
		"": "0 0 0", "bottom-right": "0 0 0", "Top-Left": "3 0 0", "auto": "4 0 0", "10,20": "5 10 20", "1.5, 2": "5 1.5 2",
	} {
		if m, err := ParsePlace(s); err != nil || fmt.Sprint(m.Corner, m.XMM, m.YMM) != want {
			t.Errorf("%q: %+v, %v", s, m, err)
		}
	}
	for _, s := range []string{"middle", "10", "10,", "-1,5", "a,b", "1e9,1", "NaN,1", "1,2,3"} {
		if _, err := ParsePlace(s); err == nil || !strings.Contains(err.Error(), "top-left") {
			t.Errorf("%q: %v", s, err)
		}
	}
}
