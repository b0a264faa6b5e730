package pdf

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// claims are the standards that a document says it keeps.
type claims struct {
	archivePart  int    // of ISO 19005 (PDF/A); 0: none
	archiveLevel string // A, B or U
	accessible   bool   // ISO 14289-1 (PDF/UA-1)
}

var (
	archivePart  = regexp.MustCompile(`pdfaid:part\s*(?:=\s*["']|>)\s*(\d)`)
	archiveLevel = regexp.MustCompile(`pdfaid:conformance\s*(?:=\s*["']|>)\s*([ABUabu])`)
	accessible   = regexp.MustCompile(`\s*(?:<pdfuaid:part>\s*\d\s*</pdfuaid:part>|pdfuaid:part\s*=\s*(?:"\d"|'\d'))`)
)

// metadata are a document's metadata; none where they cannot be read.
func metadata(f *xref.File) []byte {
	v := f.Get(f.Root, "Metadata")
	if !v.IsStream() || f.StreamSize(v) > maxMetadata {
		return nil
	}
	xmp, _ := f.Inflate(v, maxMetadata) // of damaged ones, what viewers see of them
	return xmp
}

// isBinary reports whether a file's header says that it is not text, as PDF/A wants it.
func isBinary(file []byte) bool {
	lines := bytes.FieldsFunc(file[:min(len(file), 32)], func(c rune) bool { return c == '\r' || c == '\n' })
	return bytes.HasPrefix(file, []byte("%PDF-1.")) && len(lines) > 1 && len(lines[1]) > 4 && lines[1][0] == '%' &&
		!slices.ContainsFunc(lines[1][1:5], func(c byte) bool { return c < 128 })
}

// readClaims reads what a document says of itself.
func readClaims(f *xref.File) claims {
	xmp := metadata(f)
	var c claims
	if m := archivePart.FindSubmatch(xmp); m != nil {
		c.archivePart, _ = strconv.Atoi(string(m[1])) // it is a digit
	}
	if m := archiveLevel.FindSubmatch(xmp); m != nil {
		c.archiveLevel = strings.ToUpper(string(m[1]))
	}
	c.accessible = accessible.Match(xmp)
	return c
}

// xmp are metadata with a title and the claims (ISO 16684-1).
func (c claims) xmp(title, language string) []byte {
	var b bytes.Buffer
	b.WriteString("<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` + "\n" +
		`<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">`)
	_ = xml.EscapeText(&b, []byte(title)) // a buffer takes all
	b.WriteString("</rdf:li></rdf:Alt></dc:title>")
	if language != "" {
		b.WriteString("<dc:language><rdf:Bag><rdf:li>")
		_ = xml.EscapeText(&b, []byte(language))
		b.WriteString("</rdf:li></rdf:Bag></dc:language>")
	}
	b.WriteString("</rdf:Description>\n" + `<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"><pdf:Producer>vecctl</pdf:Producer></rdf:Description>` + "\n")
	if c.archivePart != 0 {
		fmt.Fprintf(&b, `<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>%d</pdfaid:part>`+
			`<pdfaid:conformance>%s</pdfaid:conformance></rdf:Description>`+"\n", c.archivePart, c.archiveLevel)
	}
	if c.accessible {
		b.WriteString(`<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"><pdfuaid:part>1</pdfuaid:part></rdf:Description>` + "\n")
		if c.archivePart != 0 { // PDF/A wants every property described that it does not know
			b.WriteString(accessibleSchema)
		}
	}
	b.WriteString("</rdf:RDF></x:xmpmeta>\n<?xpacket end=\"w\"?>")
	return b.Bytes()
}

// accessibleSchema describes the properties of PDF/UA for PDF/A (ISO 19005-2, 6.6.2.3).
const accessibleSchema = `<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">` +
	`<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource"><pdfaSchema:schema>PDF/UA Universal Accessibility Schema</pdfaSchema:schema>` +
	`<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI><pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>` +
	`<rdf:li rdf:parseType="Resource"><pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType><pdfaProperty:category>internal</pdfaProperty:category>` +
	`<pdfaProperty:description>Indicates, which part of ISO 14289 standard is followed</pdfaProperty:description></rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>` + "\n"

