package pdf

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font/gofont/goregular"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// accessibleChecker goes through the rules of ISO 14289-1 that a program can decide and that
// documents made here touch. It does not replace a validator of the whole standard.
//
//   - 5: the metadata say PDF/UA-1; 7.1: they have a title, and viewers show it
//   - 6.2, 7.1: the document is tagged, and its tags are not suspect
//   - 7.1: all that is painted is an artifact or has a tag, and neither lies within the other
//   - 7.1: the tree's elements have standard types or are mapped to them, know their parents,
//     and the parent tree leads from each marked content to the element that holds it
//   - 7.2: the document has a language
//   - 7.3: figures have a text in their place
//   - 7.4: the first heading is of level 1, and no level is left out
//   - 7.18: pages with annotations have the order of the structure; widgets lie in Form
//     elements, other annotations in Annot elements, and say what they are
//   - 7.21: fonts are embedded, and say which letters all of their codes stand for
type accessibleChecker struct {
	t    *testing.T
	f    *xref.File
	page *page.Page
	// marks are the elements that hold marked content, objects those that hold annotations.
	marks, objects map[int64]object.Ref
	types          []string
	seen           map[object.Ref]string // elements with their types
	unmarked       int
}

// checkAccessible checks a document; unmarked is how many operators of its background paint
// what is neither an artifact nor tagged.
func checkAccessible(t *testing.T, file []byte, unmarked int) {
	t.Helper()
	f, err := xref.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := page.Find(f, 1)
	if err != nil {
		t.Fatal(err)
	}
	c := accessibleChecker{t: t, f: f, page: p, marks: map[int64]object.Ref{}, objects: map[int64]object.Ref{}, seen: map[object.Ref]string{}}
	c.catalog()
	root, _ := f.Root.Get("StructTreeRoot").Ref()
	c.kids(f.Get(f.Root, "StructTreeRoot"), root)
	c.headings()
	if c.content(); c.unmarked != unmarked {
		t.Errorf("7.1: %d operators paint what is neither an artifact nor tagged, want %d", c.unmarked, unmarked)
	}
	c.parents()
	c.annotations()
	c.fonts()
}

func (c *accessibleChecker) catalog() {
	c.t.Helper()
	f := c.f
	if xmp := metadata(f); !readClaims(f).accessible {
		c.t.Error("5: it does not say that it is PDF/UA")
	} else if !regexp.MustCompile(`(?s)<dc:title>.*<rdf:li[^>]*>[^<]+</rdf:li>`).Match(xmp) {
		c.t.Error("7.1: the metadata have no title")
	}
	if string(f.Get(f.Get(f.Root, "ViewerPreferences"), "DisplayDocTitle").Object) != "true" {
		c.t.Error("7.1: viewers do not show the title")
	}
	if info := f.Get(f.Root, "MarkInfo"); string(f.Get(info, "Marked").Object) != "true" || string(f.Get(info, "Suspects").Object) == "true" {
		c.t.Error("6.2: it is not tagged, or its tags are suspect")
	}
	if len(f.String(f.Get(f.Root, "Lang"))) < 2 {
		c.t.Error("7.2: it has no language")
	}
}

// standardTypes are those of ISO 32000-1, 14.8.4, that occur here.
var standardTypes = strings.Fields("Document Part Sect Div P H H1 H2 H3 H4 H5 H6 L LI Lbl LBody Table TR TH TD Span Link Annot Form Figure Caption NonStruct")

// kids walks over the elements below a node.
func (c *accessibleChecker) kids(node xref.Value, ref object.Ref) {
	c.t.Helper()
	for _, entry := range kidsOf(c.f, node) {
		if n, ok := entry.Int(); ok {
			c.marks[n] = ref
			continue
		}
		kid := c.f.Resolve(entry)
		switch {
		case c.f.Get(kid, "Type").Is("OBJR"):
			if key, ok := c.f.Get(c.f.Get(kid, "Obj"), "StructParent").Int(); ok {
				c.objects[key] = ref
			} else {
				c.t.Error("7.18: an annotation does not know its element")
			}
			continue
		case c.f.Get(kid, "Type").Is("MCR"):
			n, _ := c.f.Get(kid, "MCID").Int()
			c.marks[n] = ref
			continue
		}
		own, ok := entry.Ref()
		if parent, _ := kid.Get("P").Ref(); !ok || parent != ref {
			c.t.Errorf("7.1: element %d does not know its parent %d", own.Num, ref.Num)
		}
		kind := c.f.Get(kid, "S").Text()
		if mapped := c.f.Get(c.f.Get(c.f.Get(c.f.Root, "StructTreeRoot"), "RoleMap"), kind).Text(); mapped != "" && !slices.Contains(standardTypes, kind) {
			kind = mapped
		}
		if !slices.Contains(standardTypes, kind) {
			c.t.Errorf("7.1: an element is a %q", kind)
		}
		if kind == "Figure" && len(c.f.String(c.f.Get(kid, "Alt"))) == 0 {
			c.t.Error("7.3: a figure has no text in its place")
		}
		c.types = append(c.types, kind)
		c.seen[own] = kind
		c.kids(kid, own)
	}
}

