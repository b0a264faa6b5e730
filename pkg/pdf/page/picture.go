package page

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math"

	"golang.org/x/image/ccitt"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const maxPixels = 40_000_000

// picture is an image's shades.
type picture struct {
	w, h, stride int
	shades       []uint8
	alpha        *picture // how much covers; nil: all
	stencil      bool     // its shades say where the colour of the time is painted: 0
}

// paintImage draws an image XObject.
func (b *brush) paintImage(v xref.Value, ref object.Ref) {
	p, known := b.pictures[ref.Num]
	if !known || ref.Num == 0 {
		p = b.readPicture(v, b.resources, 0)
		if ref.Num != 0 {
			b.pictures[ref.Num] = p
		}
	}
	b.paintPicture(p)
}

// paintPicture draws a picture onto the unit square. Nil is one that cannot be read.
func (b *brush) paintPicture(p *picture) {
	d := b.with(dye{}, b.fillAlpha, showsImage)
	if d.none {
		return
	}
	clip := b.clip.intersect(b.ctm.boundingBox(Rect{0, 0, 1, 1}))
	if !(clip.X0 < clip.X1 && clip.Y0 < clip.Y1) {
		return
	}
	if p == nil {
		b.view.unseen = true
		return
	}
	if p.stencil {
		d = b.filling(showsImage)
	}
	det := b.ctm[0]*b.ctm[3] - b.ctm[1]*b.ctm[2]
	if math.Abs(det) < 1e-9 {
		return
	}
	// From cells to the unit square.
	inverse := matrix{b.ctm[3] / det, -b.ctm[1] / det, -b.ctm[2] / det, b.ctm[0] / det}
	inverse[4] = -(b.ctm[4]*inverse[0] + b.ctm[5]*inverse[2])
	inverse[5] = -(b.ctm[4]*inverse[1] + b.ctm[5]*inverse[3])
	dense := math.Sqrt(float64(p.w) * float64(p.h) / math.Abs(det))
	s := sampler{picture: p, inverse: inverse, n: int(min(max(math.Ceil(dense), 2), 4)), dye: d}
	s.findColumns(b.view.w)
	for y := max(0, int(clip.Y0)); y <= min(b.view.h-1, int(clip.Y1)); y++ {
		for x := max(0, int(clip.X0)); x <= min(b.view.w-1, int(clip.X1)); x++ {
			if s.columns == nil || !s.paintUpright(b.view, x, y) {
				s.paint(b.view, x, y)
			}
		}
		if b.painted += max(1, int(clip.W())) * s.n * s.n / 4; b.painted > maxPainted {
			return
		}
	}
}

// sampler paints cells from a picture.
type sampler struct {
	*picture
	inverse matrix
	n       int // samples of a cell along a side
	dye     dye
	columns []int // by samples across the page, of a picture that is upright and covers; -1: beside it
}

// findColumns prepares for a picture that is upright and hides what is below.
func (s *sampler) findColumns(cells int) {
	if s.inverse[1] != 0 || s.inverse[2] != 0 || s.alpha != nil || s.stencil || s.dye.part || s.dye.alpha != 1 || s.dye.mixes {
		return
	}
	s.columns = make([]int, cells*s.n)
	for i := range s.columns {
		s.columns[i] = column(((float64(i)+0.5)/float64(s.n))*s.inverse[0]+s.inverse[4], s.w)
	}
}

// column is the pixel at a place from 0 to 1; -1 beside it.
func column(at float64, n int) int {
	if !(at >= 0 && at < 1) {
		return -1
	}
	return min(n-1, int(at*float64(n)))
}

// paintUpright paints a cell that lies within the picture, and reports whether it does.
func (s *sampler) paintUpright(v *View, x, y int) bool {
	lo, hi := uint8(255), uint8(0)
	columns := s.columns[x*s.n : (x+1)*s.n]
	for j := range s.n {
		row := column(1-(((float64(y*s.n+j)+0.5)/float64(s.n))*s.inverse[3]+s.inverse[5]), s.h)
		if row < 0 || (row+1)*s.stride > len(s.shades) {
			return false
		}
		line := s.shades[row*s.stride : (row+1)*s.stride]
		for _, i := range columns {
			if i < 0 {
				return false
			}
			lo, hi = min(lo, line[i]), max(hi, line[i])
		}
	}
	c := &v.cells[y*v.w+x]
	if lo != c.lo || hi != c.hi {
		c.kind = s.dye.kind
	}
	c.lo, c.hi = lo, hi
	return true
}

