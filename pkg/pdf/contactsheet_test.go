package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// sheetOf puts documents on a contact sheet.
func sheetOf(t *testing.T, m Stamp, documents ...[]byte) ([]byte, *ContactSheet) {
	t.Helper()
	m.URL, m.Caption = testURL, testCaption
	s := NewContactSheet("Preview")
	for i, d := range documents {
		if err := s.Add(bytes.NewReader(d), int64(len(d)), m, fmt.Sprintf("row %d", i+1)); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), s
}

// TestContactSheet shows pages of all kinds with their codes, six to a sheet.
func TestContactSheet(t *testing.T) {
	covered := plainObjects().with(4, stream("", "BT /F1 24 Tf 72 760 Td (Certificate) Tj 400 -700 Td (Registrar) Tj ET"))
	hidden := plainObjects().with(1, "<</Type/Catalog/Pages 2 0 R/OCProperties<</OCGs[8 0 R]/D<</OFF[8 0 R]>>>>>>").with(8, "<</Type/OCG/Name(Draft)>>").
		with(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Rotate 90/Resources<</Font<</F1 5 0 R>>/Properties<</L 8 0 R>>>>/Contents 4 0 R>>").
		with(4, stream("", "/OC /L BDC BT /F1 24 Tf 72 760 Td (Draft) Tj ET EMC"))
	noted := plainObjects().with(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R/Annots[<</Subtype/Stamp/P 3 0 R/Rect[100 100 200 150]/AP<</N 9 0 R>>>>]>>").
		with(9, stream("/Subtype/Form/BBox[0 0 50 25]/Resources<</Font<</F1 5 0 R>>>>", "BT /F1 10 Tf 5 5 Td (Received) Tj ET"))
	plain := plainObjects()
	file, s := sheetOf(t, Stamp{}, plain.table(""), covered.table(""), plain.streamed(1, 2, 3, 5), hidden.table(""), noted.table(""), plain.table(""), []byte(jpegOf(t, scan(true))))
	if s.Len() != 7 {
		t.Fatalf("%d pages are on it", s.Len())
	}
	f, err := xref.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n := page.Count(f); f.Repaired || n != 2 {
		t.Errorf("repaired: %v, %d sheets", f.Repaired, n)
	}
	words := ReadText(bytes.NewReader(file), int64(len(file)), 2).Words
	for word, want := range map[string]int{"Certificate": 5, "Registrar": 1, "Received": 1, testCaption: 7, "Preview": 2, "row 7": 1} {
		if got := strings.Count(words, word); got != want {
			t.Errorf("%q is there %d times, want %d", word, got, want)
		}
	}
	if tool, err := exec.LookPath("pdftotext"); err == nil {
		name := filepath.Join(t.TempDir(), "sheet.pdf")
		if err := os.WriteFile(name, file, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(tool, name, "-").CombinedOutput()
		if err != nil || strings.Contains(string(out), "Draft") || strings.Count(string(out), "Certificate") != 5 || strings.Contains(string(out), "Error") {
			t.Errorf("poppler reads %v %s", err, out)
		}
	}
	// What the code covers is outlined in red, there alone.
	if n := bytes.Count(file, []byte("1 0 0 RG")); n != 2 {
		t.Errorf("%d codes are outlined", n)
	}
}

// TestContactSheetShares keeps what documents have in common once, and has a bound.
func TestContactSheetShares(t *testing.T) {
	picture := strings.Repeat("\xff", 3<<20)
	one := plainObjects().with(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</XObject<</I 6 0 R>>>>/Contents 4 0 R>>").
		with(4, stream("", "q 595 0 0 842 0 0 cm /I Do Q")).with(6, stream("/Subtype/Image/Width 1024/Height 1024/BitsPerComponent 8/ColorSpace/DeviceRGB", picture)).table("")
	if file, _ := sheetOf(t, Stamp{}, one, one, one, one); len(file) > 4<<20 {
		t.Errorf("the sheet has %d bytes", len(file))
	}
	s := NewContactSheet("Preview")
	var err error
	for i := 0; err == nil && i < 100; i++ {
		different := bytes.Replace(one, []byte("\xff\xff\xff"), fmt.Appendf(nil, "%03d", i), 1)
		err = s.Add(bytes.NewReader(different), int64(len(different)), Stamp{URL: testURL, Caption: testCaption}, "")
	}
	if !errors.Is(err, ErrSheetFull) || s.Len() < 20 {
		t.Errorf("with %d pages: %v", s.Len(), err)
	}
	if err := s.Add(bytes.NewReader(nil), 0, Stamp{}, ""); err == nil {
		t.Error("nothing was added")
	}
}
