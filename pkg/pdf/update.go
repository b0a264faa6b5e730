package pdf

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/vecctl/vecctl/pkg/pdf/acroform"
	"github.com/vecctl/vecctl/pkg/pdf/cms"
	"github.com/vecctl/vecctl/pkg/pdf/draw"
	"github.com/vecctl/vecctl/pkg/pdf/incremental"
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/qr"
	"github.com/vecctl/vecctl/pkg/pdf/stamp"
)

// updateWriter writes one tail.
type updateWriter struct {
	*analysis
	*scratch
	stamper *Stamper
	w       *incremental.Writer
	stamp   Stamp
	code    *qr.Code
	layout  stamp.Layout
	matrix  [6]float64 // from the drawing's own coordinates to the page's

	form, field, sig, before, after, pageRef object.Ref
	inContent, inAppearance                  bool // the code is in the page's content; it is the field's appearance

	drawing, fonts []byte     // what is drawn in place of the form, with the fonts for it
	tree           *tagTree   // nil: the document has no tags, or none that can be added to
	wraps          bool       // what the page has is marked as a whole, as the wrapper says
	wrapper        draw.Block // of the page's content
	codeMark       string     // the operators that mark the code in the page's content
	elements       []tagElement
	fieldKey       int64 // of the field, and the annotation above it, in the parent tree
	overKey        int64
	metadata       object.Ref // Num 0: they stay as they are
	lost           string     // the standard that the document does not say any more that it keeps

	over object.Ref // the annotation that shows the code above others; Num 0: there is none
}

// write writes all objects of the tail and says where the signature goes.
func (u *updateWriter) write() (signatureOffsets, error) {
	if err := u.w.Start(u.f, rand.Reader, u.buf); err != nil {
		return signatureOffsets{}, err
	}
	// Where fields are drawn anew, viewers may leave out a signature's appearance.
	u.matrix = u.layout.Matrix(u.page)
	u.inContent = (!u.stamper.inField || u.needAppearances) && !u.signed
	// A field's appearance lies above other annotations, and so above a form
	// field that would hide a code in the page's content.
	covered, beyondFields := page.AnnotationsOver(u.f, u.page, u.layout.Rect(u.page))
	u.inAppearance = !u.inContent || u.stamper.inField || covered
	u.form, u.field, u.sig = u.w.NewRef(), u.w.NewRef(), u.w.NewRef()
	if beyondFields && !u.signed { // earlier signatures permit no annotations
		u.over = u.w.NewRef()
	}
	if u.pageRef = u.page.Ref; u.pageRef.Num == 0 {
		u.pageRef = u.w.NewRef()
	}
	u.tagCode()
	steps := []func() error{u.writeForm, u.writeContent, u.rewriteBrokenStreams, u.writePage, u.writeKids, u.writeOver, u.writeField, u.writeTags, u.writeAcroForm}
	for _, step := range steps {
		if err := step(); err != nil {
			return signatureOffsets{}, err
		}
	}
	h, err := u.writeSignature()
	if err != nil {
		return signatureOffsets{}, err
	}
	return h, u.w.Finish(u.fileID())
}

// writeForm writes the Form XObject with code and caption.
func (u *updateWriter) writeForm() error {
	style, resources := stamp.Plain, "/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"
	if u.embeds {
		style, resources = stamp.PDFA, "/ColorSpace<</G[/CalGray<</WhitePoint[.9505 1 1.089]>>]>>"
	}
	var err error
	if u.draw, err = stamp.Draw(u.draw[:0], u.layout, u.code, u.stamp.Caption, style); err != nil {
		return err
	}
	packed, err := u.deflate(u.draw)
	if err != nil {
		return err
	}
	d := u.draw[:0] // compressed already; its memory serves for the dictionary
	d = append(d, "/Subtype/Form/BBox[0 0 "...)
	d = object.AppendReal(d, u.layout.W)
	d = append(d, ' ')
	d = object.AppendReal(d, u.layout.H)
	d = append(d, ']')
	if u.rotated() {
		// A field's appearance is fitted into its rectangle, but not turned.
		m := u.matrix
		m[4], m[5] = 0, 0
		d = append(d, "/Matrix["...)
		d = stamp.AppendMatrix(d, m)
		d = append(d, ']')
	}
	d = append(d, "/Resources<<"...)
	d = append(d, resources...)
	d = append(d, ">>/Filter/FlateDecode"...)
	return u.w.Stream(u.form, d, packed)
}

