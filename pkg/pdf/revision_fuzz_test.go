package pdf

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// drawn are the objects of formObjects that its pages are drawn with.
var drawn = []uint32{2, 4, 5, 16, 18, 19, 25, 28, 29}

// drawnWith is everything that decides what a document's pages show, as its newest version
// has it, but for what its form and its annotations show.
func drawnWith(t *testing.T, b []byte) string {
	t.Helper()
	f, err := xref.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatalf("it is valid and cannot be opened: %v", err)
	}
	defer f.Close()
	var out bytes.Buffer
	for _, num := range drawn {
		v := f.Object(object.Ref{Num: num})
		if num == 18 {
			// The page may have got annotations.
			for _, key := range []string{"Parent", "Contents", "Resources", "MediaBox", "CropBox", "Rotate", "UserUnit", "Group", "AA"} {
				fmt.Fprintf(&out, "%s %s\n", key, v.Get(key))
			}
			continue
		}
		fmt.Fprintf(&out, "%d %s\n", num, v.Object)
		if v.IsStream() {
			data, err := f.Inflate(v, 1<<20)
			fmt.Fprintf(&out, "%s %v\n", data, err)
		}
	}
	for n := range 3 {
		p, err := page.Find(f, n+1)
		if err != nil {
			fmt.Fprintf(&out, "no page %d\n", n+1)
			continue
		}
		fmt.Fprintf(&out, "page %d: %v %v %v %v\n%s\n%s\n", n+1, p.Ref, p.Box, p.Rotate, p.UserUnit, p.Value.Get("Contents"), p.Resources.Object)
	}
	for _, key := range []string{"Pages", "Outlines", "OpenAction", "AA", "OCProperties", "Lang"} {
		fmt.Fprintf(&out, "%s %s\n", key, f.Root.Get(key))
	}
	return out.String()
}

// FuzzRevisions adds whatever comes to signed documents. What is valid still shows what was
// signed.
func FuzzRevisions(f *testing.F) {
	for _, g := range forgeries() {
		f.Add(uint16(4), "<</Length 3>>\nstream\n(a)\nendstream", uint16(80), "<<"+g.says+">>", uint8(g.level), false, false)
	}
	f.Add(uint16(7), "<</Type/Annot/Subtype/Widget/P 3 0 R/FT/Tx/T(note)/V(x)/Rect[50 400 250 420]/AP<</N 8 0 R>>>>", uint16(8), "<</Subtype/Form/BBox[0 0 9 9]/Length 0>>\nstream\n\nendstream", uint8(2), true, true)
	f.Add(uint16(3), "<</Type/Page/Parent 2 0 R/Contents 4 0 R/Annots[80 0 R 7 0 R 9 0 R 12 0 R 17 0 R 22 0 R 23 0 R 24 0 R 27 0 R 30 0 R]>>", uint16(80),
		"<</Type/Annot/Subtype/Text/Rect[1 1 9 9]>>", uint8(3), false, true)
	f.Add(uint16(1), "<</Type/Catalog/Pages 2 0 R/AcroForm 6 0 R/DSS<</Certs[4 0 R]>>>>", uint16(6), "<</Fields[]>>", uint8(0), true, false)
	first := map[string]revised{}
	for level := range uint8(4) {
		for _, streams := range []bool{false, true} {
			first[fmt.Sprint(level, streams)] = firstSigned(f, streams, int(level), "", nil)
		}
	}
	seen := ""
	f.Fuzz(func(t *testing.T, num uint16, body string, second uint16, more string, level uint8, streams, over bool) {
		d := first[fmt.Sprint(level%4, streams)]
		if seen == "" {
			seen = drawnWith(t, d.bytes)
		}
		o := objects{int(num%90) + 1: body}
		o[int(second%90)+1] = more
		next := d.add(o)
		if over {
			next = next.signOver(t, mallory(), int(level%4), o[3], o[6], "", nil)
		}
		v := verifyBytes(t, next.bytes)
		if v.Valid != (v.Code == VerdictValid) || v.Sentence == "" {
			t.Fatalf("%s, %v: %s", v.Code, v.Valid, v.Sentence)
		}
		if !v.Valid {
			return
		}
		if now := drawnWith(t, next.bytes); now != seen {
			t.Fatalf("%s\nwas %s\nis %s", v.Sentence, seen, now)
		}
		for _, s := range v.Signatures {
			if slices.ContainsFunc(s.Changes, func(ch Change) bool { return !ch.Allowed }) {
				t.Fatalf("it is valid with %+v", s)
			}
		}
	})
}

// FuzzUpdates appends raw bytes to a signed document. What is valid still shows what was
// signed.
func FuzzUpdates(f *testing.F) {
	d := firstSigned(f, false, 2, "", nil)
	good := d.add(objects{20: "<</Title(Degree certificate)/Producer(Another)>>"}).bytes[len(d.bytes):]
	f.Add(good)
	f.Add(d.add(objects{4: stream("", "BT ET")}).bytes[len(d.bytes):])
	f.Add(d.add(objects{1: signedObject(2, 1), 71: "free"}).bytes[len(d.bytes):])
	f.Add([]byte("\n"))
	seen := ""
	f.Fuzz(func(t *testing.T, update []byte) {
		if seen == "" {
			seen = drawnWith(t, d.bytes)
		}
		b := slices.Concat(d.bytes, update)
		if v := verifyBytes(t, b); v.Valid && drawnWith(t, b) != seen {
			t.Fatalf("%s\nwas %s\nis %s", v.Sentence, seen, drawnWith(t, b))
		}
	})
}