func (s *sampler) paint(v *View, x, y int) {
	lo, hi := uint8(255), uint8(0)
	seen, all := 0, s.n*s.n
	alpha := 0.0
	step := 1 / float64(s.n)
	for j := range s.n {
		for i := range s.n {
			at := s.inverse.apply(float64(x)+(float64(i)+0.5)*step, float64(y)+(float64(j)+0.5)*step)
			if at.x < 0 || at.y < 0 || at.x >= 1 || at.y >= 1 {
				continue
			}
			shade, covers := s.at(at)
			if covers == 0 {
				continue
			}
			seen++
			alpha = max(alpha, covers)
			lo, hi = min(lo, shade), max(hi, shade)
		}
	}
	if seen == 0 {
		return
	}
	d := s.dye
	d.alpha *= alpha
	c := &v.cells[y*v.w+x]
	newLo, newHi := d.shaded(lo).mix(c.lo), d.shaded(hi).mix(c.hi)
	if seen < all || d.part || d.noise || alpha < 1 {
		for _, shade := range []uint8{lo, hi} {
			v.touch(y*v.w+x, d.shaded(shade))
		}
		return
	}
	if newLo != c.lo || newHi != c.hi {
		c.kind = d.kind
	}
	c.lo, c.hi = min(newLo, newHi), max(newLo, newHi)
}

func (d dye) shaded(shade uint8) dye {
	d.shade = shade
	return d
}

// at is the shade at a place of the unit square, and how much it covers.
func (s *sampler) at(p point) (shade uint8, covers float64) {
	shade = s.pixel(p)
	if s.stencil {
		if shade != 0 {
			return 0, 0
		}
		return s.dye.shade, 1
	}
	if s.alpha == nil {
		return shade, 1
	}
	return shade, float64(s.alpha.pixel(p)) / 255
}

func (p *picture) pixel(at point) uint8 {
	x, y := min(p.w-1, int(at.x*float64(p.w))), min(p.h-1, int((1-at.y)*float64(p.h)))
	if i := y*p.stride + x; i >= 0 && i < len(p.shades) {
		return p.shades[i]
	}
	return 255
}

// inlineImage draws an image that stands in the content: its dictionary is the operands.
func (b *brush) inlineImage(data []byte) {
	list := []byte("<<")
	for _, o := range b.operands {
		list = append(append(list, ' '), o...)
	}
	v := xref.Value{Object: append(list, ">>"...)}
	data = bytes.TrimSuffix(data, []byte("EI"))
	if len(data) > 0 && object.IsSpace(data[0]) {
		data = data[1:]
	}
	raw, name, params, err := b.f.EncodedInline(v, data, maxInflated)
	if err != nil && len(raw) == 0 {
		b.paintPicture(nil)
		return
	}
	b.paintPicture(b.decodePicture(v, b.resources, encoded{raw, name, params}))
}

// encoded is an image's data, with the filter that only images have.
type encoded struct {
	data   []byte
	filter string
	params xref.Value
}

// readPicture reads an image; nil where it cannot be read.
func (w *painter) readPicture(v, resources xref.Value, depth int) *picture {
	if !v.IsStream() || w.sizeOf(v, "Width", "W")*w.sizeOf(v, "Height", "H") > maxPixels {
		return nil
	}
	data, name, params, err := w.f.Encoded(v, maxPictures)
	if err != nil && len(data) == 0 {
		return nil
	}
	p := w.decodePicture(v, resources, encoded{data, name, params})
	if p == nil || depth > 0 {
		return p
	}
	switch mask := w.f.Get(v, "SMask"); {
	case mask.IsStream():
		p.alpha = w.readPicture(mask, resources, depth+1)
	case w.f.Get(v, "Mask").IsStream():
		if p.alpha = w.readPicture(w.f.Get(v, "Mask"), resources, depth+1); p.alpha != nil {
			p.alpha = p.alpha.inverted() // 0 says what is painted
		}
	}
	return p
}

func (w *painter) sizeOf(v xref.Value, key, short string) int {
	n, ok := w.f.Get(v, key).Int()
	if !ok {
		n, _ = w.f.Get(v, short).Int()
	}
	return int(min(max(n, 0), 1<<20))
}

// entry is that of an image's dictionary, by its long or its short name.
func (w *painter) entry(v xref.Value, key, short string) xref.Value {
	if e := w.f.Get(v, key); !e.IsNull() {
		return e
	}
	return w.f.Get(v, short)
}

func (p *picture) inverted() *picture {
	out := *p
	out.shades = make([]uint8, len(p.shades))
	for i, s := range p.shades {
		out.shades[i] = 255 - s
	}
	return &out
}

