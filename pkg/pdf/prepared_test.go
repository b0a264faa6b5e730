package pdf

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestPreparedDocuments changes documents that were prepared for it before somebody signed
// them.
func TestPreparedDocuments(t *testing.T) {
	pad := func(s string) string {
		return stream("/Type/XObject/Subtype/Form/BBox[0 0 90 20]", fmt.Sprintf("%-60s", s))
	}
	page := func(resources string) string {
		return strings.Replace(formObjects()[3], "/Contents", "/Resources<</Font<</F1 5 0 R>>/XObject<</X 16 0 R>>/ExtGState<</G 28 0 R>>"+resources+">>/Contents", 1)
	}
	for _, test := range []struct {
		name   string
		level  int
		before objects
		update objects
	}{
		{"a drawing that is listed as an annotation", 2,
			objects{3: page("/Properties<</K 17 0 R>>"), 17: pad("% nothing")},
			objects{17: pad("BT /F1 10 Tf (grade: 1.0) Tj ET")}},
		{"a graphics state that is a note", 3,
			objects{3: page("/Pattern<<>>/Shading<<>>/ColorSpace<</O 17 0 R>>"), 17: "<</Type/Annot/Subtype/Text/P 3 0 R/Rect[500 500 520 520]/ca 0>>"},
			objects{17: "<</Type/Annot/Subtype/Text/P 3 0 R/Rect[500 500 520 520]/ca 1>>"}},
		{"a graphics state that is a note, by a list of its own", 3,
			objects{3: page("/Properties 82 0 R"), 82: "<</K 17 0 R>>", 17: "<</Type/Annot/Subtype/Text/P 3 0 R/Rect[500 500 520 520]/ca 0>>"},
			objects{17: "<</Type/Annot/Subtype/Text/P 3 0 R/Rect[500 500 520 520]/ca 1>>"}},
		{"a graphics state of a drawing that is a note", 3,
			objects{16: stream("/Type/XObject/Subtype/Form/BBox[0 0 90 20]/Resources<</ExtGState<</K 17 0 R>>>>", "/K gs 0 0 9 9 re f"), 17: "<</Type/Annot/Subtype/Text/P 3 0 R/Rect[500 500 520 520]/ca 0>>"},
			objects{17: "<</Type/Annot/Subtype/Text/P 3 0 R/Rect[500 500 520 520]/ca 1>>"}},
		{"a font that fields name and that comes later", 2,
			objects{6: strings.Replace(formObjects()[6], "<<", "<</NeedAppearances true", 1), 7: strings.Replace(formObjects()[7], "/Helv", "/Late", 1)},
			objects{6: strings.Replace(strings.Replace(signedObject(2, 6), "<<", "<</NeedAppearances true", 1), "/Helv 5 0 R", "/Helv 5 0 R/Late 80 0 R", 1),
				80: "<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"}},
		{"a highlight so dark that nothing can be read", 3, nil,
			objects{3: strings.Replace(signedObject(3, 3), "/Annots[", "/Annots[80 0 R ", 1),
				80: "<</Type/Annot/Subtype/Highlight/P 3 0 R/Rect[60 750 560 790]/QuadPoints[60 790 560 790 60 750 560 750]/C[0 0 0]>>"}},
		{"a highlight whose look is black", 3, nil,
			objects{3: strings.Replace(signedObject(3, 3), "/Annots[", "/Annots[80 0 R ", 1),
				80: "<</Type/Annot/Subtype/Highlight/P 3 0 R/Rect[60 750 560 790]/QuadPoints[60 790 560 790 60 750 560 750]/AP<</N 81 0 R>>>>",
				81: stream("/Type/XObject/Subtype/Form/BBox[0 0 500 40]/Resources<</ExtGState<</M<</BM/Multiply>>>>>>", "/M gs 0 0 500 40 re f")}},
	} {
		for _, streams := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/streams %v", test.name, streams), func(t *testing.T) {
				d := firstSigned(t, streams, test.level, "", test.before)
				if v := verifyBytes(t, d.bytes); v.Code != VerdictValid {
					t.Fatalf("before: %s", v.Sentence)
				}
				d = d.add(test.update)
				if v := verifyBytes(t, d.bytes); v.Valid {
					t.Errorf("%s", v.Sentence)
				}
				over := d.signOver(t, mallory(), test.level, test.update[3], test.update[6], "", nil)
				if v := verifyBytes(t, over.bytes); v.Valid {
					t.Errorf("signed over: %s", v.Sentence)
				}
			})
		}
	}
}

