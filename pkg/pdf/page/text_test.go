package page_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// document makes a PDF of one page with a content, a font F1 and further objects from 6 on.
func document(content, font string, more ...string) []byte {
	objects := append([]string{
		"<</Type/Catalog/Pages 2 0 R>>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>/XObject<</X1 6 0 R>>>>/Contents 4 0 R>>",
		fmt.Sprintf("<</Length %d>>stream\n%s\nendstream", len(content), content),
		font,
	}, more...)
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	var at []int
	for i, o := range objects {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return b.Bytes()
}

func read(t *testing.T, file []byte) page.Text {
	t.Helper()
	f, err := xref.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return page.ReadText(f, 5)
}

func stream(dict, body string) string {
	return fmt.Sprintf("<<%s/Length %d>>stream\n%s\nendstream", dict, len(body), body)
}

func TestRead(t *testing.T) {
	const (
		helvetica = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
		winAnsi   = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
		toUnicode = "<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/ToUnicode 7 0 R/DescendantFonts[<</Subtype/CIDFontType2/DW 500/W[3[600 250] 10 12 700]>>]>>"
		cmap      = "1 begincodespacerange <0000> <FFFF> endcodespacerange 2 beginbfchar <0003> <0141> <0004> <FB01> endbfchar " +
			"2 beginbfrange <000A> <000C> <0061> <0014> <0015> [<0062> <00660069>] endbfrange"
	)
	for _, tt := range []struct {
		name, content, font string
		more                []string
		want                string
		unreadable          int
	}{
		{"plain", "BT /F1 12 Tf 72 760 Td (Ann Lee) Tj ET", helvetica, nil, "Ann Lee", 0},
		{"two lines", "BT /F1 12 Tf 72 760 Td (Ann) Tj 0 -20 Td (Lee) Tj ET", helvetica, nil, "Ann\nLee", 0},
		{"kerned", "BT /F1 12 Tf 72 760 Td [(A) 70 (nn) -300 (Le) 20 (e)] TJ ET", helvetica, nil, "Ann Lee", 0},
		{"glyph by glyph", "BT /F1 10 Tf 1 0 0 1 72 760 Tm (A) Tj 1 0 0 1 77 760 Tm (n) Tj 1 0 0 1 82 760 Tm (n) Tj 1 0 0 1 90 760 Tm (L) Tj ET", helvetica, nil, "Ann L", 0},
		{"turned", "BT /F1 10 Tf 0 1 -1 0 72 100 Tm (An) Tj 0 1 -1 0 72 110 Tm (n) Tj ET", helvetica, nil, "Ann", 0},
		{"quotes", "BT /F1 12 Tf 14 TL 72 760 Td (Ann) Tj (Lee) ' 1 2 (Os) \" ET", helvetica, nil, "Ann\nLee\nOs", 0},
		{"WinAnsi", "BT /F1 12 Tf 72 760 Td (J\\374rg) Tj ET", winAnsi, nil, "Jürg", 0},
		{"standard", "BT /F1 12 Tf 72 760 Td (\\350ucja \\256) Tj ET", helvetica, nil, "Łucja fi", 0},
		{"differences", "BT /F1 12 Tf 72 760 Td (\\001\\002\\003\\004\\005) Tj ET",
			"<</Type/Font/Subtype/Type1/BaseFont/X/Encoding<</Differences[1/Zacute/aogonek/uni0142/f_i/A.sc]>>>>", nil, "ŹąłfiA", 0},
		{"Cyrillic names", "BT /F1 12 Tf 72 760 Td (\\001\\002\\003) Tj ET", "<</Type/Font/Subtype/Type1/BaseFont/X/Encoding<</Differences[1/afii10017/afii10066/afii10097]>>>>", nil, "Абя", 0},
		{"ToUnicode", "BT /F1 12 Tf 72 760 Td <0003000A000B000C000400140015> Tj ET", toUnicode, []string{"null", stream("", cmap)}, "Łabc\uFB01bfi", 0},
		{"no map", "BT /F1 12 Tf 72 760 Td <00630064> Tj ET", strings.Replace(toUnicode, "/ToUnicode 7 0 R", "", 1), nil, "\x00\x00", 2},
		{"UTF-16 codes", "BT /F1 12 Tf 72 760 Td <738B5C0F660E> Tj ET", "<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/UniGB-UCS2-H/DescendantFonts[<<>>]>>", nil, "王小明", 0},
		{"GBK codes", "BT /F1 12 Tf 72 760 Td <CDF5D0A1C3F741> Tj ET", "<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/GBK-EUC-H/DescendantFonts[<<>>]>>", nil, "王小明A", 0},
		{"Shift-JIS codes", "BT /F1 12 Tf 72 760 Td <8E5293638A> Tj ET", "<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/90ms-RKSJ-H/DescendantFonts[<<>>]>>", nil, "山田\uFFFD", 0},
		{"a form", "/X1 Do", helvetica, []string{stream("/Subtype/Form/BBox[0 0 9 9]", "BT /F1 12 Tf (Ann) Tj ET")}, "Ann", 0},
		{"a form that draws itself", "/X1 Do", helvetica, []string{stream("/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X1 6 0 R>>/Font<</F1 5 0 R>>>>", "/X1 Do BT /F1 12 Tf (x) Tj ET")}, "x", 0},
		{"text given otherwise", "/Span <</ActualText <FEFF0995>>> BDC BT /F1 12 Tf (zz) Tj ET EMC BT /F1 12 Tf 0 -30 Td (Ann) Tj ET", helvetica, nil, "ক\nAnn", 0},
		{"an inline image", "BI /W 1 /H 1 ID (no text) EI BT /F1 12 Tf (Ann) Tj ET", helvetica, nil, "Ann", 0},
		{"no font", "BT (Ann) Tj ET", helvetica, nil, "", 0},
	} {
		got := read(t, document(tt.content, tt.font, tt.more...))
		words := strings.TrimSpace(got.Words)
		if tt.name == "a form that draws itself" {
			words = words[:min(len(words), 1)]
		}
		if words != tt.want || got.Unreadable != tt.unreadable {
			t.Errorf("%s: got %q, %d unreadable, want %q", tt.name, words, got.Unreadable, tt.want)
		}
	}
}

// What other programs write is read as its readers see it.
func TestRealDocuments(t *testing.T) {
	for name, want := range map[string][]string{
		"testdata/libreoffice.pdf":                                          {"Łucja Żółć-Kowalska", "王小明", "আনিকা রহমান", "अनिता शर्मा", "Наталія Ковальчук", "Şeyma Yıldız", "Nguyễn Thị Phương Thảo", "Steffi Graffl"},
		"../../../testdata/spring-2026/documents/ouyang-yutong.pdf":         {"欧阳雨桐"},
		"../../../testdata/spring-2026/documents/thao-nguyen.pdf":           {"Nguyễn Thị Phương Thảo"},
		"../../../testdata/spring-2026/documents/kovalchuk-transcript.pdf":  {"Наталія Ковальчук", "180 credits"},
		"../../../testdata/spring-2026/documents/ipek-yildiz.pdf":           {"İpek Yıldız"},
		"../../../testdata/spring-2026/documents/lefevre-archive.pdf":       {"Jean-Baptiste Lefèvre", "Mention très bien"},
		"../../../testdata/spring-2026/documents/delphine-marchetti.pdf":    {"Delphine Marchetti"},
		"../../../testdata/spring-2026/documents/fernandez-de-montalvo.pdf": {"Arrizabalaga de la Fuente"},
	} {
		data, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			t.Fatal(err)
		}
		got := read(t, data)
		for _, w := range want {
			if !strings.Contains(got.Words, w) || got.Unreadable > 0 {
				t.Errorf("%s: no %q in %q", name, w, got.Words)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("BT /F1 12 Tf [(Ann) -300 <41>] TJ ET", "1 beginbfrange <00> <FF> <0041> endbfrange", "<</Subtype/Type0/ToUnicode 7 0 R/DescendantFonts[<</W[1 2 3 4[5]]>>]>>")
	f.Add("/P BDC q Q Q /X1 Do EMC EMC", "begincodespacerange <00> <FFFF", "<</Encoding<</Differences[-1/a 300/b 1/uniD800/f_f_]>>/Widths[1 2]/FirstChar -7>>")
	f.Fuzz(func(t *testing.T, content, cmap, font string) {
		file := document(content, font, stream("/Subtype/Form", content), stream("", cmap))
		x, err := xref.Open(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		defer x.Close()
		page.ReadText(x, 2)
	})
}
