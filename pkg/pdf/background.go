package pdf

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/vecctl/vecctl/pkg/pdf/draw"
	"github.com/vecctl/vecctl/pkg/pdf/image"
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
	"github.com/vecctl/vecctl/pkg/pdf/stamp"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Font is a TrueType font for Text.
type Font = draw.Font

// ParseFont reads a TrueType font. The error is what is wrong with it, without
// its name.
func ParseFont(file []byte) (*Font, error) { return draw.ParseFont(file) }

// Text is a row of glyphs of one font.
type Text = draw.Text

// Glyph is one of a Text.
type Glyph = draw.Glyph

// Background is a page that many documents are printed on: what all of them share
// is read once. It is safe for concurrent use.
type Background struct {
	base     []byte
	w, h     float64
	claims   claims    // that a document can make
	lost     []string  // claims that documents cannot make, with the reasons
	orders   []int     // the places of the blocks that are printed
	untagged bool      // the background has text; where it has no tags, that is one paragraph
	alt      string    // what is read out in place of the page; empty: it is an ornament
	analyses sync.Pool // of *analysis, on files that stay open
	scratch  sync.Pool // of *scratch
}

// NewBackground takes a PDF of one page as the background.
func NewBackground(background []byte) (*Background, error) {
	s, st, err := newBackground(background)
	if err != nil {
		return nil, err
	}
	defer s.analyses.Put(st)
	text := page.ReadText(st.f, 1)
	s.untagged = strings.TrimSpace(text.Words) != "" || text.Unreadable > 0
	s.findClaims(st)
	return s, nil
}

func newBackground(background []byte) (*Background, *analysis, error) {
	s := &Background{base: background}
	st, err := s.analysis()
	if err != nil {
		return nil, nil, err
	}
	if st.f.Crypt != nil {
		return nil, nil, reject.New(reject.Encrypted, "The background is encrypted")
	}
	if n := countPages(st.f); n != 1 {
		return nil, nil, reject.Newf(reject.NoSuchPage, "The background has %d pages: it must have one", n)
	}
	if st.signed {
		return nil, nil, reject.New(reject.ChangesForbidden, "The background carries a signature")
	}
	s.w, s.h = st.page.VisibleSize()
	return s, st, nil
}

// findClaims finds out what a document on the background can say of itself.
func (s *Background) findClaims(st *analysis) {
	has := readClaims(st.f)
	if st.f.Get(st.f.Root, "Metadata").IsNull() && isBinary(s.base) && isPlain(st.f, st.page) {
		s.claims = claims{archivePart: 2, archiveLevel: "A", accessible: true}
		return
	}
	tree, ok := readTags(st.f, st.page)
	switch {
	case has.accessible && tree != nil && ok:
		s.claims.accessible = true
	case has.accessible:
		s.lost = append(s.lost, "PDF/UA, although the background is: nothing can be added to its structure")
	default:
		s.lost = append(s.lost, "PDF/UA: the background is not")
	}
	switch {
	case has.archivePart >= 2 && has.archivePart <= 3 && hasRGBIntent(st.f):
		s.claims.archivePart, s.claims.archiveLevel = has.archivePart, "B"
	case has.archivePart >= 2 && has.archivePart <= 3:
		s.lost = append(s.lost, "PDF/A, although the background is: the colours of texts are RGB, and its output intent is another")
	case has.archivePart == 1:
		s.lost = append(s.lost, "PDF/A, although the background is: it is PDF/A-1; save it as PDF/A-2")
	default:
		s.lost = append(s.lost, "PDF/A: the background is not, and has more in it than lines, shades and images in gray or RGB")
	}
}

// Lost are the standards that documents on the background do not say they keep, each with
// the reason.
func (s *Background) Lost() []string { return s.lost }

// hasRGBIntent reports whether the output intent of a PDF/A is a profile of RGB.
func hasRGBIntent(f *xref.File) bool {
	for intent := range f.Elems(f.Get(f.Root, "OutputIntents")) {
		if n, ok := f.Get(f.Get(intent, "DestOutputProfile"), "N").Int(); ok && f.Get(intent, "S").Is("GTS_PDFA1") {
			return n == 3
		}
	}
	return false
}

// countPages counts the pages that can be reached, two at most.
func countPages(f *xref.File) int {
	if _, err := page.Find(f, 2); err == nil {
		return max(2, page.Count(f))
	}
	return 1
}

// WritePage makes a PDF of one page of a size in millimetres, with an image, where
// one is given, over all of it.
func WritePage(w io.Writer, widthMM, heightMM float64, picture []byte) error {
	return image.WritePage(w, widthMM, heightMM, picture)
}

