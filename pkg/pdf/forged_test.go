package pdf

import (
	"bytes"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// forgery is an update that changes what somebody signed.
type forgery struct {
	name   string
	level  int     // of the certification
	before objects // what the forger had in the document before it was signed
	update func(t *testing.T, level int) objects
	says   string // part of the verdict; may be empty
}

// forgeries are updates that no signature of their level allows.
func forgeries() []forgery {
	o := func(o objects) func(*testing.T, int) objects {
		return func(*testing.T, int) objects { return o }
	}
	change := func(num int, from, to string, more ...objects) func(*testing.T, int) objects {
		return func(t *testing.T, level int) objects {
			out := objects{num: altered(t, level, num, from, to)}
			for _, m := range more {
				maps.Copy(out, m)
			}
			return out
		}
	}
	text := func(s string) string {
		return stream("/Type/XObject/Subtype/Form/BBox[0 0 500 40]/Resources<</Font<</F1 5 0 R>>>>", "1 g 0 0 500 40 re f 0 g BT /F1 24 Tf 2 8 Td ("+s+") Tj ET")
	}
	forged := stream("", "BT /F1 24 Tf 72 760 Td (Certificate of Eve Mallory) Tj ET")
	annotation := func(body string, more ...objects) func(*testing.T, int) objects {
		return func(t *testing.T, level int) objects {
			out := objects{3: altered(t, level, 3, "/Annots[", "/Annots[80 0 R "), 80: "<</Type/Annot/P 3 0 R" + body + ">>"}
			for _, m := range more {
				maps.Copy(out, m)
			}
			return out
		}
	}
	const over = "/Rect[60 750 560 790]"
	return []forgery{
		// Content, by each way to it.
		{"content replaced", 2, nil, o(objects{4: forged}), "content of page 1"},
		{"content replaced, annotations allowed", 3, nil, o(objects{4: forged}), "content of page 1"},
		{"content replaced, not certified", 0, nil, o(objects{4: forged}), "content of page 1"},
		{"other content named", 2, nil, change(3, "/Contents 4 0 R", "/Contents 80 0 R", objects{80: forged}), "content of page 1"},
		{"content added in front", 2, nil, change(3, "/Contents 4 0 R", "/Contents[80 0 R 4 0 R]", objects{80: forged}), "content of page 1"},
		{"content added behind", 2, nil, change(3, "/Contents 4 0 R", "/Contents[4 0 R 80 0 R]", objects{80: forged}), "content of page 1"},
		{"content removed", 2, nil, change(3, "/Contents 4 0 R", ""), "content of page 1"},
		{"content freed", 2, nil, o(objects{4: "free"}), "content of page 1"},
		{"the length of content changed", 2, nil, o(objects{29: "10"}), "content of page 1"},
		{"content of page 2 replaced", 2, nil, o(objects{19: forged}), "content of page 2"},
		{"a drawing replaced", 2, nil, o(objects{16: stream("/Type/XObject/Subtype/Form/BBox[0 0 90 20]/Resources<</Font<</F1 5 0 R>>>>", "BT /F1 10 Tf 0 5 Td (grade: 1.0) Tj ET")}), ""},
		{"a font replaced", 2, nil, o(objects{5: "<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"}), ""},
		{"the letters of a font swapped", 2, nil, o(objects{25: "<</Type/Encoding/Differences[65/B/A/C]>>"}), ""},
		{"a font given its own glyphs", 2, nil, change(5, "/Subtype/Type1", "/Subtype/Type3/CharProcs<</A 80 0 R>>/FontMatrix[1 0 0 1 0 0]/FontBBox[0 0 9 9]", objects{80: forged}), ""},
		{"what is drawn made invisible", 2, nil, o(objects{28: "<</Type/ExtGState/ca 0>>"}), ""},
		{"resources of all pages changed", 2, nil, change(2, "/X 16 0 R", "/X 80 0 R", objects{80: text("grade: 1.0")}), "what the pages have in common"},
		{"resources of its own for a page", 2, nil, change(3, "/Contents", "/Resources<</Font<</F1 80 0 R>>>>/Contents", objects{80: "<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"}), "page 1 (Resources)"},
		{"what is missing is added", 2, objects{3: strings.Replace(formObjects()[3], "/Contents 4 0 R", "/Contents[4 0 R 81 0 R]", 1)}, o(objects{81: forged}), "content of page 1"},
		{"a missing font is added", 2, objects{2: strings.Replace(formObjects()[2], "/F1 5 0 R", "/F1 81 0 R", 1)}, o(objects{81: "<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"}), ""},
		{"a hidden drawing is shown", 2, objects{81: text("Eve")}, change(2, "/X 16 0 R", "/X 81 0 R"), "what the pages have in common"},

		// Pages.
		{"a page added", 2, nil, change(2, "18 0 R]/Count 2", "18 0 R 80 0 R]/Count 3", objects{80: "<</Type/Page/Parent 2 0 R/Contents 4 0 R>>"}), "pages"},
		{"a page removed", 2, nil, change(2, "3 0 R 18 0 R]/Count 2", "3 0 R]/Count 1"), "pages"},
		{"pages in another order", 2, nil, change(2, "3 0 R 18 0 R", "18 0 R 3 0 R"), "pages"},
		{"a page replaced", 2, nil, change(2, "[3 0 R", "[80 0 R", objects{80: "<</Type/Page/Parent 2 0 R/Contents 81 0 R>>", 81: forged}), "pages"},
		{"a page with a level between", 2, nil, change(2, "18 0 R]", "80 0 R]", objects{80: "<</Type/Pages/Parent 2 0 R/Kids[18 0 R]/Count 1/Rotate 180>>"}), "pages"},
		{"other pages", 2, nil, change(1, "/Pages 2 0 R", "/Pages 80 0 R", objects{80: "<</Type/Pages/Kids[81 0 R]/Count 1>>", 81: "<</Type/Page/Parent 80 0 R/Contents 82 0 R>>", 82: forged}), "pages"},
		{"a page cut", 2, nil, change(3, "/Contents", "/CropBox[0 0 300 400]/Contents", nil), "page 1 (CropBox)"},
		{"a page turned", 2, nil, change(3, "/Contents", "/Rotate 180/Contents"), "page 1 (Rotate)"},
		{"all pages larger", 2, nil, change(2, "[0 0 595 842]", "[0 -842 595 842]"), "what the pages have in common"},
		{"a page in another unit", 2, nil, change(3, "/Contents", "/UserUnit 9/Contents"), "page 1 (UserUnit)"},
		{"an entry of a page twice", 2, nil, change(3, "/Contents 4 0 R", "/Contents 4 0 R/Contents 80 0 R", objects{80: forged}), ""},

		// What the document does, and its lists.
		{"a script on opening", 2, nil, change(1, "/Catalog", "/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>"), "opening"},
		{"a script by itself", 2, nil, change(1, "/Catalog", "/Catalog/AA<</WC<</S/JavaScript/JS(1)>>>>"), "by itself"},
		{"a script of a page", 2, nil, change(3, "/Contents", "/AA<</O<</S/JavaScript/JS(1)>>>>/Contents"), "page 1 (AA)"},
		{"a script by name", 2, nil, change(15, "<</Dests", "<</JavaScript<</Names[(a)<</S/JavaScript/JS(1)>>]>>/Dests"), "names"},
		{"a file attached", 2, nil, change(15, "<</Dests", "<</EmbeddedFiles<</Names[(a)80 0 R]>>/Dests", objects{80: "<</Type/Filespec/F(a)>>"}), "names"},
		{"layers", 2, nil, change(1, "/Catalog", "/Catalog/OCProperties<</OCGs[]/D<<>>>>"), "layers"},
		{"how it is shown", 2, nil, change(1, "/Catalog", "/Catalog/ViewerPreferences<</HideToolbar true>>"), ""},
		{"bookmarks", 2, nil, change(14, "(Certificate)", "(Certificate of Eve)"), "bookmarks"},
		{"a bookmark that runs something", 2, nil, change(14, "/Dest[3 0 R/Fit]", "/A<</S/Launch/F(x)>>"), "bookmarks"},
		{"where a name leads", 2, nil, change(15, "[3 0 R/Fit]", "[18 0 R/Fit]"), "names"},
		{"an unknown entry of the catalog", 2, nil, change(1, "/Catalog", "/Catalog/Something 80 0 R", objects{80: "<<>>"}), "Something"},
		{"the language", 2, nil, change(1, "/Lang(en)", "/Lang(de)"), "Lang"},
		{"a form that is drawn by its data", 2, nil, change(6, "<</Fields", "<</XFA 80 0 R/Fields", objects{80: stream("", "<xdp/>")}), "XFA"},
		{"a tagged structure", 2, nil, change(1, "/Catalog", "/Catalog/StructTreeRoot 80 0 R", objects{80: "<</Type/StructTreeRoot>>"}), "structure"},

		// What it says of itself.
		{"the title", 2, nil, change(20, "(Degree certificate)", "(Doctor's certificate)"), "Title"},
		{"an author", 2, nil, change(20, "/Title", "/Author(Eve)/Title"), "Author"},
		{"the title in the metadata", 2, nil, o(objects{21: stream("/Type/Metadata/Subtype/XML", xmp("Doctor's certificate", "2026-01-01T00:00:00Z"))}), "metadata"},
		{"metadata with entities", 2, nil, o(objects{21: stream("/Type/Metadata/Subtype/XML", "<!DOCTYPE a [<!ENTITY b 'c'>]>"+xmp("Degree certificate", "2026-01-02T00:00:00Z"))}), "metadata"},
		{"metadata that are none", 2, nil, o(objects{21: stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]", "q Q")}), "metadata"},

		// The form.
		{"a field listed in place", 2, objects{6: strings.Replace(formObjects()[6], "/Fields[", "/Fields[<</FT/Tx/T(direct)/V(a)>>", 1)}, change(6, "/Fields[7", "/Fields[<</FT/Tx/T(direct)/V(b)>>7"), "form field"},
		{"a field removed", 2, nil, change(6, "[7 0 R ", "["), `"note" was removed`},
		{"a field added", 2, nil, change(6, "/Fields[", "/Fields[80 0 R ", objects{80: "<</FT/Tx/T(new)/Subtype/Widget/Rect[60 750 560 790]>>"}), `"new" was added`},
		{"a field renamed", 2, nil, change(7, "/T(note)", "/T(remark)"), ""},
		{"a field moved", 2, nil, change(7, "[50 400 250 420]", "[60 750 560 790]"), "Rect"},
		{"a field hidden", 2, nil, change(7, "/F 4", "/F 2"), "(F)"},
		{"a field of another kind", 2, nil, change(7, "/FT/Tx", "/FT/Ch"), ""},
		{"a look without a value", 2, nil, o(objects{8: text("as it never was")}), "another look"},
		{"another look named", 2, nil, change(7, "8 0 R", "80 0 R", objects{80: text("as it never was")}), "another look"},
		{"the look of a tick changed", 2, nil, o(objects{11: stream("/Type/XObject/Subtype/Form/BBox[0 0 20 20]", "0 0 m 20 20 l S")}), "another look"},
		{"a tick shown that is none", 2, nil, change(9, "/AS/Off", "/AS/Yes"), "another look"},
		{"a button with another picture", 2, nil, o(objects{32: text("Eve")}), "another look"},
		{"a button given a value", 2, nil, change(23, "/T(logo)", "/T(logo)/V(x)"), "button"},
		{"a field that is not to be filled in", 2, nil, change(24, "/V(3.0)", "/V(1.0)", objects{33: text("1.0")}), "not to be filled in"},
		{"a field that runs something", 2, nil, change(7, "/FT/Tx", "/FT/Tx/AA<</F<</S/JavaScript/JS(1)>>>>"), "(AA)"},
		{"choices changed", 2, nil, change(22, "[(Law)(Art)]", "[(Law)(Medicine)]"), "(Opt)"},
		{"a field with a new part", 2, nil, change(26, "[27 0 R]", "[27 0 R 80 0 R]", objects{80: "<</Subtype/Widget/Rect[60 750 560 790]>>"}), "new part"},
		{"a field with another parent", 2, nil, change(27, "/Parent 26 0 R", "/Parent 7 0 R"), ""},
		{"viewers asked to draw anew", 2, nil, change(6, "<</Fields", "<</NeedAppearances true/Fields"), "anew"},
		{"a font of the form replaced", 2, nil, change(6, "/Helv 5 0 R", "/Helv 80 0 R", objects{80: "<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"}), "form's resources"},
		{"how fields are written", 2, nil, change(6, "/DA(/Helv 0 Tf 0 g)", "/DA(/Helv 0 Tf 1 g)"), "DA"},
		{"filled in where nothing may change", 1, nil, change(7, "(as it was)", "(filled in)", objects{8: text("filled in")}), "filled in"},
		{"the first signature's field emptied", 2, nil, change(30, "/V 40 0 R", ""), `field "first"`},
		{"the first signature moved to where it hides something", 2, nil, change(30, "[0 0 0 0]", "[60 750 560 790]"), "Rect"},
		{"the first signature's field given a look", 2, nil, change(30, "/FT/Sig", "/FT/Sig/AP<</N 80 0 R>>", objects{80: text("Eve")}), "another look"},
		{"the certification removed", 2, nil, change(1, "/Perms<</DocMDP 40 0 R>>", ""), "certifies"},
		{"the certification changed to another's", 2, nil, change(1, "/DocMDP 40 0 R", "/DocMDP 80 0 R", objects{80: "<</Type/Sig>>"}), "certifies"},
		{"the form removed", 2, nil, change(1, "/AcroForm 6 0 R", ""), ""},
		{"an old signature in a new field", 2, nil, change(6, "/Fields[", "/Fields[80 0 R ", objects{80: "<</FT/Sig/T(new)/V 40 0 R/Subtype/Widget/Rect[50 50 90 90]>>"}), ""},
		{"a signature field of a known name", 2, nil, change(6, "/Fields[", "/Fields[80 0 R ", objects{80: "<</FT/Sig/T(note)/Subtype/Widget/Rect[0 0 0 0]>>"}), "was added"},
		{"a signature field that runs something", 2, nil, change(6, "/Fields[", "/Fields[80 0 R ", objects{80: "<</FT/Sig/T(new)/A<</S/JavaScript/JS(1)>>/Subtype/Widget/Rect[0 0 0 0]>>"}), "was added"},

		// Annotations.
		{"a text over the content", 3, nil, annotation("/Subtype/FreeText"+over+"/AP<</N 81 0 R>>", objects{81: text("Certificate of Eve")}), "covers what stands on the page"},
		{"a stamp over the content", 3, nil, annotation("/Subtype/Stamp"+over+"/AP<</N 81 0 R>>", objects{81: text("Certificate of Eve")}), "covers what stands on the page"},
		{"a square over the content", 3, nil, annotation("/Subtype/Square" + over + "/IC[1 1 1]"), "covers what stands on the page"},
		{"a highlight that writes", 3, nil, annotation("/Subtype/Highlight"+over+"/AP<</N 81 0 R>>", objects{81: text("Certificate of Eve")}), "covers what stands on the page"},
		{"a highlight that covers", 3, nil, annotation("/Subtype/Highlight"+over+"/AP<</N 81 0 R>>",
			objects{81: stream("/Subtype/Form/BBox[0 0 500 40]/Resources<</ExtGState<</M<</BM/Multiply>>>>>>", "q /M gs Q 1 g 0 0 500 40 re f")}), "covers what stands on the page"},
		{"a note over a field", 3, nil, annotation("/Subtype/FreeText/Rect[50 400 250 420]/AP<</N 81 0 R>>", objects{81: text("never")}), "covers a form field"},
		{"a line out of its place", 3, nil, annotation("/Subtype/Line/Rect[50 50 90 90]/L[60 770 560 770]/BS<</W 30>>"), "covers what stands on the page"},
		{"a thick line", 3, nil, annotation("/Subtype/Ink/Rect[60 700 500 740]/InkList[[60 720 500 720]]/BS<</W 90>>"), "covers what stands on the page"},
		{"a link with a border that covers", 3, nil, annotation("/Subtype/Link" + over + "/Border[0 0 80]/C[1 1 1]"), "covers what stands on the page"},
		{"a line under everything", 3, nil, annotation("/Subtype/Underline/Rect[0 0 595 842]/QuadPoints[0 842 595 842 0 0 595 0]"), "covers what stands on the page"},
		{"a redaction", 3, nil, annotation("/Subtype/Redact" + over), "no note"},
		{"a watermark", 3, nil, annotation("/Subtype/Watermark/Rect[50 50 90 90]"), "no note"},
		{"a film", 3, nil, annotation("/Subtype/RichMedia/Rect[50 50 90 90]"), "no note"},
		{"a note that runs something", 3, nil, annotation("/Subtype/Text/Rect[50 50 70 70]/A<</S/JavaScript/JS(1)>>"), "by itself"},
		{"a link that starts a program", 3, nil, annotation("/Subtype/Link/Rect[50 50 70 70]/A<</S/Launch/F(x)>>"), "by itself"},
		{"a widget of no field", 3, nil, annotation("/Subtype/Widget" + over), "belongs to no form field"},
		{"a note made to cover", 3, nil, change(17, "/Subtype/Text/P 3 0 R/Rect[500 500 520 520]", "/Subtype/FreeText/P 3 0 R/Rect[60 750 560 790]"), "covers what stands on the page"},
		{"a note at level 2", 2, nil, annotation("/Subtype/Text/Rect[50 50 70 70]"), "an annotation was added"},
		{"a note after approval", 0, nil, annotation("/Subtype/Text/Rect[50 50 70 70]"), "an annotation was added"},
		{"a note removed at level 2", 2, nil, change(3, " 17 0 R", ""), "was removed"},
		{"a note that covered content removed", 2, objects{17: "<</Type/Annot/Subtype/Stamp/P 3 0 R/F 4/Rect[60 750 560 790]/AP<</N 81 0 R>>>>", 81: text("Harmless")},
			change(3, " 17 0 R", ""), "was removed"},
		{"what covered content made transparent", 2, objects{17: "<</Type/Annot/Subtype/Stamp/P 3 0 R/F 4/Rect[60 750 560 790]/AP<</N 81 0 R>>>>", 81: text("Harmless")},
			o(objects{81: stream("/Subtype/Form/BBox[0 0 9 9]", "")}), "an annotation"},
		{"the first signature not shown", 3, nil, change(3, " 30 0 R", ""), `field "first"`},
		{"fields one above the other in another order", 2, nil, change(3, "7 0 R 9 0 R", "9 0 R 7 0 R"), "another order"},

		// One object for two things.
		{"a look that is content too", 2, objects{7: strings.Replace(formObjects()[7], "8 0 R", "16 0 R", 1)},
			change(7, "(as it was)", "(filled in)", objects{16: text("grade: 1.0"), 7: strings.Replace(strings.Replace(formObjects()[7], "8 0 R", "16 0 R", 1), "(as it was)", "(filled in)", 1)}), ""},
		{"validation data that are content too", 2, nil, change(1, "/Catalog", "/Catalog/DSS<</Certs[4 0 R]>>", objects{4: forged}), "content of page 1"},
		{"validation data that are none", 2, nil, change(1, "/Catalog", "/Catalog/DSS<</Pages 80 0 R>>", objects{80: "<<>>"}), "validation data"},
		{"a name for what is missing in the trailer", 2, objects{20: "<</Title(Degree certificate)/Producer 81 0 R/Trapped 4 0 R>>"}, o(objects{4: forged}), ""},
		{"a field that serves as resources", 2, objects{3: strings.Replace(formObjects()[3], "/Contents", "/Resources<</XObject 7 0 R/Font<</F1 5 0 R>>/ExtGState<</G 28 0 R>>>>/Contents", 1)},
			change(7, "(as it was)", "80 0 R", objects{80: text("Eve")}), ""},
		{"a page that is a field", 2, objects{6: strings.Replace(formObjects()[6], "[7 0 R", "[7 0 R 18 0 R", 1), 18: "<</Type/Page/Parent 2 0 R/Contents 19 0 R/FT/Tx/T(p)>>"},
			change(7, "(as it was)", "(filled in)"), "two different things"},
	}
}

// TestForgedRevisions judges documents that somebody changed after they were signed:
// once as they are, and once with the signature of the forger over them.
func TestForgedRevisions(t *testing.T) {
	_, err := exec.LookPath("pdfsig")
	files := 0
	for _, streams := range []bool{false, true} {
		for _, f := range forgeries() {
			t.Run(fmt.Sprintf("%s/streams %v", f.name, streams), func(t *testing.T) {
				first := firstSigned(t, streams, f.level, "", f.before)
				if v := verifyBytes(t, first.bytes); v.Code != VerdictValid && !strings.Contains(f.name, "two") {
					t.Fatalf("before: %s", v.Sentence)
				}
				second := first.add(f.update(t, f.level))
				v := verifyBytes(t, second.bytes)
				if v.Valid || v.Code != VerdictChanged || !strings.Contains(v.Sentence, f.says) {
					t.Errorf("%s: %s\nwant: %s", v.Code, v.Sentence, f.says)
				}
				update := f.update(t, f.level)
				over := second.signOver(t, mallory(), f.level, update[3], update[6], "", nil)
				v = verifyBytes(t, over.bytes)
				if v.Valid || v.Code != VerdictChanged && v.Code != VerdictForged {
					t.Errorf("signed over: %s: %s", v.Code, v.Sentence)
				}
				if err == nil && f.level < 1 {
					countValid(t, second.bytes, 1) // to a program that compares no objects all is well
				}
				files += 2
			})
		}
	}
	if files < 200 {
		t.Errorf("only %d files were judged", files)
	}
}

// undone are tricks that the next update of the document does away with, so that what was
// signed is all that is left, and what begins a document of its own.
var undone = map[string]bool{"a line behind": true, "a comment behind": true, "a root of its own": true, "two roots": true,
	"an unknown entry of the trailer": true, "a whole document behind": true}

// TestForgedStructure changes what readers find by tricks with the cross-reference.
func TestForgedStructure(t *testing.T) {
	d := firstSigned(t, false, 2, "", objects{81: stream("", "BT /F1 24 Tf 72 760 Td (Eve) Tj ET")})
	if !verifyBytes(t, d.bytes).Valid {
		t.Fatal("the document is not valid")
	}
	entry := func(num int) string { // of the first revision
		at := bytes.Index(d.bytes, fmt.Appendf(nil, "\n%d 0 obj\n", num)) + 1
		return fmt.Sprintf("%010d 00000 n \n", at)
	}
	forged := stream("", "BT /F1 24 Tf 72 760 Td (Certificate of Eve) Tj ET")
	// update is one by hand: objects, entries, and a trailer.
	update := func(body, entries, trailer string) []byte {
		b := slices.Concat(d.bytes, []byte(body))
		start := len(b)
		return fmt.Appendf(b, "xref\n%strailer\n<<%s>>\nstartxref\n%d\n%%%%EOF\n", entries, trailer, start)
	}
	here := func(skip int) string { return fmt.Sprintf("%010d 00000 n \n", len(d.bytes)+skip) }
	prev := fmt.Sprintf("/Size 90/Root 1 0 R/Info 20 0 R/Prev %d", d.start)
	object := "4 0 obj\n" + forged + "\nendobj\n"
	for name, file := range map[string][]byte{
		"an entry to a hidden object":      update("", "4 1\n"+strings.Replace(entry(81), "", "", 1), prev),
		"an entry to another object":       update("81 0 obj\n"+forged+"\nendobj\n", "4 1\n"+here(0), prev),
		"an object that is not listed":     update(object, "0 1\n0000000000 65535 f \n", prev),
		"an object in a comment":           update("% 4 0 obj << >> endobj\n", "0 1\n0000000000 65535 f \n", prev),
		"a number twice":                   update(object, "4 1\n"+entry(4)+"4 1\n"+here(0), prev),
		"another generation":               update("4 1 obj\n"+forged+"\nendobj\n", "4 1\n"+here(0), prev),
		"what was signed is left out":      update(object, "4 1\n"+here(0), "/Size 90/Root 1 0 R/Prev 17"),
		"all is new":                       update("1 0 obj\n<</Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n", "1 2\n"+here(0)+here(33), "/Size 90/Root 1 0 R"),
		"a root of its own":                update("82 0 obj\n<</Type/Catalog/Pages 83 0 R/AcroForm 6 0 R>>\nendobj\n83 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n", "82 2\n"+here(0)+here(len("82 0 obj\n<</Type/Catalog/Pages 83 0 R/AcroForm 6 0 R>>\nendobj\n")), strings.Replace(prev, "1 0 R", "82 0 R", 1)),
		"two roots":                        update("", "0 1\n0000000000 65535 f \n", prev+"/Root 81 0 R"),
		"an unknown entry of the trailer":  update("", "0 1\n0000000000 65535 f \n", prev+"/Trick 4 0 R"),
		"junk behind":                      append(slices.Clone(d.bytes), "junk"...),
		"a line behind":                    append(slices.Clone(d.bytes), '\n'),
		"a comment behind":                 append(slices.Clone(d.bytes), "% harmless\n"...),
		"a whole document behind":          slices.Concat(d.bytes, plainObjects().table("")),
		"a cross-reference that is broken": update(object, "4 1\n00 n\n", prev),
		"the end of another update":        append(slices.Clone(d.bytes), fmt.Sprintf("startxref\n%d\n%%%%EOF\n", d.start)...),
		"an object without an end":         update("4 0 obj\n"+forged+"\n", "4 1\n"+here(0), prev),
		"a stream longer than it says":     update("4 0 obj\n"+strings.Replace(forged, "/Length", "/Length 1/Was", 1)+"\nendobj\n", "4 1\n"+here(0), prev),
		"words between objects":            update("see here\n"+object, "4 1\n"+here(len("see here\n")), prev),
		"entries of 19 bytes":              update(object, "4 1\n"+strings.TrimSuffix(here(0), " \n")+"\n", prev),
	} {
		t.Run(name, func(t *testing.T) {
			if v := verifyBytes(t, file); v.Valid || v.Code == VerdictUnsigned {
				t.Errorf("%s: %s", v.Code, v.Sentence)
			}
			if undone[name] {
				return
			}
			signed := slices.Clone(file)
			d := revised{bytes: signed, start: bytes.LastIndex(signed, []byte("\nxref")) + 1, size: 100, trailer: "/Root 1 0 R/Info 20 0 R"}
			if v := verifyBytes(t, d.signOver(t, mallory(), 2, "", "", "", nil).bytes); v.Valid {
				t.Errorf("signed over: %s: %s", v.Code, v.Sentence)
			}
		})
	}
}

// TestForgedSignatures changes the signature itself, or what it says that it covers.
func TestForgedSignatures(t *testing.T) {
	for _, streams := range []bool{false, true} {
		good := firstSigned(t, streams, 2, "", nil).bytes
		if !verifyBytes(t, good).Valid {
			t.Fatal("the document is not valid")
		}
		from := bytes.Index(good, []byte("/ByteRange["))
		to := from + bytes.IndexByte(good[from:], ']') + 1
		rangeText := string(good[from:to])
		contents := bytes.Index(good, []byte("/Contents<"))
		with := func(text string) []byte { // of the same length
			return bytes.Replace(good, []byte(rangeText), fmt.Appendf(nil, "%-*s", len(rangeText), text), 1)
		}
		var a, b, c, e int
		fmt.Sscanf(rangeText, "/ByteRange[%d %d %d %d", &a, &b, &c, &e)
		for name, file := range map[string][]byte{
			"no range":                     with(""),
			"a range that is null":         with("/ByteRange null"),
			"an empty range":               with("/ByteRange[]"),
			"a range of one part":          with(fmt.Sprintf("/ByteRange[0 %d]", b)),
			"a range of three parts":       with(fmt.Sprintf("/ByteRange[0 %d %d]", b, c)),
			"a range of nothing":           with("/ByteRange[0 0 0 0]"),
			"a negative range":             with(fmt.Sprintf("/ByteRange[0 %d %d -1]", b, c)),
			"a huge range":                 with(fmt.Sprintf("/ByteRange[0 %d %d 99999999]", b, c)),
			"a range not from zero":        with(fmt.Sprintf("/ByteRange[1 %d %d %d]", b-1, c, e)),
			"a range that leaves more out": with(fmt.Sprintf("/ByteRange[0 %d %d %d]", b-1, c, e)),
			"a range that ends early":      with(fmt.Sprintf("/ByteRange[0 %d %d %d]", b, c, e-1)),
			"a range over its own value":   with(fmt.Sprintf("/ByteRange[0 %d %d %d]", b+2, c, e)),
			"words in a range":             with(fmt.Sprintf("/ByteRange[0 %d /a %d]", b, e)),
			"a real range":                 with(fmt.Sprintf("/ByteRange[0 %d %d.5 %d]", b, c, e)),
			"no value":                     bytes.Replace(good, []byte("/Contents<"), []byte("/Kontents<"), 1),
			"a value of zeros":             zeros(good, contents+len("/Contents<"), 200),
			"a value of one byte":          zeros(good, contents+len("/Contents<")+2, 4000),
			"another kind":                 bytes.Replace(good, []byte("ETSI.CAdES.detached"), []byte("adbe.pkcs7.detached"), 1),
			"an unknown kind":              bytes.Replace(good, []byte("ETSI.CAdES.detached"), []byte("ETSI.XAdES.detached"), 1),
			"no kind":                      bytes.Replace(good, []byte("/SubFilter"), []byte("/SubFolter"), 1),
			"another level":                bytes.Replace(good, []byte("/P 2/V"), []byte("/P 3/V"), 1),
			"another name":                 bytes.Replace(good, []byte("Ann Example"), []byte("Eve Example"), 1),
			"something behind the value":   something(good, contents),
		} {
			t.Run(fmt.Sprintf("%s/streams %v", name, streams), func(t *testing.T) {
				if bytes.Equal(file, good) {
					if streams && name == "another name" {
						t.Skip("the name is not in plain text")
					}
					t.Fatal("nothing was changed")
				}
				if v := verifyBytes(t, file); v.Valid {
					t.Errorf("%s", v.Sentence)
				}
			})
		}
	}
}

func zeros(b []byte, at, n int) []byte {
	out := slices.Clone(b)
	copy(out[at:], bytes.Repeat([]byte("0"), n))
	return out
}

// something puts a byte into the last place that is kept for the signature's value.
func something(b []byte, contents int) []byte {
	out := slices.Clone(b)
	end := contents + bytes.IndexByte(b[contents:], '>')
	out[end-1] = '1'
	return out
}

// TestWrappedSignatures moves what a signature covers to where it is not read.
func TestWrappedSignatures(t *testing.T) {
	d := firstSigned(t, false, 2, "", nil)
	good := d.bytes
	from := bytes.Index(good, []byte("/ByteRange["))
	to := from + bytes.IndexByte(good[from:], ']') + 1
	var a, gap, behind, rest int
	fmt.Sscanf(string(good[from:to]), "/ByteRange[%d %d %d %d", &a, &gap, &behind, &rest)
	for name, filler := range map[string]string{
		"an object": "4 0 obj\n" + stream("", "BT /F1 24 Tf 72 760 Td (Eve) Tj ET") + "\nendobj\n",
		"zeros":     strings.Repeat("0", 100),
		"a comment": "%" + strings.Repeat("x", 100) + "\n",
	} {
		// The second part moves back, and the new one takes its place.
		file := slices.Concat(good[:behind], []byte(filler), good[behind:])
		moved := bytes.Replace(file, good[from:to], fmt.Appendf(nil, "%-*s", to-from, fmt.Sprintf("/ByteRange[0 %d %d %d]", gap, behind+len(filler), rest)), 1)
		if v := verifyBytes(t, moved); v.Valid {
			t.Errorf("%s: %s", name, v.Sentence)
		}
	}
	// The signature itself in another object, or in a second dictionary.
	sig := good[bytes.LastIndex(good[:from], []byte("<</Type/Sig")):to]
	copied := d.add(objects{40: string(sig) + "/Contents 82 0 R>>", 82: string(good[gap:behind])})
	if v := verifyBytes(t, copied.bytes); v.Valid {
		t.Error("a signature in another object: " + v.Sentence)
	}
	twice := firstSigned(t, false, 2, "/ByteRange[0 1 2 3]", nil)
	if v := verifyBytes(t, twice.bytes); v.Valid {
		t.Error("a range that stands twice: " + v.Sentence)
	}
}