func (c *accessibleChecker) headings() {
	c.t.Helper()
	last := 0
	for _, kind := range c.types {
		if len(kind) == 2 && kind[0] == 'H' {
			level := int(kind[1] - '0')
			if level > last+1 {
				c.t.Errorf("7.4: a heading of level %d follows one of level %d", level, last)
			}
			last = level
		}
	}
}

// painting are the operators that leave something on the page.
var painting = strings.Fields("S s f F f* B B* b b* sh Do Tj TJ ' \" BI")

// content looks at all operators of the page.
func (c *accessibleChecker) content() {
	c.t.Helper()
	var all []byte
	for s := range c.f.Elems(c.f.Get(c.page.Value, "Contents")) {
		data, err := c.f.Inflate(s, 1<<24)
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(append(all, data...), '\n')
	}
	if v := c.f.Get(c.page.Value, "Contents"); v.IsStream() {
		all, _ = c.f.Inflate(v, 1<<24)
	}
	var open []string // what marked content is: "artifact", "tag" or "other"
	var operands []object.Object
	for i := 0; ; {
		start, end, err := object.Next(all, i)
		if err != nil {
			break
		}
		word := object.Object(all[start:end])
		i = end
		if word.Kind() != object.Keyword {
			operands = append(operands, word)
			continue
		}
		switch op := string(word); {
		case op == "BMC" || op == "BDC":
			open = append(open, c.mark(operands, open))
		case op == "EMC" && len(open) > 0:
			open = open[:len(open)-1]
		case op == "EMC":
			c.t.Error("7.1: marked content ends that did not begin")
		case slices.Contains(painting, op) && !slices.Contains(open, "artifact") && !slices.Contains(open, "tag"):
			c.unmarked++
		}
		operands = operands[:0]
	}
	if len(open) > 0 {
		c.t.Errorf("7.1: %d marked contents do not end", len(open))
	}
}

// mark says what begins with a BMC or BDC.
func (c *accessibleChecker) mark(operands []object.Object, open []string) string {
	c.t.Helper()
	if len(operands) == 0 {
		return "other"
	}
	kind := "other"
	if operands[0].Is("Artifact") {
		kind = "artifact"
	} else if n, ok := operands[len(operands)-1].Get("MCID").Int(); ok {
		kind = "tag"
		if _, ok := c.marks[n]; !ok {
			c.t.Errorf("7.1: no element holds the marked content %d", n)
		}
	}
	if kind == "artifact" && slices.Contains(open, "tag") || kind == "tag" && slices.Contains(open, "artifact") {
		c.t.Errorf("7.1: a %s lies within another", kind)
	}
	return kind
}

// parents follows the parent tree to the elements.
func (c *accessibleChecker) parents() {
	c.t.Helper()
	tree, ok := readTags(c.f, c.page)
	if !ok || tree == nil {
		c.t.Fatal("7.1: the structure tree cannot be read")
	}
	for n, want := range c.marks {
		if int(n) >= len(tree.marks) {
			c.t.Errorf("7.1: the parent tree does not know the marked content %d", n)
		} else if got, _ := tree.marks[n].Ref(); got != want {
			c.t.Errorf("7.1: the parent tree leads from %d to %d, want %d", n, got.Num, want.Num)
		}
	}
	for key, want := range c.objects {
		if got, _ := tree.parents[key].Ref(); got != want {
			c.t.Errorf("7.18: the parent tree leads from annotation %d to %d, want %d", key, got.Num, want.Num)
		}
		if key >= tree.next {
			c.t.Errorf("7.1: the next key is %d, and %d is in use", tree.next, key)
		}
	}
}