// Size is the page's size as a reader sees it, in points of 1/72 inch.
func (s *Background) Size() (w, h float64) { return s.w, s.h }

// Bytes is the page with nothing printed on it.
func (s *Background) Bytes() []byte { return s.base }

func (s *Background) analysis() (*analysis, error) {
	if st, ok := s.analyses.Get().(*analysis); ok {
		return st, nil
	}
	f, err := xref.Open(bytes.NewReader(s.base), int64(len(s.base)))
	if err != nil {
		return nil, err
	}
	return analyze(f, 1, true)
}

// Role is what a block is for anyone who listens to a document.
type Role string

// The roles.
const (
	Heading   Role = "heading"
	Paragraph Role = "paragraph"
	Artifact  Role = "artifact" // it is not read out
)

// Block are texts that belong together.
type Block struct {
	Texts []Text
	Role  Role
	Order int // its place among the blocks, as they are read
}

// Label is what a document says of itself.
type Label struct {
	Title    string
	Language string // such as "en"; empty: it is not known
}

// Fix prints blocks that are the same on all documents, and returns the page with them as a
// background.
func (s *Background) Fix(blocks []Block) (*Background, error) {
	file, err := s.Render(Label{}, blocks)
	if err != nil {
		return nil, err
	}
	fixed, st, err := newBackground(file)
	if err != nil {
		return nil, err
	}
	fixed.analyses.Put(st)
	fixed.claims, fixed.lost, fixed.orders = s.claims, s.lost, slices.Clone(s.orders)
	for _, b := range tagged(blocks) {
		fixed.orders = append(fixed.orders, b.Order)
	}
	slices.Sort(fixed.orders)
	return fixed, nil
}

// TagImage makes a document of the page of an image, as FromImage writes it, with a title and
// a text that is read out in place of the image.
func TagImage(page []byte, label Label, alt string) ([]byte, error) {
	s, err := NewBackground(page)
	if err != nil {
		return nil, err
	}
	s.alt = alt
	return s.Render(label, nil)
}

// tagged are the blocks that have an element of their own.
func tagged(blocks []Block) []Block {
	return slices.DeleteFunc(slices.Clone(blocks), func(b Block) bool { return b.Role == Artifact || len(b.Texts) == 0 })
}

// Render makes a document: the page with blocks on it. The same blocks always give
// the same bytes.
func (s *Background) Render(label Label, blocks []Block) ([]byte, error) {
	st, err := s.analysis()
	if err != nil {
		return nil, err
	}
	defer s.analyses.Put(st)
	d, ok := s.scratch.Get().(*scratch)
	if !ok {
		d = newScratch()
	}
	defer s.scratch.Put(d)
	u := updateWriter{analysis: st, scratch: d, w: &d.w, inContent: true, matrix: stamp.Layout{}.Matrix(st.page)}
	err = s.write(&u, label, blocks)
	d.buf = d.w.Bytes
	if err != nil {
		return nil, err
	}
	return slices.Concat(s.base, d.w.Bytes), nil
}

func (s *Background) write(u *updateWriter, label Label, blocks []Block) error {
	if err := u.w.Start(u.f, nil, u.buf); err != nil {
		return err
	}
	if u.pageRef = u.page.Ref; u.pageRef.Num == 0 {
		u.pageRef = u.w.NewRef()
	}
	var known bool
	if u.tree, known = readTags(u.f, u.page); u.tree == nil && known {
		u.tree = newTagTree(u)
		u.wrapper = draw.Block{}
		switch {
		case s.alt != "":
			u.wrapper.Tag = "Figure"
		case s.untagged:
			u.wrapper.Tag = "P"
		}
		u.wraps = true
	}
	elements, err := s.drawBlocks(u, blocks)
	if err != nil {
		return err
	}
	for _, step := range []func() error{u.writeContent, u.rewriteBrokenStreams, u.writePage, u.writeKids} {
		if err := step(); err != nil {
			return err
		}
	}
	if u.tree != nil {
		if err := u.tree.write(u, elements, s.orders); err != nil {
			return err
		}
	}
	if err := s.writeCatalog(u, label); err != nil {
		return err
	}
	return u.w.Finish(u.fileID())
}

