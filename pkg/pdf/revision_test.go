package pdf

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// document is a file that grows by revisions.
type revised struct {
	bytes   []byte
	start   int  // of the newest cross-reference
	size    int  // the first object number that is not used
	streams bool // cross-references are streams, and objects stand in object streams
	trailer string
}

// newRevised writes the first revision.
func newRevised(o objects, streams bool) revised {
	d := revised{size: slices.Max(o.numbers()) + 1, streams: streams, trailer: "/Root 1 0 R/Info 20 0 R"}
	d.bytes = []byte("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")
	return d.add(o)
}

// add appends a revision with some objects; a body that is "free" frees its object.
func (d revised) add(o objects) revised {
	if d.streams {
		return d.addStreams(o)
	}
	return d.addTable(o)
}

func (d revised) addTable(o objects) revised {
	b := bytes.NewBuffer(slices.Clone(d.bytes))
	at := map[int]int{}
	for _, n := range o.numbers() {
		if at[n] = b.Len(); o[n] != "free" {
			fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\n", n, o[n])
		}
		d.size = max(d.size, n+1)
	}
	start := b.Len()
	b.WriteString("xref\n0 1\n0000000000 65535 f \n")
	for _, n := range o.numbers() {
		if o[n] == "free" {
			fmt.Fprintf(b, "%d 1\n0000000000 00001 f \n", n)
			continue
		}
		fmt.Fprintf(b, "%d 1\n%010d 00000 n \n", n, at[n])
	}
	prev := ""
	if d.start > 0 {
		prev = fmt.Sprintf("/Prev %d", d.start)
	}
	fmt.Fprintf(b, "trailer\n<</Size %d%s%s>>\nstartxref\n%d\n%%%%EOF\n", d.size, prev, d.trailer, start)
	d.bytes, d.start = b.Bytes(), start
	return d
}

func (d revised) addStreams(o objects) revised {
	b := bytes.NewBuffer(slices.Clone(d.bytes))
	rows := map[int][5]byte{}
	for _, n := range o.numbers() {
		d.size = max(d.size, n+1)
	}
	pack, self := d.size, d.size+1
	d.size += 2
	var index, data strings.Builder
	packed := 0
	for _, n := range o.numbers() {
		switch {
		case o[n] == "free":
			rows[n] = [5]byte{0, 0, 0, 0, 1}
		case strings.Contains(o[n], "stream") || strings.Contains(o[n], "/ByteRange"):
			rows[n] = [5]byte{1, byte(b.Len() >> 16), byte(b.Len() >> 8), byte(b.Len()), 0}
			fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\n", n, o[n])
		default:
			fmt.Fprintf(&index, "%d %d ", n, data.Len())
			data.WriteString(o[n] + "\n")
			rows[n] = [5]byte{2, 0, byte(pack >> 8), byte(pack), byte(packed)}
			packed++
		}
	}
	if packed > 0 {
		rows[pack] = [5]byte{1, byte(b.Len() >> 16), byte(b.Len() >> 8), byte(b.Len()), 0}
		fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\n", pack,
			deflated(fmt.Sprintf("/Type/ObjStm/N %d/First %d", packed, index.Len()), index.String()+data.String()))
	}
	start := b.Len()
	rows[self] = [5]byte{1, byte(start >> 16), byte(start >> 8), byte(start), 0}
	var list, entries []byte
	for _, n := range slices.Sorted(maps.Keys(rows)) {
		row := rows[n]
		list = fmt.Appendf(list, "%d 1 ", n)
		entries = append(entries, row[:]...)
	}
	prev := ""
	if d.start > 0 {
		prev = fmt.Sprintf("/Prev %d", d.start)
	}
	fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n", self,
		deflated(fmt.Sprintf("/Type/XRef/Size %d/W[1 3 1]/Index[%s]%s%s", d.size, list, prev, d.trailer), string(entries)), start)
	d.bytes, d.start = b.Bytes(), start
	return d
}

const signatureRoom = 8192

// signatureBody is the dictionary of a signature that is still to be made.
func signatureBody(extra string) string {
	return "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange[0 AAAAAAAAAA BBBBBBBBBB CCCCCCCCCC]/Contents<" +
		strings.Repeat("0", signatureRoom) + ">/M(D:20260401120000Z)" + extra + ">>"
}

// sign appends a revision with some objects, of which num is the signature's; extra are
// further entries of it.
func (d revised) sign(t testing.TB, s *Signer, num int, extra string, o objects) revised {
	t.Helper()
	d = d.add(o.with(num, signatureBody(extra)))
	fillSignature(t, s, d.bytes)
	return d
}