// isPlain reports whether a background without claims has nothing in it that PDF/A-2 or
// PDF/UA forbids: lines, shades and images in gray or RGB. It knows no more than these, and
// says no of all else.
func isPlain(f *xref.File, p *page.Page) bool {
	if f.Repaired || f.Crypt != nil || !hasOnly(f.Root, "Type", "Pages", "Version", "PageLayout", "PageMode", "OpenAction", "ViewerPreferences", "Names") {
		return false
	}
	if !f.Get(f.Root, "Names").IsNull() && !hasEmptyNames(f) {
		return false
	}
	if action := f.Get(f.Root, "OpenAction"); action.Kind() == object.Dict {
		return false
	}
	if !hasOnly(p.Value, "Type", "Parent", "MediaBox", "CropBox", "TrimBox", "BleedBox", "ArtBox", "Resources", "Contents", "Rotate", "Group") ||
		!hasOnly(p.Resources, "ProcSet", "XObject", "Font", "ColorSpace") {
		return false
	}
	for _, kind := range []string{"Font", "ColorSpace"} {
		for range f.Get(p.Resources, kind).Pairs() {
			return false
		}
	}
	for key := range keys(f.Get(p.Resources, "XObject")) {
		if !isPlainImage(f, f.Get(f.Get(p.Resources, "XObject"), key)) {
			return false
		}
	}
	return drawsPlainly(f, p)
}

// hasEmptyNames reports whether the document's names are those of files that are embedded in
// it, and there is none: so fpdf writes them.
func hasEmptyNames(f *xref.File) bool {
	names := f.Get(f.Root, "Names")
	files := f.Get(names, "EmbeddedFiles")
	for range f.Elems(f.Get(files, "Names")) {
		return false
	}
	return hasOnly(names, "EmbeddedFiles") && hasOnly(files, "Names")
}

// keys yields the names of a dictionary's entries.
func keys(v xref.Value) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range v.Pairs() {
			if !yield(key.Text()) {
				return
			}
		}
	}
}

func hasOnly(v xref.Value, names ...string) bool {
	for key := range keys(v) {
		if !slices.Contains(names, key) {
			return false
		}
	}
	return true
}

// isPlainImage reports whether an XObject is an image in gray or RGB.
func isPlainImage(f *xref.File, v xref.Value) bool {
	if !f.Get(v, "Subtype").Is("Image") || string(f.Get(v, "Interpolate").Object) == "true" ||
		!hasOnly(v, "Type", "Subtype", "Width", "Height", "ColorSpace", "BitsPerComponent", "Filter", "DecodeParms", "Length", "SMask", "Interpolate") {
		return false
	}
	if filter := f.Get(v, "Filter"); !filter.Is("FlateDecode") && !filter.Is("DCTDecode") {
		return false
	}
	colours := f.Get(v, "ColorSpace")
	if colours.Kind() == object.Array {
		parts := slices.Collect(f.Elems(colours))
		if len(parts) != 4 || !parts[0].Is("Indexed") {
			return false
		}
		colours = parts[1]
	}
	if mask := f.Get(v, "SMask"); mask.IsStream() && !isPlainImage(f, mask) {
		return false
	}
	return colours.Is("DeviceRGB") || colours.Is("DeviceGray")
}

// plainOperators are those that PDF/A takes whatever their operands are.
var plainOperators = strings.Fields("q Q cm w J j M d i m l c v y h re S s f F f* B B* b b* n W W* g G rg RG Do BT ET Tf")

// drawsPlainly reports whether content has numbers, names and plain operators only.
func drawsPlainly(f *xref.File, p *page.Page) bool {
	v := f.Get(p.Value, "Contents")
	streams := []xref.Value{v}
	if v.Kind() == object.Array {
		streams = slices.Collect(f.Elems(v))
	}
	for _, s := range streams {
		const most = 16 << 20
		data, err := f.Inflate(s, most)
		if err != nil {
			return false
		}
		data = bytes.Map(func(c rune) rune {
			if strings.ContainsRune("[]", c) { // of dashes
				return ' '
			}
			return c
		}, data)
		for word := range bytes.FieldsSeq(data) {
			number := strings.IndexByte("+-.0123456789", word[0]) >= 0
			if !number && word[0] != '/' && !slices.Contains(plainOperators, string(word)) {
				return false
			}
		}
	}
	return true
}