// TestDanglingEntry signs a document whose cross-reference points behind its end, and puts
// an object there.
func TestDanglingEntry(t *testing.T) {
	o := formObjects()
	maps.Copy(o, objects{3: strings.Replace(o[3], "/Contents 4 0 R", "/Contents[4 0 R 81 0 R]", 1), 81: stream("", "% here it comes"),
		30: strings.Replace(o[30], "/FT/Sig", "/FT/Sig/V 40 0 R", 1), 6: strings.Replace(o[6], "/SigFlags 1", "/SigFlags 3", 1)})
	for _, at := range []int{20000, 60000} {
		d := newRevised(o.with(40, signatureBody("")), false)
		entry := fmt.Sprintf("%010d 00000 n \n", bytes.Index(d.bytes, []byte("\n81 0 obj"))+1)
		d.bytes = bytes.Replace(d.bytes, []byte(entry), fmt.Appendf(nil, "%010d 00000 n \n", at), 1)
		fillSignature(t, testSigner(), d.bytes)
		if len(d.bytes) > at-300 || !verifyBytes(t, d.bytes).Valid {
			t.Fatalf("%d bytes: %s", len(d.bytes), verifyBytes(t, d.bytes).Sentence)
		}
		b := slices.Clone(d.bytes)
		for len(b)+200 < at {
			b = append(b, "%"+strings.Repeat("x", 100)+"\n"...)
		}
		b = append(b, strings.Repeat(" ", at-len(b))...)
		b = append(b, "81 0 obj\n"+stream("", "BT /F1 24 Tf 72 760 Td (Certificate of Eve) Tj ET")+"\nendobj\n"...)
		start := len(b)
		b = fmt.Appendf(b, "xref\n81 1\n%010d 00000 n \ntrailer\n<</Size 90/Root 1 0 R/Info 20 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", at, d.start, start)
		if v := verifyBytes(t, b); v.Valid {
			t.Errorf("%s", v.Sentence)
		}
	}
}

// TestGenerations gives an object another generation: readers that look at it find what a
// reference of that generation leads to.
func TestGenerations(t *testing.T) {
	d := firstSigned(t, false, 2, "", objects{3: strings.Replace(formObjects()[3], "/Contents 4 0 R", "/Contents[4 0 R 81 1 R]", 1), 81: stream("", "BT /F1 24 Tf 72 760 Td (Certificate of Eve) Tj ET")})
	b := slices.Clone(d.bytes)
	at := len(b)
	b = append(b, "81 1 obj\n"+stream("", "BT /F1 24 Tf 72 760 Td (Certificate of Eve) Tj ET")+"\nendobj\n"...)
	start := len(b)
	b = fmt.Appendf(b, "xref\n81 1\n%010d 00001 n \ntrailer\n<</Size 90/Root 1 0 R/Info 20 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", at, d.start, start)
	if v := verifyBytes(t, b); v.Valid {
		t.Errorf("%s", v.Sentence)
	}
}

// TestObjectTwiceInStream lists an object of an object stream that holds its number twice:
// some readers find the other one.
func TestObjectTwiceInStream(t *testing.T) {
	d := firstSigned(t, true, 2, "", nil)
	for name, packed := range map[string][2]string{
		"twice":    {"5 0 5 60 ", fmt.Sprintf("%-60s%s\n", "<</Type/Font/Subtype/Type1/BaseFont/Symbol>>", formObjects()[5])},
		"unlisted": {"28 0 5 60 ", fmt.Sprintf("%-60s%s\n", "<</Type/ExtGState/ca 0>>", formObjects()[5])},
	} {
		b := slices.Clone(d.bytes)
		at := len(b)
		b = fmt.Appendf(b, "%d 0 obj\n%s\nendobj\n", d.size, deflated(fmt.Sprintf("/Type/ObjStm/N 2/First %d", len(packed[0])), packed[0]+packed[1]))
		start := len(b)
		rows := []byte{2, 0, byte(d.size >> 8), byte(d.size), 1, 1, byte(at >> 16), byte(at >> 8), byte(at), 0, 1, byte(start >> 16), byte(start >> 8), byte(start), 0}
		b = fmt.Appendf(b, "%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n", d.size+1,
			deflated(fmt.Sprintf("/Type/XRef/Size %d/W[1 3 1]/Index[5 1 %d 2]/Prev %d%s", d.size+2, d.size, d.start, d.trailer), string(rows)), start)
		if v := verifyBytes(t, b); v.Valid {
			t.Errorf("%s: %s", name, v.Sentence)
		}
	}
}

// TestHybridRestores changes an object in one update and takes the change back in the next
// one, where only readers look that know cross-reference streams.
func TestHybridRestores(t *testing.T) {
	d := firstSigned(t, false, 2, "", nil)
	was := bytes.Index(d.bytes, []byte("\n4 0 obj\n")) + 1
	d = d.add(objects{4: stream("", "BT /F1 24 Tf 72 760 Td (Certificate of Eve) Tj ET")})
	b := slices.Clone(d.bytes)
	at := len(b)
	row := []byte{1, byte(was >> 16), byte(was >> 8), byte(was), 0, 1, byte(at >> 16), byte(at >> 8), byte(at), 0}
	b = fmt.Appendf(b, "%d 0 obj\n%s\nendobj\n", d.size, deflated(fmt.Sprintf("/Type/XRef/Size %d/W[1 3 1]/Index[4 1 %d 1]%s", d.size+1, d.size, d.trailer), string(row)))
	start := len(b)
	b = fmt.Appendf(b, "xref\n0 1\n0000000000 65535 f \n%d 1\n%010d 00000 n \ntrailer\n<</Size %d/XRefStm %d/Prev %d%s>>\nstartxref\n%d\n%%%%EOF\n", d.size, at, d.size+1, at, d.start, d.trailer, start)
	if v := verifyBytes(t, b); v.Valid {
		t.Errorf("%s", v.Sentence)
	}
}