// fillSignature signs the file in the place that signatureBody left.
func fillSignature(t testing.TB, s *Signer, b []byte) {
	t.Helper()
	gap := bytes.Index(b, []byte("/ByteRange[0 AAAAAAAAAA"))
	if gap < 0 {
		t.Fatal("there is no place for a signature")
	}
	at := gap + bytes.Index(b[gap:], []byte("/Contents<")) + len("/Contents")
	behind := at + signatureRoom + 2
	for i, n := range [3]int{at, behind, len(b) - behind} {
		mark := bytes.Repeat([]byte{byte('A' + i)}, 10)
		copy(b[gap+bytes.Index(b[gap:], mark):], fmt.Appendf(nil, "%-10d", n))
	}
	sum := sha256.Sum256(slices.Concat(b[:at], b[behind:]))
	der, _, err := s.cms.Sign(rand.Reader, sum, nil)
	if err != nil || len(der)*2 > signatureRoom {
		t.Fatalf("sign: %d bytes, %v", len(der), err)
	}
	copy(b[at+1:], fmt.Appendf(nil, "%x", der))
}

// mallory is somebody else's key.
var mallory = sync.OnceValue(func() *Signer { return selfMade("Mallory") })

// dean is the key of a second signer.
var dean = sync.OnceValue(func() *Signer { return selfMade("Dean") })

func selfMade(name string) *Signer {
	key, cert, err := NewSelfSigned(rand.Reader, name, testTime.Add(-time.Hour), 10)
	if err != nil {
		panic(err)
	}
	s, err := LoadSigner(key, cert)
	if err != nil {
		panic(err)
	}
	return s
}

// formObjects are a document of two pages with a form, notes, bookmarks and a place for
// a second signature.
func formObjects() objects {
	const tx = "/Type/Annot/Subtype/Widget/P 3 0 R/F 4/DA(/Helv 10 Tf 0 g)"
	form := func(text string) string {
		return stream("/Type/XObject/Subtype/Form/BBox[0 0 200 20]/Resources<</Font<</Helv 5 0 R>>>>", "BT /Helv 10 Tf 2 5 Td ("+text+") Tj ET")
	}
	return objects{
		1: "<</Type/Catalog/Pages 2 0 R/AcroForm 6 0 R/Outlines 13 0 R/Names 15 0 R/Metadata 21 0 R/Lang(en)>>",
		2: "<</Type/Pages/Kids[3 0 R 18 0 R]/Count 2/Resources<</Font<</F1 5 0 R>>/XObject<</X 16 0 R>>/ExtGState<</G 28 0 R>>>>/MediaBox[0 0 595 842]>>",
		3: "<</Type/Page/Parent 2 0 R/Contents 4 0 R/Annots[7 0 R 9 0 R 12 0 R 17 0 R 22 0 R 23 0 R 24 0 R 27 0 R 30 0 R]>>",
		4: "<</Length 29 0 R>>\nstream\n" + pageText + "\nendstream",
		5: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding 25 0 R>>",
		6: "<</Fields[7 0 R 9 0 R 12 0 R 22 0 R 23 0 R 24 0 R 26 0 R 30 0 R]/SigFlags 1/DR<</Font<</Helv 5 0 R>>>>/DA(/Helv 0 Tf 0 g)>>",

		7:  "<<" + tx + "/FT/Tx/T(note)/V(as it was)/Rect[50 400 250 420]/AP<</N 8 0 R>>>>",
		8:  form("as it was"),
		9:  "<<" + tx + "/FT/Btn/T(agree)/V/Off/AS/Off/Rect[50 370 70 390]/AP<</N<</Yes 10 0 R/Off 11 0 R>>>>>>",
		10: stream("/Type/XObject/Subtype/Form/BBox[0 0 20 20]", "0 0 m 20 20 l S"),
		11: stream("/Type/XObject/Subtype/Form/BBox[0 0 20 20]", "0 0 20 20 re S"),
		12: "<</Type/Annot/Subtype/Widget/P 3 0 R/F 4/FT/Sig/T(second)/Rect[50 300 250 340]>>",
		13: "<</Type/Outlines/First 14 0 R/Last 14 0 R/Count 1>>",
		14: "<</Title(Certificate)/Parent 13 0 R/Dest[3 0 R/Fit]>>",
		15: "<</Dests<</Names[(top)[3 0 R/Fit]]>>>>",
		16: stream("/Type/XObject/Subtype/Form/BBox[0 0 90 20]/Resources<</Font<</F1 5 0 R>>>>", "BT /F1 10 Tf 0 5 Td (grade: 3.0) Tj ET"),
		17: "<</Type/Annot/Subtype/Text/P 3 0 R/Rect[500 500 520 520]/Contents(see page 2)>>",
		18: "<</Type/Page/Parent 2 0 R/Contents 19 0 R>>",
		19: stream("", "BT /F1 12 Tf 72 700 Td (Page two) Tj ET"),
		20: "<</Title(Degree certificate)/Producer(A writer)/ModDate(D:20260101000000Z)>>",
		21: stream("/Type/Metadata/Subtype/XML", xmp("Degree certificate", "2026-01-01T00:00:00Z")),
		22: "<<" + tx + "/FT/Ch/T(course)/Opt[(Law)(Art)]/V(Law)/I[0]/Rect[50 340 250 360]/AP<</N 31 0 R>>>>",
		23: "<<" + tx + "/FT/Btn/Ff 65536/T(logo)/Rect[300 400 350 450]/AP<</N 32 0 R>>>>",
		24: "<<" + tx + "/FT/Tx/Ff 1/T(mark)/V(3.0)/Rect[300 370 350 390]/AP<</N 33 0 R>>>>",
		25: "<</Type/Encoding/Differences[65/A/B/C]>>",
		26: "<</T(group)/FT/Tx/Kids[27 0 R]>>",
		27: "<<" + tx + "/Parent 26 0 R/T(inner)/V(x)/Rect[300 340 350 360]/AP<</N 34 0 R>>>>",
		28: "<</Type/ExtGState/ca 1>>",
		29: fmt.Sprint(len(pageText)),
		30: "<</Type/Annot/Subtype/Widget/P 3 0 R/F 132/FT/Sig/T(first)/Rect[0 0 0 0]>>",
		31: form("Law"), 32: form("logo"), 33: form("3.0"), 34: form("x"),
	}
}

