package draw

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"unicode/utf16"

	"github.com/vecctl/vecctl/pkg/pdf/object"
)

// embed writes a font with the glyphs that were used of it.
func (j *Renderer) embed(f *usedFont) (object.Ref, error) {
	font, cid, descriptor, file, texts := j.NewRef(), j.NewRef(), j.NewRef(), j.NewRef(), j.NewRef()
	name := f.subsetTag() + "+" + f.Name
	j.Begin(font)
	j.Raw("<</Type/Font/Subtype/Type0/Encoding/Identity-H/BaseFont/" + name + "/DescendantFonts[")
	j.Ref(cid)
	j.Raw("]/ToUnicode")
	j.Ref(texts)
	j.Raw(">>")
	j.End()
	j.Begin(cid)
	j.Raw("<</Type/Font/Subtype/CIDFontType2/CIDToGIDMap/Identity/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/BaseFont/" +
		name + "/FontDescriptor")
	j.Ref(descriptor)
	j.Raw("/W[0[")
	for id := range f.shapes {
		j.Int(int(f.width(uint16(id))))
	}
	j.Raw("]]>>")
	j.End()
	j.writeDescriptor(f, descriptor, file, name)
	small := f.subset(f.shapes)
	data, err := j.Deflate(small)
	if err != nil {
		return font, err
	}
	if err := j.Stream(file, fmt.Appendf(nil, "/Filter/FlateDecode/Length1 %d", len(small)), data); err != nil {
		return font, err
	}
	if data, err = j.Deflate(f.toUnicode()); err != nil {
		return font, err
	}
	return font, j.Stream(texts, []byte("/Filter/FlateDecode"), data)
}

func (j *Renderer) writeDescriptor(f *usedFont, descriptor, file object.Ref, name string) {
	k := 1000 / float64(f.UnitsPerEm)
	capHeight := f.CapHeight
	if capHeight == 0 {
		capHeight = f.Ascent * 7 / 10
	}
	j.Begin(descriptor)
	j.Raw("<</Type/FontDescriptor/Flags 4/StemV 80/FontName/" + name + "/FontBBox[")
	for _, x := range f.Box {
		j.Int(int(float64(x) * k))
	}
	j.Raw("]/ItalicAngle")
	j.Real(f.Slant)
	j.Raw("/Ascent")
	j.Int(int(float64(f.Ascent) * k))
	j.Raw("/Descent")
	j.Int(int(float64(f.Descent) * k))
	j.Raw("/CapHeight")
	j.Int(int(float64(capHeight) * k))
	j.Raw("/FontFile2")
	j.Ref(file)
	j.Raw(">>")
	j.End()
}

// subsetTag is what marks a font as a part of one (ISO 32000-1, 9.6.4): six letters
// that tell parts from each other.
func (f *usedFont) subsetTag() string {
	h := sha256.New()
	for i, s := range f.shapes {
		for _, p := range s.parts {
			h.Write(binary.BigEndian.AppendUint16(nil, p.glyph))
		}
		h.Write([]byte(f.text[i] + "/"))
	}
	sum := h.Sum(nil)
	var tag [6]byte
	for i := range tag {
		tag[i] = 'A' + sum[i]%26
	}
	return string(tag[:])
}

// toUnicode is the table by which viewers copy and find text.
func (f *usedFont) toUnicode() []byte {
	b := []byte("/CIDInit/ProcSet findresource begin 12 dict begin begincmap\n" +
		"/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def/CMapName/Adobe-Identity-UCS def/CMapType 2 def\n" +
		"1 begincodespacerange<0000><FFFF>endcodespacerange\n")
	const most = 100 // in one block
	var rows [][]byte
	for n, says := range f.text {
		if says == "" {
			continue
		}
		row := fmt.Appendf(nil, "<%04X><", n)
		for _, unit := range utf16.Encode([]rune(says)) {
			row = fmt.Appendf(row, "%04X", unit)
		}
		rows = append(rows, append(row, ">\n"...))
	}
	for len(rows) > 0 {
		n := min(most, len(rows))
		b = fmt.Appendf(b, "%d beginbfchar\n", n)
		for _, row := range rows[:n] {
			b = append(b, row...)
		}
		b = append(b, "endbfchar\n"...)
		rows = rows[n:]
	}
	return append(b, "endcmap CMapName currentdict/CMap defineresource pop end end\n"...)
}