// rotated reports whether the form turns itself.
func (u *updateWriter) rotated() bool { return u.inAppearance && u.page.Rotate != 0 }

// writeContent writes the streams before and behind the page's own content:
// what the content does to the graphics state does not reach the code.
func (u *updateWriter) writeContent() error {
	if !u.inContent {
		return nil
	}
	u.before, u.after = u.w.NewRef(), u.w.NewRef()
	var b []byte
	if u.wraps {
		b = append(b, u.wrapper.Begin()...)
	}
	b = append(b, 'q')
	b = append(b, strings.Repeat(" q", u.content.SavesBefore-1)...)
	if err := u.w.Stream(u.before, nil, b); err != nil {
		return err
	}
	b = append(b[:0], u.content.After...)
	if u.wraps {
		b = append(b, " EMC"...)
	}
	if u.codeMark != "" {
		b = append(b, ' ')
		b = append(b, u.codeMark...)
	}
	b = append(b, " q "...)
	m := u.matrix
	if u.rotated() {
		m[0], m[1], m[2], m[3] = 1, 0, 0, 1
	}
	b = stamp.AppendMatrix(b, m)
	if u.drawing != nil {
		b = append(b, " cm\n"...)
		b = append(b, u.drawing...)
		packed, err := u.deflate(append(b, 'Q'))
		if err != nil {
			return err
		}
		return u.w.Stream(u.after, []byte("/Filter/FlateDecode"), packed)
	}
	b = append(b, " cm /"...)
	b = append(b, u.formName()...)
	b = append(b, " Do Q"...)
	if u.codeMark != "" {
		b = append(b, " EMC"...)
	}
	return u.w.Stream(u.after, nil, b)
}

// formName is a name that the page's resources do not use yet.
func (u *updateWriter) formName() string {
	taken := u.f.Get(u.page.Resources, "XObject")
	name := "VECQR"
	for n := u.form.Num; taken.Get(name) != nil; n++ {
		name = fmt.Sprintf("VECQR%d", n)
	}
	return name
}

// writePage writes the page object anew with all that it had.
func (u *updateWriter) writePage() error {
	w := u.w
	w.Begin(u.pageRef)
	w.Raw("<<")
	var replaced []string
	if u.inContent {
		replaced = []string{"Contents", "Resources"}
	}
	if u.field.Num != 0 {
		replaced = append(replaced, "Annots")
	}
	if u.tree != nil {
		replaced = append(replaced, "StructParents", "Tabs")
	}
	if err := w.CopyEntries(u.page.Value, replaced); err != nil {
		return err
	}
	if u.field.Num != 0 {
		if err := u.writeAnnots(); err != nil {
			return err
		}
	}
	if u.inContent {
		w.Raw("/Contents[")
		w.Ref(u.before)
		for _, s := range u.content.Streams {
			w.Raw(" ")
			w.Bytes = append(w.Bytes, s...)
		}
		w.Ref(u.after)
		w.Raw("]/Resources<<")
		if err := u.writeResources(); err != nil {
			return err
		}
		w.Raw(">>")
	}
	if u.tree != nil {
		w.Raw("/Tabs/S/StructParents")
		w.Int(int(u.tree.pageKey))
	}
	w.Raw(">>")
	w.End()
	return nil
}