const pageText = "/G gs BT /F1 24 Tf 72 760 Td (Certificate of Ann Example) Tj ET q 1 0 0 1 72 700 cm /X Do Q"

func xmp(title, modified string) string {
	return `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:ModifyDate="` + modified + `">` +
		`<dc:title><rdf:Alt><rdf:li xml:lang="x-default">` + title + `</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`
}

// docMDP are the entries of a signature that certifies at a level.
func docMDP(level int) string {
	return fmt.Sprintf("/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P %d/V/1.2>>>>]", level)
}

// firstSigned is formObjects with some of its objects replaced, signed by the test
// signer: certified at a level, or only approved at level 0.
func firstSigned(t testing.TB, streams bool, level int, extra string, with objects) revised {
	t.Helper()
	o := formObjects()
	maps.Copy(o, with)
	d := newRevised(o, streams)
	signed := objects{30: strings.Replace(o[30], "/FT/Sig", "/FT/Sig/V 40 0 R", 1), 6: strings.Replace(o[6], "/SigFlags 1", "/SigFlags 3", 1)}
	if level > 0 {
		signed[1] = strings.Replace(o[1], "/Catalog", "/Catalog/Perms<</DocMDP 40 0 R>>", 1)
		extra += docMDP(level)
	}
	return d.sign(t, testSigner(), 40, extra, signed)
}

// object is the newest body of an object in the revisions that firstSigned writes.
func signedObject(level, num int) string {
	o := formObjects()
	switch {
	case num == 1 && level > 0:
		return strings.Replace(o[1], "/Catalog", "/Catalog/Perms<</DocMDP 40 0 R>>", 1)
	case num == 30:
		return strings.Replace(o[30], "/FT/Sig", "/FT/Sig/V 40 0 R", 1)
	case num == 6:
		return strings.Replace(o[6], "/SigFlags 1", "/SigFlags 3", 1)
	}
	return o[num]
}

// altered is the newest body of an object with one text replaced by another.
func altered(t testing.TB, level, num int, from, to string) string {
	t.Helper()
	was := signedObject(level, num)
	now := strings.Replace(was, from, to, 1)
	if now == was {
		t.Fatalf("object %d has no %q", num, from)
	}
	return now
}

// signOver appends a signature of somebody in a new field that nobody sees.
func (d revised) signOver(t testing.TB, s *Signer, level int, page, form, catalog string, o objects) revised {
	t.Helper()
	field, sig := d.size, d.size+1
	out := objects{field: fmt.Sprintf("<</Type/Annot/Subtype/Widget/P 3 0 R/F 132/FT/Sig/T(over %d)/Rect[0 0 0 0]/V %d 0 R>>", field, sig)}
	if page == "" {
		page = signedObject(level, 3)
	}
	if form == "" {
		form = signedObject(level, 6)
	}
	out[3] = strings.Replace(page, "/Annots[", fmt.Sprintf("/Annots[%d 0 R ", field), 1)
	out[6] = strings.Replace(form, "/Fields[", fmt.Sprintf("/Fields[%d 0 R ", field), 1)
	if catalog != "" {
		out[1] = catalog
	}
	maps.Copy(out, o)
	return d.sign(t, s, sig, "", out)
}

func verifyBytes(t testing.TB, b []byte, opts ...VerifyOption) Verdict {
	t.Helper()
	v, err := Verify(bytes.NewReader(b), int64(len(b)), opts...)
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return v
}
