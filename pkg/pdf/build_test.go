package pdf

import (
	"bytes"
	"compress/zlib"
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf/object"
)

const (
	testURL     = "HTTPS://VERIFY.EXAMPLE.EDU/V/VEC-IC-20261A2B3C4D5E6F7"
	testCaption = "VEC-IC-20261A2B3C4D5E6F7"
)

var testTime = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)

// testSigner is one key for all tests, since making one takes its time.
var testSigner = sync.OnceValue(func() *Signer {
	key, cert, err := NewSelfSigned(rand.Reader, "Spring College", testTime, 10)
	if err != nil {
		panic(err)
	}
	s, err := LoadSigner(key, cert)
	if err != nil {
		panic(err)
	}
	return s
})

func testMark() Stamp { return Stamp{URL: testURL, Caption: testCaption, SignedAt: testTime} }

func source(b []byte) Source { return Source{R: bytes.NewReader(b), Size: int64(len(b))} }

// sealed is the verified document of an original.
func sealed(t testing.TB, original []byte, opts ...StamperOption) []byte {
	t.Helper()
	tail, err := NewStamper(testSigner(), opts...).Stamp(source(original), testMark())
	if err != nil {
		t.Fatalf("seal: %v", err)
	}
	return slices.Concat(original, tail.Bytes)
}

// objects are the objects of a document by number. A value that has "stream"
// in it stands as it is; any other is a plain object.
type objects map[int]string

// plainObjects are the smallest document with one page of A4.
func plainObjects() objects {
	return objects{
		1: "<</Type/Catalog/Pages 2 0 R>>",
		2: "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		3: "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R>>",
		4: stream("", "BT /F1 24 Tf 72 760 Td (Certificate) Tj ET"),
		5: "<</Type/Font/Subtype/Type1/BaseFont/Times-Roman>>",
	}
}

// with is o with one object replaced.
func (o objects) with(num int, body string) objects {
	out := objects{num: body}
	for n, b := range o {
		if n != num {
			out[n] = b
		}
	}
	return out
}

func (o objects) numbers() []int {
	var ns []int
	for n := range o {
		ns = append(ns, n)
	}
	slices.Sort(ns)
	return ns
}

func stream(dict, data string) string {
	return fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", dict, len(data), data)
}

func deflated(dict, data string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write([]byte(data))
	z.Close()
	return stream(dict+"/Filter/FlateDecode", b.String())
}

// body writes header and objects, and says where each object is.
func (o objects) body(version string) (*bytes.Buffer, map[int]int) {
	b := bytes.NewBufferString("%PDF-" + version + "\n%\xE2\xE3\xCF\xD3\n")
	at := map[int]int{}
	for _, n := range o.numbers() {
		at[n] = b.Len()
		fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\n", n, o[n])
	}
	return b, at
}

// table writes the document with a classic cross-reference table; trailer are
// further entries of the trailer.
func (o objects) table(trailer string) []byte {
	b, at := o.body("1.4")
	top := slices.Max(o.numbers())
	start := b.Len()
	fmt.Fprintf(b, "xref\n0 %d\n0000000000 65535 f \n", top+1)
	for n := 1; n <= top; n++ {
		if _, ok := o[n]; ok {
			fmt.Fprintf(b, "%010d 00000 n \n", at[n])
		} else {
			b.WriteString("0000000000 00000 f \n")
		}
	}
	fmt.Fprintf(b, "trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n", top+1, trailer, start)
	return b.Bytes()
}

// streamed writes the document with a cross-reference stream and the objects
// that packed names in one object stream.
func (o objects) streamed(packed ...int) []byte {
	plain := objects{}
	top := slices.Max(o.numbers())
	pack, self := top+1, top+2
	var index, data strings.Builder
	for i, n := range packed {
		if i > 0 {
			index.WriteString(" ")
		}
		fmt.Fprintf(&index, "%d %d", n, data.Len())
		data.WriteString(o[n] + "\n")
	}
	for n, b := range o {
		if !slices.Contains(packed, n) {
			plain[n] = b
		}
	}
	if len(packed) > 0 {
		plain[pack] = deflated(fmt.Sprintf("/Type/ObjStm/N %d/First %d", len(packed), index.Len()+1), index.String()+"\n"+data.String())
	}
	b, at := plain.body("1.5")
	start := b.Len()
	at[self] = start
	var rows []byte
	for n := range self + 1 {
		row := []byte{0, 0, 0, 0, 0}
		if i := slices.Index(packed, n); i >= 0 {
			row = []byte{2, 0, byte(pack >> 8), byte(pack), byte(i)}
		} else if off, ok := at[n]; ok {
			row = []byte{1, byte(off >> 16), byte(off >> 8), byte(off), 0}
		}
		rows = append(rows, row...)
	}
	fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n", self,
		deflated(fmt.Sprintf("/Type/XRef/Size %d/W[1 3 1]/Root 1 0 R", self+1), string(rows)), start)
	return b.Bytes()
}

// updated appends a classic incremental update.
func updated(original []byte, prev int, size int, o objects) []byte {
	b := bytes.NewBuffer(slices.Clone(original))
	at := map[int]int{}
	for _, n := range o.numbers() {
		at[n] = b.Len()
		fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\n", n, o[n])
	}
	start := b.Len()
	b.WriteString("xref\n")
	for _, n := range o.numbers() {
		fmt.Fprintf(b, "%d 1\n%010d 00000 n \n", n, at[n])
	}
	fmt.Fprintf(b, "trailer\n<</Size %d/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", size, prev, start)
	return b.Bytes()
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// cut is what stands in front of a word.
func cut(b []byte, word string) []byte {
	before, _, _ := bytes.Cut(b, []byte(word))
	return before
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&15 + 9
}

func refTo(num uint32) object.Ref { return object.Ref{Num: num} }