func (u *updateWriter) writeAnnots() error {
	w := u.w
	w.Raw("/Annots[")
	for e := range u.f.Get(u.page.Value, "Annots").Parts() {
		if err := w.Copy(e); err != nil {
			return err
		}
	}
	if u.over.Num != 0 {
		w.Ref(u.over)
	}
	w.Ref(u.field)
	w.Raw("]")
	return nil
}

// writeOver writes an annotation that shows the code where another one lies over the page's
// content: some viewers, and printers, draw no form fields, and the code is in one. It can be
// neither moved nor deleted.
func (u *updateWriter) writeOver() error {
	if u.over.Num == 0 {
		return nil
	}
	w := u.w
	w.Begin(u.over)
	w.Raw("<</Type/Annot/Subtype/Stamp/F 708/P")
	w.Ref(u.pageRef)
	w.Raw("/NM")
	if err := w.Text(fmt.Sprintf("VEC code %d", u.over.Num)); err != nil {
		return err
	}
	w.Raw("/Contents")
	if err := w.Text(u.stamp.URL); err != nil {
		return err
	}
	if u.overKey != 0 {
		w.Raw("/StructParent")
		w.Int(int(u.overKey))
	}
	w.Raw("/AP<</N")
	w.Ref(u.form)
	w.Raw(">>/Rect[")
	r := u.layout.Rect(u.page)
	for _, x := range [4]float64{r.X0, r.Y0, r.X1, r.Y1} {
		w.Real(x)
	}
	w.Raw("]>>")
	w.End()
	return nil
}

func (u *updateWriter) writeResources() error {
	w := u.w
	if u.drawing != nil {
		if err := w.CopyEntries(u.page.Resources, []string{"Font"}); err != nil {
			return err
		}
		w.Raw("/Font<<")
		if err := w.CopyEntries(u.f.Get(u.page.Resources, "Font"), nil); err != nil {
			return err
		}
		w.Bytes = append(w.Bytes, u.fonts...)
		w.Raw(">>")
		return nil
	}
	if err := w.CopyEntries(u.page.Resources, []string{"XObject"}); err != nil {
		return err
	}
	w.Raw("/XObject<<")
	if err := w.CopyEntries(u.f.Get(u.page.Resources, "XObject"), nil); err != nil {
		return err
	}
	w.Raw("/" + u.formName())
	w.Ref(u.form)
	w.Raw(">>")
	return nil
}

// writeField writes the signature field with its widget.
func (u *updateWriter) writeField() error {
	w := u.w
	w.Begin(u.field)
	w.Raw("<</Subtype/Widget/FT/Sig/F 132/T")
	if err := w.Text(fmt.Sprintf("VEC signature %d", u.field.Num)); err != nil {
		return err
	}
	if u.fieldKey != 0 {
		w.Raw("/StructParent")
		w.Int(int(u.fieldKey))
		w.Raw("/TU")
		if err := w.Text(u.fieldText()); err != nil {
			return err
		}
	}
	w.Raw("/P")
	w.Ref(u.pageRef)
	w.Raw("/V")
	w.Ref(u.sig)
	var r page.Rect
	if u.inAppearance {
		r = u.layout.Rect(u.page)
	}
	if u.inAppearance || u.embeds { // PDF/A wants an appearance even where nothing is to be seen
		w.Raw("/AP<</N")
		w.Ref(u.form)
		w.Raw(">>")
	}
	w.Raw("/Rect[")
	for _, x := range [4]float64{r.X0, r.Y0, r.X1, r.Y1} {
		w.Real(x)
	}
	w.Raw("]>>")
	w.End()
	return nil
}

