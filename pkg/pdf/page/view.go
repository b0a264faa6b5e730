package page

import (
	"math"
	"slices"

	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Content that a view tells apart.
type shownKind uint8

const (
	showsGround shownKind = iota
	showsText
	showsDrawing
	showsImage
	showsAnnotation
)

const (
	cellSize    = 2.0 // points; a hair in a cell is seen all the same
	maxSide     = 900 // cells along a page's longer side
	maxPainted  = 24_000_000
	contrast    = 32  // of 255: less is the ground's own shade, a watermark or the grain of a scan
	frameShare  = 0.7 // of the page's sides: what reaches so far is a frame or a pattern
	bandShare   = 0.5 // of a page's side: what is as long is a ground
	frameCover  = 0.4 // of a place: a frame leaves more than the rest free
	specks      = 3   // cells of an image; so few are dust
	blockSize   = 24  // cells: a part of the page whose ground is taken as one
	maxPictures = 96 << 20
)

// cell is a small square of a page: the darkest and the lightest that it shows, and what
// was painted there last.
type cell struct {
	lo, hi uint8
	kind   shownKind
}

func (c cell) middle() uint8 { return uint8((int(c.lo) + int(c.hi)) / 2) }

// marked reports whether a cell shows more than the ground.
func (c cell) marked(ground uint8) bool {
	return int(c.lo) < int(ground)-contrast || int(c.hi) > int(ground)+contrast
}

// View is a page as a reader sees it, coarsely: enough to find out where it is free.
// What is hidden below something else, switched off, transparent or as light as the
// ground does not count.
type View struct {
	box     Rect
	scale   float64 // cells a unit
	w, h    int
	cells   []cell
	grounds []uint8 // by block
	whole   uint8   // the shade of the page's ground
	unseen  bool

	components []int32 // of cells that hang together; 0: not reached yet
	wide       []bool  // by component: it reaches over nearly all of the page
}

// Shown is what a place on a page shows.
type Shown struct {
	Text, Drawing, Image, Annotation bool
	Frame                            bool // a part of what goes around, or over, the whole page
	Unseen                           bool // the page holds what cannot be looked at
}

// Free reports whether nothing is there.
func (s Shown) Free() bool { return s == Shown{} }

// Covers reports whether something is there that says something.
func (s Shown) Covers() bool {
	return s.Text || s.Drawing || s.Image || s.Annotation || s.Unseen
}

// Look looks at a page. The file is read for its pictures too, so that it should be one
// that is read for nothing else.
func Look(f *xref.File, p *Page) *View {
	v := newView(p.Box)
	content, err := ReadContent(f, p)
	if err != nil {
		return Unseen(p)
	}
	var data []byte
	for _, o := range content.Streams {
		part, _ := f.Inflate(f.Resolve(p.Part(o)), maxInflated-len(data)) // of a damaged stream, what viewers see of it
		data = append(append(data, part...), '\n')
	}
	f.AllowPictures(maxPictures)
	w := painter{view: v, f: f, hidden: ReadHiddenLayers(f), pictures: map[uint32]*picture{}}
	state := newPaintState(p.Box)
	state.ctm = matrix{v.scale, 0, 0, v.scale, -p.Box.X0 * v.scale, -p.Box.Y0 * v.scale}
	state.clip = Rect{0, 0, float64(v.w), float64(v.h)}
	w.run(data, p.Resources, state, 0)
	w.annotations(p)
	v.unseen = v.unseen || w.painted > maxPainted || w.tokens > maxTokens
	return v
}

// Unseen is the view of a page that could not be looked at.
func Unseen(p *Page) *View {
	v := newView(p.Box)
	v.unseen = true
	return v
}

func newView(box Rect) *View {
	v := &View{box: box, scale: min(1/cellSize, maxSide/max(box.W(), box.H(), 1))}
	v.w, v.h = max(1, int(math.Ceil(box.W()*v.scale))), max(1, int(math.Ceil(box.H()*v.scale)))
	v.cells = make([]cell, v.w*v.h)
	for i := range v.cells {
		v.cells[i] = cell{lo: 255, hi: 255}
	}
	return v
}

// Shows says what the rectangle r, in the page's user space, shows.
func (v *View) Shows(r Rect) Shown {
	x0, x1 := v.span(r.X0-v.box.X0, r.X1-v.box.X0, v.w)
	y0, y1 := v.span(r.Y0-v.box.Y0, r.Y1-v.box.Y0, v.h)
	s := Shown{Unseen: v.unseen}
	total := (x1 - x0) * (y1 - y0)
	if total <= 0 {
		return s
	}
	var shades [256]int
	for y := y0; y < y1; y++ {
		for _, c := range v.cells[y*v.w+x0 : y*v.w+x1] {
			shades[c.middle()]++
		}
	}
	ground := median(shades[:], total)
	var seeds []int
	var count [showsAnnotation + 1]int
	for y := y0; y < y1; y++ {
		for i := y*v.w + x0; i < y*v.w+x1; i++ {
			if v.cells[i].marked(ground) {
				seeds = append(seeds, i)
				count[v.cells[i].kind]++
			}
		}
	}
	s.Text, s.Annotation = count[showsText] > 0, count[showsAnnotation] > 0
	framed := v.frames(seeds, &count)
	s.Frame = framed > 0
	if float64(framed) > frameCover*float64(total) {
		s.Frame, s.Drawing = false, true
	}
	s.Drawing = s.Drawing || count[showsDrawing]+count[showsGround] > 0
	s.Image = count[showsImage] > specks
	if s.Free() && v.isPatch((x0+x1)/2, (y0+y1)/2, ground) {
		s.Drawing = true
	}
	return s
}

// isPatch reports whether a place of one shade is a part of something that is drawn there,
// and not of the page's ground, of a band or of a half of it.
func (v *View) isPatch(x, y int, shade uint8) bool {
	v.findGrounds()
	near := func(a, b uint8) bool { return int(a)-int(b) <= contrast && int(b)-int(a) <= contrast }
	if near(shade, v.whole) {
		return false
	}
	run := func(dx, dy int) (n int) {
		for cx, cy := x+dx, y+dy; cx >= 0 && cy >= 0 && cx < v.w && cy < v.h && near(v.cells[cy*v.w+cx].middle(), shade); n++ {
			cx, cy = cx+dx, cy+dy
		}
		return n
	}
	return float64(run(-1, 0)+run(1, 0)) < bandShare*float64(v.w) && float64(run(0, -1)+run(0, 1)) < bandShare*float64(v.h)
}

// span are the cells whose middle lies between two places.
func (v *View) span(from, to float64, most int) (int, int) {
	return max(0, int(math.Ceil(from*v.scale-0.5))), min(most, int(math.Floor(to*v.scale-0.5))+1)
}

// frames takes those cells out of the count that belong to a frame, and says how many
// there are.
func (v *View) frames(seeds []int, count *[showsAnnotation + 1]int) (framed int) {
	if len(seeds) == 0 {
		return 0
	}
	v.findGrounds()
	if v.components == nil {
		v.components, v.wide = make([]int32, len(v.cells)), []bool{false}
	}
	for _, i := range seeds {
		k := v.cells[i].kind
		if k == showsText || k == showsAnnotation {
			continue
		}
		if v.components[i] == 0 {
			v.wide = append(v.wide, v.flood(i, int32(len(v.wide))))
		}
		if v.wide[v.components[i]] {
			count[k]--
			framed++
		}
	}
	return framed
}

// flood numbers the cells that hang together with a cell, and reports whether they reach
// over nearly all of the page.
func (v *View) flood(start int, number int32) bool {
	left, right, low, high := v.w, 0, v.h, 0
	pending := []int{start}
	v.components[start] = number
	for len(pending) > 0 {
		i := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		x, y := i%v.w, i/v.w
		left, right, low, high = min(left, x), max(right, x), min(low, y), max(high, y)
		for ny := max(0, y-1); ny <= min(v.h-1, y+1); ny++ {
			for nx := max(0, x-1); nx <= min(v.w-1, x+1); nx++ {
				n := ny*v.w + nx
				k := v.cells[n].kind
				if v.components[n] == 0 && k != showsText && k != showsAnnotation && v.cells[n].marked(v.ground(nx, ny)) {
					v.components[n] = number
					pending = append(pending, n)
				}
			}
		}
	}
	return float64(right-left) > frameShare*float64(v.w) && float64(high-low) > frameShare*float64(v.h)
}

// findGrounds finds the shade of each block's ground.
func (v *View) findGrounds() {
	if v.grounds != nil {
		return
	}
	across := (v.w + blockSize - 1) / blockSize
	v.grounds = make([]uint8, across*((v.h+blockSize-1)/blockSize))
	var every [256]int
	defer func() { v.whole = median(every[:], len(v.cells)) }()
	for b := range v.grounds {
		x0, y0 := b%across*blockSize, b/across*blockSize
		var shades [256]int
		total := 0
		for y := y0; y < min(v.h, y0+blockSize); y++ {
			for _, c := range v.cells[y*v.w+x0 : y*v.w+min(v.w, x0+blockSize)] {
				shades[c.middle()]++
				every[c.middle()]++
				total++
			}
		}
		v.grounds[b] = median(shades[:], total)
	}
}

func (v *View) ground(x, y int) uint8 {
	return v.grounds[y/blockSize*((v.w+blockSize-1)/blockSize)+x/blockSize]
}

// median is the shade in the middle of total ones.
func median(shades []int, total int) uint8 {
	n := 0
	for i, count := range shades {
		if n += count; 2*n >= total {
			return uint8(i)
		}
	}
	return 255
}

// dye is what is painted with.
type dye struct {
	shade uint8
	alpha float64
	mixes bool // it multiplies with what is below
	noise bool // a pattern of unknown shades
	none  bool
	part  bool // it does not hide what is below
	kind  shownKind
}

// touch paints a part of a cell, so that what was there stays to be seen.
func (v *View) touch(i int, d dye) {
	c := &v.cells[i]
	lo, hi := d.mix(c.lo), d.mix(c.hi)
	if d.noise {
		lo, hi = 0, 255
	}
	if min(lo, hi) < c.lo || max(lo, hi) > c.hi {
		c.lo, c.hi, c.kind = min(lo, hi, c.lo), max(lo, hi, c.hi), d.kind
	}
}

// fill paints all of a cell.
func (v *View) fill(i int, d dye) {
	if d.noise || d.part {
		v.touch(i, d)
		return
	}
	c := &v.cells[i]
	lo, hi := d.mix(c.lo), d.mix(c.hi)
	if lo != c.lo || hi != c.hi {
		c.kind = d.kind
	}
	c.lo, c.hi = min(lo, hi), max(lo, hi)
}

// mix is the shade that comes of painting over another.
func (d dye) mix(below uint8) uint8 {
	if d.alpha == 1 && !d.mixes {
		return d.shade
	}
	shade := float64(d.shade)
	if d.mixes {
		shade = shade * float64(below) / 255
	}
	return uint8(math.Round(float64(below) + (shade-float64(below))*d.alpha))
}

// crossing is where a line of cells meets an edge.
type crossing struct {
	x       float64
	winding int
}

const subrows = 4 // in a row of cells, at which edges are met

// polygon fills what edges go around.
func (w *painter) polygon(path [][2]point, evenOdd bool, clip Rect, d dye) {
	v := w.view
	low, high := math.Inf(1), math.Inf(-1)
	for _, e := range path {
		low, high = min(low, e[0].y, e[1].y), max(high, e[0].y, e[1].y)
	}
	low, high = max(low, clip.Y0), min(high, clip.Y1)
	if !(low < high) || d.none {
		return
	}
	if box := pathBox(path); len(path) == 4 && alongBox(path, box) {
		w.fillBox(box.intersect(clip), d)
		return
	}
	if cap(w.cover) < v.w {
		w.cover = make([]float32, v.w)
	}
	cover := w.cover[:v.w]
	for row := int(low); row <= min(v.h-1, int(high)); row++ {
		from, to := v.w, -1
		for sub := range subrows {
			y := float64(row) + (float64(sub)+0.5)/subrows
			if y < low || y > high {
				continue
			}
			w.meet(path, y)
			w.spans(evenOdd, func(x0, x1 float64) {
				a, b := addCover(cover, max(x0, clip.X0), min(x1, clip.X1))
				from, to = min(from, a), max(to, b)
			})
		}
		for x := from; x <= to; x++ {
			switch c := cover[x]; {
			case c > fullCell:
				v.fill(row*v.w+x, d)
			case c > emptyCell:
				v.touch(row*v.w+x, d)
			}
			cover[x] = 0
		}
		w.painted += max(0, to-from) + len(path)/4 + 1
		if w.painted > maxPainted {
			return
		}
	}
}

// fillBox fills a rectangle of cells.
func (w *painter) fillBox(r Rect, d dye) {
	v := w.view
	share := func(from, to float64, i int) float64 { return min(to, float64(i+1)) - max(from, float64(i)) }
	x0, x1 := max(0, int(r.X0)), min(v.w-1, int(r.X1))
	for y := max(0, int(r.Y0)); y <= min(v.h-1, int(r.Y1)); y++ {
		high := share(r.Y0, r.Y1, y)
		for x := x0; x <= x1; x++ {
			switch c := high * share(r.X0, r.X1, x); {
			case c > fullCell:
				v.fill(y*v.w+x, d)
			case c > emptyCell:
				v.touch(y*v.w+x, d)
			}
		}
		if w.painted += max(1, x1-x0); w.painted > maxPainted {
			return
		}
	}
}

// What counts as all and as nothing of a cell.
const (
	fullCell  = 0.98
	emptyCell = 0.02
)

// meet finds where a horizontal line meets edges.
func (w *painter) meet(path [][2]point, y float64) {
	w.crossings = w.crossings[:0]
	for _, e := range path {
		a, b, winding := e[0], e[1], 1
		if a.y > b.y {
			a, b, winding = b, a, -1
		}
		if a.y <= y && y < b.y {
			w.crossings = append(w.crossings, crossing{a.x + (b.x-a.x)*(y-a.y)/(b.y-a.y), winding})
		}
	}
	slices.SortFunc(w.crossings, func(a, b crossing) int {
		switch {
		case a.x < b.x:
			return -1
		case a.x > b.x:
			return 1
		}
		return 0
	})
}

// spans goes through what lies inside.
func (w *painter) spans(evenOdd bool, each func(x0, x1 float64)) {
	inside := 0
	for i, c := range w.crossings {
		if inside != 0 {
			each(w.crossings[i-1].x, c.x)
		}
		if inside += c.winding; evenOdd {
			inside = (i + 1) % 2
		}
	}
}

// addCover adds how much of each cell of a row lies between two places, and returns the
// first and the last of them.
func addCover(cover []float32, x0, x1 float64) (from, to int) {
	x0, x1 = max(x0, 0), min(x1, float64(len(cover)))
	if !(x0 < x1) {
		return len(cover), -1
	}
	from, to = int(x0), min(len(cover)-1, int(x1))
	for x := from; x <= to; x++ {
		part := min(x1, float64(x+1)) - max(x0, float64(x))
		cover[x] += float32(part / subrows)
	}
	return from, to
}

// trace paints along edges, so that what is thinner than a cell is seen.
func (w *painter) trace(path [][2]point, clip Rect, d dye) {
	v := w.view
	if d.none {
		return
	}
	for _, e := range path {
		a, b, ok := clipLine(e[0], e[1], clip)
		if !ok {
			continue
		}
		length := math.Hypot(b.x-a.x, b.y-a.y)
		if !(length <= 4*maxSide) {
			continue // beyond all numbers
		}
		steps := int(2*length) + 1
		if w.painted += steps; w.painted > maxPainted {
			return
		}
		for i := range steps + 1 {
			t := float64(i) / float64(steps)
			x, y := int(a.x+(b.x-a.x)*t), int(a.y+(b.y-a.y)*t)
			if x >= 0 && x < v.w && y >= 0 && y < v.h {
				v.touch(y*v.w+x, d)
			}
		}
	}
}

// clipLine is the part of a line within a rectangle (Liang and Barsky).
func clipLine(a, b point, r Rect) (point, point, bool) {
	t0, t1 := 0.0, 1.0
	dx, dy := b.x-a.x, b.y-a.y
	for _, side := range [4][2]float64{{-dx, a.x - r.X0}, {dx, r.X1 - a.x}, {-dy, a.y - r.Y0}, {dy, r.Y1 - a.y}} {
		p, q := side[0], side[1]
		switch {
		case p == 0 && q < 0, math.IsNaN(p), math.IsNaN(q):
			return a, b, false
		case p < 0:
			t0 = max(t0, q/p)
		case p > 0:
			t1 = min(t1, q/p)
		}
	}
	return point{a.x + t0*dx, a.y + t0*dy}, point{a.x + t1*dx, a.y + t1*dy}, t0 <= t1
}
