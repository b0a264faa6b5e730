package pdf

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf/readback"
)

// hybrid is a document whose table hides an object that only a
// cross-reference stream knows (ISO 32000-1, 7.5.8.4).
func hybrid() []byte {
	o := plainObjects()
	b, at := o.body("1.5")
	streamAt := b.Len()
	row := func(off int) string { return string([]byte{1, byte(off >> 8), byte(off), 0}) }
	fmt.Fprintf(b, "6 0 obj\n%s\nendobj\n", stream("/Type/XRef/Size 7/W[1 2 1]/Index[3 1]", row(at[3])))
	start := b.Len()
	b.WriteString("xref\n0 6\n0000000000 65535 f \n")
	for n := 1; n <= 5; n++ {
		if n == 3 {
			b.WriteString("0000000000 00000 f \n")
			continue
		}
		fmt.Fprintf(b, "%010d 00000 n \n", at[n])
	}
	fmt.Fprintf(b, "trailer\n<</Size 7/Root 1 0 R/XRefStm %d>>\nstartxref\n%d\n%%%%EOF\n", streamAt, start)
	return b.Bytes()
}

// prevLoop is a document whose newest cross-reference continues itself.
func prevLoop() []byte {
	b := plainObjects().table("")
	return updated(b, len(b)+bytes.Index(updated(b, 0, 6, objects{6: "null"})[len(b):], []byte("xref")), 7, objects{6: "null"})
}

