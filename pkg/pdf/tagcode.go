package pdf

import "github.com/vecctl/vecctl/pkg/pdf/draw"

// tagCode gives the code and the signature field their places in the document's structure,
// where it has one. Earlier signatures permit no change of it.
func (u *updateWriter) tagCode() {
	if u.signed || u.f.Get(u.f.Root, "StructTreeRoot").IsNull() {
		return
	}
	var ok bool
	if u.tree, ok = readTags(u.f, u.page); !ok {
		return
	}
	last := 1 << 30 // behind all that is there
	if u.inContent {
		code := draw.Block{}
		// Where the field shows the code as well, one of them is enough to be read out.
		if !u.inAppearance {
			code.Tag, code.ID = "Figure", u.tree.nextMark()
			u.elements = append(u.elements, tagElement{tag: code.Tag, alt: u.codeText(), mark: code.ID, order: last})
		}
		u.codeMark = code.Begin()
	}
	u.fieldKey = u.tree.nextKey()
	u.elements = append(u.elements, tagElement{tag: "Form", alt: u.fieldText(), mark: -1, object: u.field, key: u.fieldKey, order: last})
	if u.over.Num != 0 {
		u.overKey = u.tree.nextKey()
		u.elements = append(u.elements, tagElement{tag: "Annot", alt: u.codeText(), mark: -1, object: u.over, key: u.overKey, order: last})
	}
}

// codeText is what is read out in place of the code.
func (u *updateWriter) codeText() string { return "Verification code: " + u.stamp.URL }

// fieldText is what is read out in place of the signature field.
func (u *updateWriter) fieldText() string {
	if u.inAppearance {
		return u.codeText()
	}
	return "Digital signature"
}

// writeTags writes the elements of code and field, and takes back what the document says of
// its accessibility where that would not be true any more.
func (u *updateWriter) writeTags() error {
	if u.tree != nil {
		return u.tree.write(u, u.elements, nil)
	}
	if u.signed || !accessible.Match(metadata(u.f)) {
		return nil
	}
	u.metadata = u.w.NewRef()
	u.lost = "PDF/UA"
	xmp := accessible.ReplaceAll(metadata(u.f), nil)
	return u.w.Stream(u.metadata, []byte("/Type/Metadata/Subtype/XML"), xmp)
}
