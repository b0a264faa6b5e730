package pdf

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/readback"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// archive is a PDF/A as Ghostscript writes it, with a profile as its intent.
func archive(t *testing.T, part int) []byte {
	t.Helper()
	profiles, _ := filepath.Glob("/usr/share/color/icc/ghostscript/srgb.icc") // the pattern is a good one
	if _, err := exec.LookPath("gs"); err != nil || len(profiles) == 0 {
		t.Skip("Ghostscript is not installed")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "in.ps"), []byte(`%!PS
[/_objdef {profile} /type /stream /OBJ pdfmark
[{profile} <</N 3>> /PUT pdfmark
[{profile} (`+profiles[0]+`) (r) file /PUT pdfmark
[/_objdef {intent} /type /dict /OBJ pdfmark
[{intent} <</Type/OutputIntent/S/GTS_PDFA1/DestOutputProfile {profile}/OutputConditionIdentifier(sRGB)>> /PUT pdfmark
[{Catalog} <</OutputIntents[{intent}]>> /PUT pdfmark
/Times-Roman 24 selectfont 72 720 moveto (Certificate) show showpage
`))
	out := filepath.Join(dir, "out.pdf")
	mustTool(t, nil, "gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", fmt.Sprintf("-dPDFA=%d", part),
		"-dPDFACompatibilityPolicy=1", "-sColorConversionStrategy=RGB", "--permit-file-read="+profiles[0], "-o", out, filepath.Join(dir, "in.ps"))
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// forbidden is what no update of a PDF/A may bring with it (ISO 19005-1 and -2,
// 6.1 to 6.6), as far as the tail's own objects go.
var forbidden = regexp.MustCompile(`/(Font|BaseFont|Device\w+|Group|SMask|CA|ca|BM|Encrypt|LZWDecode|JavaScript|JS|A|AA|OPI|PS|Ref|TR|HTP|NeedAppearances|DigestValue|DigestMethod|DigestLocation)\b`)

// TestArchives goes through what ISO 19005 asks of the tail of a PDF/A-1b, 2b
// and 3b. It is no validator: it looks at what a tail touches.
func TestArchives(t *testing.T) {
	for part := 1; part <= 3; part++ {
		for name, option := range map[string][]StamperOption{"page": nil, "field": {WithVisibleSignature()}} {
			t.Run(fmt.Sprintf("%d-%s", part, name), func(t *testing.T) {
				original := archive(t, part)
				tail, err := NewStamper(testSigner(), option...).Stamp(source(original), testMark())
				if err != nil {
					t.Fatal(err)
				}
				checkArchive(t, part, original, tail)
				if readback.CanRender() {
					for _, complaint := range complaints(t.Context(), filepath.Join(t.TempDir(), "x"), original, tail) {
						t.Error(complaint)
					}
				}
			})
		}
	}
}

func checkArchive(t *testing.T, part int, original []byte, tail Update) {
	t.Helper()
	whole := slices.Concat(original, tail.Bytes)
	before, err := xref.Open(bytes.NewReader(original), int64(len(original)))
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	f, err := xref.Open(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// The metadata that call it PDF/A, and what its colours mean.
	for _, key := range []string{"Metadata", "OutputIntents"} {
		if was, is := before.Root.Get(key), f.Root.Get(key); was == nil || !bytes.Equal(was, is) {
			t.Errorf("%s was %s and is %s", key, was, is)
		}
	}
	if !bytes.Equal(before.Trailer.Get("Info"), f.Trailer.Get("Info")) {
		t.Error("the document information, which the metadata repeat, is another")
	}
	if n := len(slices.Collect(f.Trailer.Get("ID").Elems())); n != 2 {
		t.Errorf("the file identifier has %d parts", n)
	}
	if part == 1 && f.Streams {
		t.Error("PDF/A-1 knows no cross-reference streams")
	}
	perms := f.Get(f.Root, "Perms")
	for key := range perms.Pairs() {
		if !key.Is("DocMDP") && !key.Is("UR3") {
			t.Errorf("the permissions have %s", key)
		}
	}
	first, err := before.NextNumber()
	if err != nil {
		t.Fatal(err)
	}
	next, err := f.NextNumber()
	if err != nil {
		t.Fatal(err)
	}
	for num := first; num < next; num++ {
		checkArchived(t, f, f.Object(refTo(num)))
	}
}

// checkArchived looks at one object of a tail.
func checkArchived(t *testing.T, f *xref.File, v xref.Value) {
	t.Helper()
	if word := forbidden.Find(v.Object); word != nil {
		t.Errorf("object %d has %s: %.200s", v.Owner.Num, word, v.Object)
	}
	if v.IsStream() {
		drawing, err := f.Inflate(v, 1<<20)
		if err != nil {
			t.Error(err)
		}
		if operator := regexp.MustCompile(`(^|\s)(g|G|rg|RG|k|K|gs|sh|Tf)\s`).Find(drawing); operator != nil {
			t.Errorf("object %d draws with %s", v.Owner.Num, operator)
		}
		// Every resource that a drawing names is in its own dictionary or its page's.
		if f.Get(v, "Subtype").Is("Form") && f.Get(f.Get(f.Get(v, "Resources"), "ColorSpace"), "G").Kind() != object.Array {
			t.Error("the drawing's gray is not in its resources")
		}
	}
	if f.Get(v, "Subtype").Is("Widget") {
		flags, _ := f.Get(v, "F").Int()
		if flags&4 == 0 || flags&(1|2|32) != 0 {
			t.Errorf("the field's flags are %d: it must be printed, and seen", flags)
		}
		for key := range f.Get(v, "AP").Pairs() {
			if !key.Is("N") {
				t.Errorf("the field's appearances have %s", key)
			}
		}
		if !f.Get(f.Get(v, "AP"), "N").IsStream() {
			t.Error("the field has no appearance")
		}
	}
}