// TestOddDocuments stamps what is damaged or unusual in the ways that are met.
func TestOddDocuments(t *testing.T) {
	plain := plainObjects()
	sound := plain.table("")
	replace := func(b []byte, from, to string) []byte { return bytes.Replace(b, []byte(from), []byte(to), 1) }
	every := func(b []byte, from, to string) []byte { return bytes.ReplaceAll(b, []byte(from), []byte(to)) }
	page := func(entries string) []byte {
		return plain.with(3, "<</Type/Page/Parent 2 0 R/Contents 4 0 R"+entries+">>").table("")
	}
	const a4 = "/MediaBox[0 0 595 842]"
	startxref := regexp.MustCompile(`startxref\n\d+`)
	entries := regexp.MustCompile(`\d{10} 00000 n`)
	for name, file := range map[string][]byte{
		"wrong startxref":               startxref.ReplaceAll(sound, []byte("startxref\n99")),
		"startxref beyond the end":      startxref.ReplaceAll(sound, []byte("startxref\n999999")),
		"no startxref":                  replace(sound, "startxref", "startxxxx"),
		"wrong offsets":                 entries.ReplaceAll(sound, []byte("0000000077 00000 n")),
		"offsets beyond the end":        entries.ReplaceAll(sound, []byte("0000999999 00000 n")),
		"offsets of one more":           every(sound, "%\xE2\xE3\xCF\xD3\n", "%\xE2\xE3\xCF\xD3\n\n"),
		"short table entries":           every(sound, " \n", "\n"),
		"no cross-reference":            cut(sound, "xref\n"),
		"no trailer":                    replace(sound, "trailer", "traider"),
		"no endobj":                     every(sound, "endobj\n", ""),
		"no endstream":                  replace(sound, "endstream", ""),
		"no %%EOF":                      replace(sound, "%%EOF", ""),
		"junk before the header":        append([]byte("From: somebody\r\nTo: nobody\r\n\r\n"), sound...),
		"junk behind":                   append(slices.Clone(sound), bytes.Repeat([]byte{0}, 5000)...),
		"line ends lost":                every(every(sound, "endobj\n", "endobj "), "obj\n", "obj "),
		"line ends of Windows":          every(sound, "\n", "\r\n"),
		"line ends of old Macs":         every(sound, "\n", "\r"),
		"hybrid":                        hybrid(),
		"a wrong /Length":               replace(sound, "/Length 42", "/Length 7"),
		"a /Length beyond the end":      replace(sound, "/Length 42", "/Length 99999"),
		"no /Length":                    replace(sound, "/Length 42", ""),
		"an indirect /Length":           plain.with(4, "<</Length 6 0 R>>\nstream\nBT /F1 24 Tf 72 760 Td (Certificate) Tj ET\nendstream").with(6, "42").table(""),
		"no /Type anywhere":             every(every(every(sound, "/Type/Catalog", ""), "/Type/Pages", ""), "/Type/Page", ""),
		"a wrong /Count":                replace(sound, "/Count 1", "/Count 0"),
		"a /Count below zero":           replace(sound, "/Count 1", "/Count -1"),
		"/Kids with nulls":              plain.with(2, "<</Type/Pages/Kids[null 9 0 R 3 0 R]/Count 1>>").table(""),
		"/Kids with itself":             plain.with(2, "<</Type/Pages/Kids[2 0 R 3 0 R]/Count 1>>").table(""),
		"/Kids that is one page":        plain.with(2, "<</Type/Pages/Kids 3 0 R/Count 1>>").table(""),
		"an indirect /Kids":             plain.with(2, "<</Type/Pages/Kids 6 0 R/Count 1>>").with(6, "[3 0 R]").table(""),
		"a page within /Kids":           plain.with(2, "<</Type/Pages/Kids[<</Type/Page/MediaBox[0 0 595 842]/Contents 4 0 R>>]/Count 1>>").table(""),
		"/Pages that is a page":         plain.with(1, "<</Type/Catalog/Pages 3 0 R>>").table(""),
		"a tree of several levels":      plain.with(2, "<</Type/Pages/Kids[6 0 R]/Count 1/Rotate 90/MediaBox[0 0 400 600]>>").with(6, "<</Type/Pages/Parent 2 0 R/Kids[3 0 R]/Count 1>>").with(3, "<</Type/Page/Parent 6 0 R/Contents 4 0 R>>").table(""),
		"everything indirect":           plain.with(3, "<</Type 6 0 R/Parent 2 0 R/MediaBox 7 0 R/Rotate 8 0 R/Resources 9 0 R/Contents 10 0 R/Annots 11 0 R>>").with(6, "/Page").with(7, "[0 0 12 0 R 842]").with(8, "90").with(9, "<</Font 13 0 R/XObject 14 0 R>>").with(10, "[4 0 R]").with(11, "[]").with(12, "595").with(13, "<</F1 5 0 R>>").with(14, "<<>>").table(""),
		"a cross-reference stream":      plain.streamed(),
		"a compressed page":             plain.streamed(1, 2, 3, 5),
		"an object stream extended":     plain.with(6, stream("/Type/ObjStm/N 0/First 0/Extends 7 0 R", "")).streamed(1, 2, 3, 5),
		"a cross-reference half lost":   startxref.ReplaceAll(plain.streamed(1, 2, 3, 5), []byte("startxref\n5")),
		"no media box":                  page(""),
		"a media box the other way":     page("/MediaBox[595 842 0 0]"),
		"a media box of reals":          page("/MediaBox[-.5 0 +595.2756 841.8898]"),
		"a broken media box":            page("/MediaBox[0 0 595]"),
		"a page off the origin":         page("/MediaBox[-1000 -1000 -405 -158]"),
		"a crop box":                    page(a4 + "/CropBox[100 100 300 400]"),
		"a crop box beyond the page":    page(a4 + "/CropBox[-100 -100 900 900]"),
		"rotated by 90":                 page(a4 + "/Rotate 90"),
		"rotated by -90":                page(a4 + "/Rotate -90"),
		"rotated by 540":                page(a4 + "/Rotate 540"),
		"rotated by 45":                 page(a4 + "/Rotate 45"),
		"a user unit":                   page("/MediaBox[0 0 100 140]/UserUnit 6"),
		"a tiny page":                   page("/MediaBox[0 0 100 80]"),
		"a huge page":                   page("/MediaBox[0 0 14400 14400]"),
		"no content":                    plain.with(3, "<</Type/Page/Parent 2 0 R"+a4+">>").table(""),
		"content that is gone":          plain.with(3, "<</Type/Page/Parent 2 0 R/Contents[9 0 R 4 0 R null]"+a4+">>").table(""),
		"q without Q":                   plain.with(4, stream("", "q q 0.1 0 0 0.1 0 0 cm 1 0 0 rg")).table(""),
		"Q without q":                   plain.with(4, stream("", "Q Q q 0.1 0 0 0.1 0 0 cm Q Q")).table(""),
		"a text object left open":       plain.with(4, stream("", "q 9 0 0 9 0 0 cm BT /F1 9 Tf (open")).table(""),
		"content split within a string": plain.with(3, "<</Type/Page/Parent 2 0 R/Contents[4 0 R 6 0 R]"+a4+"/Resources<</Font<</F1 5 0 R>>>>>>").with(4, stream("", "BT /F1 9 Tf 9 99 Td (q q ")).with(6, stream("", "q) Tj ET")).table(""),
		"an inline image":               plain.with(4, stream("", "q BI /W 4 /H 4 /BPC 8 /CS /G ID q q q Q(( q<<Q EI Q")).table(""),
		"resources with the name taken": plain.with(3, "<</Type/Page/Parent 2 0 R/Contents 4 0 R"+a4+"/Resources<</Font<</F1 5 0 R>>/XObject<</VECQR 6 0 R>>>>>>").with(6, stream("/Subtype/Form/BBox[0 0 1 1]", "")).table(""),
		"a broken form":                 plain.with(1, "<</Type/Catalog/Pages 2 0 R/AcroForm[1 2]>>").table(""),
		"a form with broken fields":     plain.with(1, "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields 6 0 R>>>>").with(6, "<</T(a)>>").table(""),
		"fields in a loop":              plain.with(1, "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]>>>>").with(6, "<</T(a)/Kids[6 0 R 6 0 R]>>").table(""),
		"annotations that are gone":     page(a4 + "/Annots[9 0 R null]"),
		"names with escapes":            every(sound, "/MediaBox", "/Media#42ox"),
		"comments everywhere":           plain.with(3, "<< % a page\n/Type/Page % of\n/Parent 2 0 R"+a4+"/Contents 4 0 R%last\n>>").table(""),
		"a generation number":           replace(replace(every(sound, "4 0 R", "4 2 R"), "4 0 obj", "4 2 obj"), "", ""),
		"a page without an end":         replace(sound, "/Contents 4 0 R>>\nendobj", "/Contents 4 0 R\nendobj"),
		"a page with stray delimiters":  replace(sound, "/Contents 4 0 R", "/Contents 4 0 R ] )"),
		"a page that is overwritten":    replace(sound, "R>>\nendobj\n4 0 obj\n<</Length 42>>\nstream", strings.Repeat("\x00", 39)),
		"an update":                     updated(sound, bytes.LastIndex(sound, []byte("\nxref\n"))+1, 6, objects{4: plain[4]}),
	} {
		t.Run(name, func(t *testing.T) {
			tail, err := NewStamper(testSigner()).Stamp(source(file), testMark())
			if err != nil {
				t.Fatal(err)
			}
			whole := slices.Concat(file, tail.Bytes)
			if v := mustVerify(t, whole); !v.Valid {
				t.Error(v.Sentence)
			}
			if err := readback.CheckContent(bytes.NewReader(whole), int64(len(whole)), readback.Place(tail.Place), testURL); err != nil {
				t.Error(err)
			}
			if !readback.CanRender() {
				t.Skip("poppler and zbar are not installed")
			}
			for _, complaint := range complaints(t.Context(), filepath.Join(t.TempDir(), "x"), file, tail) {
				t.Error(strings.ReplaceAll(complaint, "\n", " | "))
			}
		})
	}
}