// drawBlocks draws the blocks for the page's content, and returns their elements.
func (s *Background) drawBlocks(u *updateWriter, blocks []Block) ([]tagElement, error) {
	var elements []tagElement
	add := func(tag string, order int) int {
		e := tagElement{tag: tag, mark: u.tree.nextMark() + len(elements), order: order}
		elements = append(elements, e)
		return e.mark
	}
	if u.wrapper.Tag != "" {
		u.wrapper.ID = add(u.wrapper.Tag, -1)
		elements[0].alt = s.alt
	}
	tags := map[Role]string{Heading: "H1", Paragraph: "P", Artifact: ""}
	var drawn []draw.Block
	for _, b := range blocks {
		d := draw.Block{Texts: b.Texts}
		if tag := tags[b.Role]; tag != "" && len(b.Texts) > 0 && u.tree != nil {
			d.Tag, d.ID = tag, add(tag, b.Order)
		}
		drawn = append(drawn, d)
	}
	job := draw.Renderer{Writer: u.w, Deflate: u.deflate, Width: s.w, Height: s.h, Prefix: fmt.Sprintf("V%d", u.w.NewRef().Num)}
	var err error
	u.drawing, u.fonts, err = job.WriteBlocks(drawn)
	return elements, err
}

// writeCatalog writes what a document says of itself.
func (s *Background) writeCatalog(u *updateWriter, label Label) error {
	c := s.claims
	if label.Language == "" || u.tree == nil {
		c.accessible = false
	}
	if c.archiveLevel == "A" && !c.accessible {
		c.archiveLevel = "U"
	}
	w := u.w
	meta := w.NewRef()
	if err := w.Stream(meta, []byte("/Type/Metadata/Subtype/XML"), c.xmp(label.Title, label.Language)); err != nil {
		return err
	}
	intent, err := s.writeIntent(u)
	if err != nil {
		return err
	}
	w.Info = w.NewRef()
	w.Begin(w.Info)
	w.Raw("<</Producer(vecctl)/Title")
	if err := w.Text(label.Title); err != nil {
		return err
	}
	w.Raw(">>")
	w.End()
	w.Begin(u.f.RootRef)
	w.Raw("<<")
	replaced := []string{"Metadata", "MarkInfo", "ViewerPreferences", "StructTreeRoot", "Version", "Lang"}
	if hasEmptyNames(u.f) {
		replaced = append(replaced, "Names")
	}
	if intent.Num != 0 {
		replaced = append(replaced, "OutputIntents")
		w.Raw("/OutputIntents[")
		w.Ref(intent)
		w.Raw("]")
	}
	if err := w.CopyEntries(u.f.Root, replaced); err != nil {
		return err
	}
	w.Raw("/Version/1.7/Metadata")
	w.Ref(meta)
	if err := s.writeReading(u, label); err != nil {
		return err
	}
	w.Raw(">>")
	w.End()
	return nil
}

// writeReading writes the catalog's entries about how the document is read.
func (s *Background) writeReading(u *updateWriter, label Label) error {
	w := u.w
	if u.tree != nil {
		w.Raw("/MarkInfo<</Marked true>>/StructTreeRoot")
		w.Ref(u.tree.rootRef)
	} else if err := w.CopyEntries(u.f.Root, slices.DeleteFunc(slices.Collect(keys(u.f.Root)), func(key string) bool {
		return key == "MarkInfo" || key == "StructTreeRoot"
	})); err != nil {
		return err
	}
	if label.Language != "" {
		w.Raw("/Lang")
		if err := w.Text(label.Language); err != nil {
			return err
		}
	} else if lang := u.f.Root.Key("Lang"); !lang.IsNull() {
		w.Raw("/Lang")
		if err := w.Copy(lang); err != nil {
			return err
		}
	}
	w.Raw("/ViewerPreferences<<")
	if err := w.CopyEntries(u.f.Get(u.f.Root, "ViewerPreferences"), []string{"DisplayDocTitle"}); err != nil {
		return err
	}
	w.Raw("/DisplayDocTitle true>>")
	return nil
}

// writeIntent writes what the colours of an archivable document mean; Num is 0 where that is
// said already.
func (s *Background) writeIntent(u *updateWriter) (object.Ref, error) {
	var none object.Ref
	if s.claims.archivePart == 0 || !u.f.Get(u.f.Root, "OutputIntents").IsNull() {
		return none, nil
	}
	profile, err := u.deflate(draw.SRGB())
	if err != nil {
		return none, err
	}
	w := u.w
	ref, intent := w.NewRef(), w.NewRef()
	if err := w.Stream(ref, []byte("/N 3/Filter/FlateDecode"), profile); err != nil {
		return none, err
	}
	w.Begin(intent)
	w.Raw("<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)/Info(sRGB)/DestOutputProfile")
	w.Ref(ref)
	w.Raw(">>")
	w.End()
	return intent, nil
}