// decodePicture makes shades of an image's data.
func (w *painter) decodePicture(v, resources xref.Value, e encoded) *picture {
	width, height := w.sizeOf(v, "Width", "W"), w.sizeOf(v, "Height", "H")
	if width*height == 0 || width*height > maxPixels {
		return nil
	}
	stencil := string(w.entry(v, "ImageMask", "IM").Object) == "true"
	space, bits := grays, w.sizeOf(v, "BitsPerComponent", "BPC")
	if s := w.entry(v, "ColorSpace", "CS"); !s.IsNull() && !stencil {
		space = readSpace(w.f, s, resources, 0)
	}
	var p *picture
	switch e.filter {
	case "":
		if stencil {
			bits = 1
		}
		p = unpack(e.data, width, height, bits, space)
	case "DCTDecode", "DCT":
		p = readJPEG(e.data)
	case "CCITTFaxDecode", "CCF":
		p = w.readFax(e, width, height)
	}
	if p == nil {
		return nil
	}
	for d := range w.f.Elems(w.entry(v, "Decode", "D")) {
		if first, _ := d.Real(); first == 1 && space.kind != indexedSpace {
			p = p.inverted()
		}
		break
	}
	p.stencil = stencil
	return p
}

// readFax reads a fax of one bit a pixel.
func (w *painter) readFax(e encoded, width, height int) *picture {
	k, _ := w.f.Get(e.params, "K").Int()
	if k > 0 {
		return nil // of two kinds of lines: rare, and not understood here
	}
	kind := ccitt.Group3
	if k < 0 {
		kind = ccitt.Group4
	}
	columns := int64(1728)
	if n, ok := w.f.Get(e.params, "Columns").Int(); ok {
		columns = n
	}
	is := func(key string) bool { return string(w.f.Get(e.params, key).Object) == "true" }
	if int64(width) != columns {
		return nil
	}
	in := ccitt.NewReader(bytes.NewReader(e.data), ccitt.MSB, kind, width, height, &ccitt.Options{Align: is("EncodedByteAlign"), Invert: is("BlackIs1")})
	data, err := io.ReadAll(io.LimitReader(in, maxPixels))
	if err != nil && len(data) == 0 {
		return nil
	}
	return unpack(data, width, height, 1, grays)
}

// readJPEG reads a JPEG's shades.
func readJPEG(data []byte) *picture {
	config, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil || config.Width*config.Height > maxPixels {
		return nil
	}
	m, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	return fromImage(m)
}

func fromImage(m image.Image) *picture {
	b := m.Bounds()
	p := &picture{w: b.Dx(), h: b.Dy(), stride: b.Dx()}
	switch m := m.(type) {
	case *image.YCbCr:
		p.shades, p.stride = m.Y, m.YStride
		return p
	case *image.Gray:
		p.shades, p.stride = m.Pix, m.Stride
		return p
	}
	p.shades = make([]uint8, p.w*p.h)
	for y := range p.h {
		for x := range p.w {
			if g, ok := color.GrayModel.Convert(m.At(b.Min.X+x, b.Min.Y+y)).(color.Gray); ok {
				p.shades[y*p.w+x] = g.Y
			}
		}
	}
	return p
}

// unpack makes shades of rows of samples (ISO 32000-1, 8.9.3).
func unpack(data []byte, width, height, bits int, space colourSpace) *picture {
	switch bits {
	case 1, 2, 4, 8, 16:
	default:
		return nil
	}
	n := max(space.n, 1)
	row := (width*n*bits + 7) / 8
	p := &picture{w: width, h: height, stride: width, shades: make([]uint8, width*height)}
	most := float64(uint(1)<<bits - 1)
	single := singleShades(space, bits)
	parts := make([]float64, n)
	for y := range height {
		if (y+1)*row > len(data) {
			for i := y * width; i < len(p.shades); i++ {
				p.shades[i] = 255 // what is missing of a damaged image is not seen
			}
			break
		}
		line := data[y*row:]
		for x := range width {
			switch {
			case single != nil:
				p.shades[y*width+x] = single[sample(line, x, bits)]
				continue
			case space.kind == rgbSpace && bits == 8:
				c := line[3*x : 3*x+3]
				p.shades[y*width+x] = uint8((77*int(c[0]) + 141*int(c[1]) + 38*int(c[2])) >> 8)
				continue
			}
			for i := range parts {
				parts[i] = float64(sample(line, x*n+i, bits)) / most
			}
			if space.kind == labSpace {
				parts[0] *= 100
			}
			p.shades[y*width+x] = space.shade(parts)
		}
	}
	return p
}

// singleShades are those of the values of one sample; nil where a pixel has several.
func singleShades(space colourSpace, bits int) []uint8 {
	if space.n != 1 || bits > 8 {
		return nil
	}
	out := make([]uint8, 1<<bits)
	for i := range out {
		value := float64(i) / float64(len(out)-1)
		if space.kind == indexedSpace {
			value = float64(i)
		}
		out[i] = space.shade([]float64{value})
	}
	return out
}

// sample is the number i of a row.
func sample(line []byte, i, bits int) int {
	switch bits {
	case 8:
		return int(line[i])
	case 16:
		return int(line[2*i])<<8 | int(line[2*i+1])
	}
	at := i * bits
	return int(line[at/8]) >> (8 - bits - at%8) & (1<<bits - 1)
}
