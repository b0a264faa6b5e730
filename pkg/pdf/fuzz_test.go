package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// seeds are documents of each kind of structure.
func seeds() [][]byte {
	plain := plainObjects()
	return [][]byte{
		plain.table(""), plain.streamed(), plain.streamed(1, 2, 3, 5), hybrid(), prevLoop(),
		plain.table("")[:300], plain.with(2, "<</Type/Pages/Kids[2 0 R 3 0 R]/Count 1>>").table(""),
		plain.with(4, deflated("", "q BT (a) Tj")).table("/Info<</A(b)>>"),
		plain.with(1, "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]>>>>").with(6, "<</T(a)/FT/Sig/V 5 0 R>>").table(""),
	}
}

// FuzzTail stamps whatever comes: it is refused, or the result is valid.
func FuzzTail(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	seal := NewStamper(testSigner())
	f.Fuzz(func(t *testing.T, b []byte) {
		tail, err := seal.Stamp(source(b), testMark())
		if _, ok := errors.AsType[*Rejection](err); err != nil && !ok {
			t.Fatalf("not a refusal: %v", err)
		}
		if err != nil {
			return
		}
		whole := slices.Concat(b, tail.Bytes)
		if v := mustVerify(t, whole); !v.Valid || v.URL != testURL {
			t.Fatalf("%s", v.Sentence)
		}
	})
}

// FuzzVerify judges whatever comes.
func FuzzVerify(f *testing.F) {
	good := sealed(f, plainObjects().table(""))
	f.Add(good)
	f.Add(sealed(f, plainObjects().streamed(1, 2, 3, 5)))
	f.Add(sealed(f, good))
	f.Add(good[:len(good)-100])
	for _, s := range seeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v := mustVerify(t, b)
		if v.Sentence == "" {
			t.Fatal("no verdict")
		}
		if v.Valid != strings.HasPrefix(v.Sentence, "Valid: ") {
			t.Fatalf("valid is %v, and it is %s", v.Valid, v.Sentence)
		}
		for i, s := range v.Signatures {
			last := i == len(v.Signatures)-1
			if s.Intact && s.Fingerprint == "" || !s.Intact && s.Problem == "" || v.Valid && last && (!s.Intact || !s.CoversWholeFile) {
				t.Fatalf("signature %d of %s is %+v", i, v.Sentence, s)
			}
		}
	})
}

// FuzzOpen reads the objects of whatever comes, by its own cross-reference and
// by a rebuilt one.
func FuzzOpen(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := xref.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if _, ok := errors.AsType[*Rejection](err); !ok {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		defer file.Close()
		for range 2 {
			next, _ := file.NextNumber() // what a bound forbids to read has no numbers
			for num := range min(next, 200) {
				v := file.Object(refTo(num))
				if v.IsStream() {
					file.Inflate(v, 1<<16) // what is damaged is damaged
				}
				for range v.Parts() {
				}
			}
			if file.Repaired || file.Rebuild() != nil {
				return
			}
		}
	})
}

// FuzzObjectStream reads a document whose catalog and pages stand in an object
// stream of any content.
func FuzzObjectStream(f *testing.F) {
	f.Add([]byte("1 0 2 29 3 66 <</Type/Catalog/Pages 2 0 R>><</Type/Pages/Kids[3 0 R]/Count 1>><</Type/Page/MediaBox[0 0 99 99]>>"), 3, 16)
	f.Add([]byte("1 0 1 0 1 99999999999 "), 1<<30, 1<<30)
	f.Add([]byte("6 0 7 0"), -1, -1)
	f.Fuzz(func(t *testing.T, data []byte, n, first int) {
		o := objects{6: stream(fmt.Sprintf("/Type/ObjStm/N %d/First %d/Extends 6 0 R", n, first), string(data))}
		b, at := o.body("1.5")
		var rows []byte
		for i := range 4 {
			rows = append(rows, 2, 0, 6, byte(i))
		}
		start := b.Len()
		rows = append(rows, 0, 0, 0, 0, 0, 0, 0, 0, 1, byte(at[6]>>8), byte(at[6]), 0)
		fmt.Fprintf(b, "8 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n", stream("/Type/XRef/Size 9/W[1 2 1]/Index[0 7]/Root 1 0 R", string(rows)), start)
		file := b.Bytes()
		tail, err := NewStamper(testSigner()).Stamp(source(file), testMark())
		if _, ok := errors.AsType[*Rejection](err); err != nil && !ok {
			t.Fatalf("not a refusal: %v", err)
		}
		if err == nil && !mustVerify(t, slices.Concat(file, tail.Bytes)).Valid {
			t.Fatal("stamped, and not valid")
		}
	})
}

// FuzzAuto looks for the empty corner of a page with any content.
func FuzzAuto(f *testing.F) {
	for _, s := range []string{"q 1 0 0 1 5 5 cm Q", "BT /F1 9 Tf 1 2 Td [(a)-3(b)] TJ ET", "0 0 9 9 re W n /X Do", "BI ID x EI", "1 1 m 2 2 3 3 4 4 c S"} {
		f.Add(s)
	}
	seal := NewStamper(testSigner())
	m := testMark()
	m.Corner = Auto
	f.Fuzz(func(t *testing.T, content string) {
		o := plainObjects().with(4, stream("", content)).with(6, stream("/Subtype/Form/BBox[0 0 50 50]/Resources<</XObject<</X 6 0 R>>>>", content)).
			with(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</X 6 0 R>>>>>>")
		if _, err := seal.Stamp(source(o.table("")), m); err != nil {
			if _, ok := errors.AsType[*Rejection](err); !ok {
				t.Fatal(err)
			}
		}
	})
}