func (c *accessibleChecker) annotations() {
	c.t.Helper()
	n := 0
	for a := range c.f.Elems(c.f.Get(c.page.Value, "Annots")) {
		n++
		key, ok := c.f.Get(a, "StructParent").Int()
		want := "Annot"
		if c.f.Get(a, "Subtype").Is("Widget") {
			want = "Form"
		}
		if kind := c.seen[c.objects[key]]; !ok || kind != want {
			c.t.Errorf("7.18: an annotation lies in %q, want %s", kind, want)
		}
		if len(c.f.String(c.f.Get(a, "TU")))+len(c.f.String(c.f.Get(a, "Contents"))) == 0 {
			c.t.Error("7.18: an annotation does not say what it is")
		}
	}
	if n > 0 && !c.f.Get(c.page.Value, "Tabs").Is("S") {
		c.t.Error("7.18: the page's order is not that of the structure")
	}
}

var mappedCode = regexp.MustCompile(`<([0-9A-F]{4})><[0-9A-F]+>`)

func (c *accessibleChecker) fonts() {
	c.t.Helper()
	for name := range keys(c.f.Get(c.page.Resources, "Font")) {
		font := c.f.Get(c.f.Get(c.page.Resources, "Font"), name)
		descriptor := font
		for cid := range c.f.Elems(c.f.Get(font, "DescendantFonts")) {
			descriptor = cid
		}
		file := c.f.Get(c.f.Get(descriptor, "FontDescriptor"), "FontFile2")
		if !file.IsStream() {
			c.t.Errorf("7.21: the font %s is not embedded", name)
		}
		if !strings.HasPrefix(name, "V") {
			continue // of the background
		}
		data, err := c.f.Inflate(file, 1<<24)
		if err != nil {
			c.t.Fatal(err)
		}
		small, err := ParseFont(data)
		if err != nil {
			c.t.Fatal(err)
		}
		table, err := c.f.Inflate(c.f.Get(font, "ToUnicode"), 1<<20)
		if err != nil {
			c.t.Fatal(err)
		}
		var widths []xref.Value
		for list := range c.f.Elems(c.f.Get(descriptor, "W")) {
			widths = slices.Collect(list.Parts())
		}
		if got := len(mappedCode.FindAll(table, -1)) - 1; got != len(widths)-1 {
			c.t.Errorf("7.21: of %d glyphs %d say what they stand for", len(widths)-1, got)
		}
		for i, w := range widths {
			real := float64(small.Advance(uint16(i))) * 1000 / float64(small.UnitsPerEm)
			if said, _ := w.Real(); said < real-1 || said > real+1 {
				c.t.Errorf("7.21: glyph %d is %g wide in its font and %g in the document", i, real, said)
			}
		}
	}
}

// officeUnmarked is how many lines of the office program's document are unmarked.
const officeUnmarked = 8

// TestAccessible makes documents on backgrounds of several kinds, stamps them in both ways,
// and checks their tags.
func TestAccessible(t *testing.T) {
	regular, _ := faces(t)
	var blank, pictured bytes.Buffer
	if err := WritePage(&blank, 297, 210, nil); err != nil {
		t.Fatal(err)
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 60, 40))); err != nil {
		t.Fatal(err)
	}
	if err := WritePage(&pictured, 297, 210, picture.Bytes()); err != nil {
		t.Fatal(err)
	}
	backgrounds, unmarked := map[string][]byte{"blank": blank.Bytes(), "picture": pictured.Bytes()}, map[string]int{}
	// A background that is PDF/UA itself, as an office program writes it.
	if b, err := os.ReadFile("../../../shared/cases/templates/tagged/bgc.pdf"); err == nil {
		backgrounds["tagged"], unmarked["tagged"] = b, officeUnmarked
	}
	say := func(order int, role Role, says string) Block {
		return Block{Texts: []Text{set(t, goregular.TTF, regular, 24, 100, float64(100+40*order), says)}, Role: role, Order: order}
	}
	for name, b := range backgrounds {
		t.Run(name, func(t *testing.T) {
			sheet, err := NewBackground(b)
			if err != nil {
				t.Fatal(err)
			}
			if sheet, err = sheet.Fix([]Block{say(0, Heading, "Degree"), say(2, Paragraph, "has passed"), say(4, Artifact, "ornament")}); err != nil {
				t.Fatal(err)
			}
			file, err := sheet.Render(Label{Title: "Degree - Ada", Language: "en"}, []Block{say(1, Paragraph, "Ada Lovelace"), say(3, Paragraph, "mathematics")})
			if err != nil {
				t.Fatal(err)
			}
			checkAccessible(t, file, unmarked[name])
			checkAccessible(t, sealed(t, file), unmarked[name])
			inField := sealed(t, file, WithVisibleSignature())
			checkAccessible(t, inField, unmarked[name])
			checkOrder(t, inField, []string{"Degree", "Ada Lovelace", "has passed", "mathematics"})
			checkArchivable(t, name, file, sealed(t, file))
		})
	}
}