// writeAcroForm enters the field in the document's form, and the certification
// in the catalog.
func (u *updateWriter) writeAcroForm() error {
	w := u.w
	ref, indirect := u.f.Root.Get("AcroForm").Ref()
	indirect = indirect && u.analysis.form.Kind() == object.Dict
	if indirect {
		w.Begin(ref)
		if err := u.writeFields(); err != nil {
			return err
		}
		w.End()
	}
	if indirect && u.signed {
		return nil
	}
	w.Begin(u.f.RootRef)
	w.Raw("<<")
	replaced := []string{"AcroForm", "Perms"}
	if indirect {
		replaced = replaced[1:]
	}
	if u.signed {
		replaced = replaced[:1]
	}
	if u.metadata.Num != 0 {
		replaced = append(replaced, "Metadata")
		w.Raw("/Metadata")
		w.Ref(u.metadata)
	}
	if err := w.CopyEntries(u.f.Root, replaced); err != nil {
		return err
	}
	if !indirect {
		w.Raw("/AcroForm")
		if err := u.writeFields(); err != nil {
			return err
		}
	}
	if !u.signed {
		w.Raw("/Perms<<")
		if err := w.CopyEntries(u.f.Get(u.f.Root, "Perms"), []string{"DocMDP", "UR3", "UR"}); err != nil {
			return err
		}
		w.Raw("/DocMDP")
		w.Ref(u.sig)
		w.Raw(">>")
	}
	w.Raw(">>")
	w.End()
	return nil
}

func (u *updateWriter) writeFields() error {
	w := u.w
	w.Raw("<<")
	replaced := []string{"Fields", "SigFlags"}
	if u.inAppearance && u.needAppearances && acroform.HasAppearances(u.f) {
		replaced = append(replaced, "NeedAppearances")
	}
	if err := w.CopyEntries(u.analysis.form, replaced); err != nil {
		return err
	}
	w.Raw("/SigFlags 3/Fields[")
	for e := range u.f.Get(u.analysis.form, "Fields").Parts() {
		if err := w.Copy(e); err != nil {
			return err
		}
	}
	w.Ref(u.field)
	w.Raw("]>>")
	return nil
}

// writeSignature writes the signature dictionary with room for the signature.
func (u *updateWriter) writeSignature() (signatureOffsets, error) {
	w, m := u.w, u.stamp
	w.Begin(u.sig)
	w.Raw("<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange[0 ")
	h := signatureOffsets{byteRange: len(w.Bytes)}
	w.Raw(strings.Repeat(" ", 3*rangeWidth) + "]/Contents")
	h.contents = len(w.Bytes)
	h.tokenSize = int(u.stamper.tokenSize.Load())
	room := u.stamper.signer.cms.MaxSize(cms.TimestampSize(h.tokenSize) + cms.ProofRoom)
	w.Raw("<")
	w.Bytes = append(w.Bytes, bytes.Repeat([]byte{'0'}, 2*room)...)
	w.Raw(">")
	h.end = len(w.Bytes)
	if m.Name == "" {
		m.Name = u.stamper.signer.Certificate().Subject.CommonName
	}
	texts := []struct{ key, text string }{
		{"/M", object.Date(m.SignedAt.UTC().Format("20060102150405"))},
		{"/Name", m.Name}, {"/Reason", m.Reason}, {"/VECD_Reference", m.Caption}, {"/VECD_URL", m.URL}, {"/VECD_Log", m.Log},
	}
	for _, t := range texts {
		if t.text == "" {
			continue
		}
		w.Raw(t.key)
		if err := w.Text(t.text); err != nil {
			return h, err
		}
	}
	if !u.signed {
		w.Raw("/Reference[<</TransformMethod/DocMDP/TransformParams<</P 2/V/1.2>>>>]")
	}
	w.Raw(">>")
	w.End()
	return h, nil
}

// fileID keeps the first part of the file identifier and makes a second one.
func (u *updateWriter) fileID() [2][]byte {
	var first []byte
	for e := range u.f.Elems(u.f.Get(u.f.Trailer, "ID")) {
		first = e.Bytes()
		break
	}
	h := sha256.New()
	h.Write(first)
	h.Write(binary.LittleEndian.AppendUint64(nil, uint64(u.f.Size())))
	h.Write(u.w.Bytes)
	second := h.Sum(nil)[:16]
	if first == nil && u.f.Crypt == nil {
		first = second // in an encrypted document the first part is a part of the key
	}
	return [2][]byte{first, second}
}
