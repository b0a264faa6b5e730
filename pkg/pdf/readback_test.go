package pdf

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf/readback"
)

// covering draws a black box where the code comes to lie, above all content.
const covering = "<</Type/Annot/Subtype/Square/Rect[300 0 595 842]/AP<</N 7 0 R>>>>"

func TestScanBack(t *testing.T) {
	for name, original := range map[string][]byte{
		"plain":   plainObjects().table(""),
		"rotated": plainObjects().with(3, "<</Type/Page/Parent 2 0 R/MediaBox[-50 100 545 942]/Rotate 90/UserUnit 2/Contents 4 0 R>>").table(""),
		"under an annotation": plainObjects().with(6, covering).with(7, stream("/Subtype/Form/BBox[0 0 9 9]", "0 0 9 9 re f")).
			with(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Annots[6 0 R]>>").table(""),
		"rotated, under an annotation": plainObjects().with(6, covering).with(7, stream("/Subtype/Form/BBox[0 0 9 9]", "0 0 9 9 re f")).
			with(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Rotate 270/Contents 4 0 R/Annots[6 0 R]>>").table(""),
	} {
		t.Run(name, func(t *testing.T) {
			tail, err := NewStamper(testSigner()).Stamp(source(original), testMark())
			if err != nil {
				t.Fatal(err)
			}
			b := slices.Concat(original, tail.Bytes)
			place := readback.Place(tail.Place)
			if err := readback.CheckContent(bytes.NewReader(b), int64(len(b)), place, testURL); err != nil {
				t.Errorf("from the operators: %v", err)
			}
			other := strings.Replace(testURL, "7", "8", 1)
			if err := readback.CheckContent(bytes.NewReader(b), int64(len(b)), place, other); err == nil {
				t.Error("from the operators: another link is found as well")
			}
			if !readback.CanRender() {
				t.Skip("poppler and zbar are not installed")
			}
			if drawn, err := ReadBack(t.Context(), bytes.NewReader(b), int64(len(b)), tail.Place, testURL); err != nil || !drawn {
				t.Errorf("from the picture: %v", err)
			}
			if _, err := ReadBack(t.Context(), bytes.NewReader(b), int64(len(b)), tail.Place, other); err == nil ||
				!strings.Contains(err.Error(), "says") {
				t.Errorf("from the picture, another link: %v", err)
			}
			moved := tail.Place
			moved.X, moved.Y = 0.3, 0.3
			if _, err := ReadBack(t.Context(), bytes.NewReader(b), int64(len(b)), moved, testURL); err == nil ||
				!strings.Contains(err.Error(), "cannot be read") {
				t.Errorf("from another place: %v", err)
			}
		})
	}
}