// checkArchivable looks at the claim of PDF/A and at what it needs.
func checkArchivable(t *testing.T, name string, file, stamped []byte) {
	t.Helper()
	for _, b := range [][]byte{file, stamped} {
		f, err := xref.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		has := readClaims(f)
		if want := name != "tagged"; want != (has.archivePart == 2 && has.archiveLevel == "A") {
			t.Errorf("it says that it is PDF/A-%d%s", has.archivePart, has.archiveLevel)
		} else if want && (!hasRGBIntent(f) || !isBinary(b)) {
			t.Error("it has no output intent, or its header is one of a text")
		}
		if !f.Get(f.Root, "Version").Is("1.7") {
			t.Error("it does not say of which version it is")
		}
	}
}

// checkOrder compares the order in which poppler reads the elements.
func checkOrder(t *testing.T, file []byte, want []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.pdf")
	write(t, path, file)
	out, err := tool(t, nil, "pdfinfo", "-struct-text", path)
	if err != nil {
		t.Skipf("pdfinfo: %v", err)
	}
	at := 0
	for _, text := range want {
		i := bytes.Index(out[at:], fmt.Appendf(nil, "%q", text))
		if i < 0 {
			t.Errorf("%q is not read, or not in its place: %s", text, out)
			return
		}
		at += i
	}
	if bytes.Contains(out, []byte("ornament")) {
		t.Error("an artifact is read")
	}
}

// TestTaggedImage makes a document of an image with a text in its place.
func TestTaggedImage(t *testing.T) {
	var picture, made bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 60, 40))); err != nil {
		t.Fatal(err)
	}
	if err := FromImage(&made, bytes.NewReader(picture.Bytes()), int64(picture.Len())); err != nil {
		t.Fatal(err)
	}
	file, err := TagImage(made.Bytes(), Label{Title: "Botany - Ada", Language: "en"}, "Botany - Ada")
	if err != nil {
		t.Fatal(err)
	}
	checkAccessible(t, file, 0)
	checkAccessible(t, sealed(t, file), 0)
	without, err := TagImage(made.Bytes(), Label{Title: "Botany - Ada"}, "Botany - Ada")
	if err != nil {
		t.Fatal(err)
	}
	f, err := xref.Open(bytes.NewReader(without), int64(len(without)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if has := readClaims(f); has.accessible || has.archivePart != 2 || has.archiveLevel != "U" {
		t.Errorf("without a language it says %+v", has)
	}
}

// TestLostClaim takes the claim of PDF/UA back where the code cannot be a part of the tags.
func TestLostClaim(t *testing.T) {
	b, err := os.ReadFile("../../../shared/cases/templates/tagged/bgc.pdf")
	if err != nil {
		t.Skip("there is no document of the kind")
	}
	whole := sealed(t, b)
	checkAccessible(t, whole, officeUnmarked)
	tail, err := NewStamper(testSigner()).Stamp(source(b), testMark())
	if err != nil || tail.Lost != "" {
		t.Fatalf("lost %q, %v", tail.Lost, err)
	}
	// The page's entry in the parent tree is no list.
	broken := bytes.Replace(b, []byte("/StructParents 0"), []byte("/StructParents 7"), 1)
	if bytes.Equal(broken, b) {
		t.Fatal("the document has no such entry")
	}
	tail, err = NewStamper(testSigner()).Stamp(source(broken), testMark())
	if err != nil || tail.Lost != "PDF/UA" {
		t.Fatalf("lost %q, %v", tail.Lost, err)
	}
	whole = slices.Concat(broken, tail.Bytes)
	f, err := xref.Open(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if readClaims(f).accessible || !bytes.Contains(metadata(f), []byte("Background")) {
		t.Errorf("the metadata are %s", metadata(f))
	}
}
