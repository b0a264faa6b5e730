package page

import (
	"math"
	"slices"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

type point struct{ x, y float64 }

func (m matrix) apply(x, y float64) point {
	return point{x*m[0] + y*m[2] + m[4], x*m[1] + y*m[3] + m[5]}
}

// scale is how much longer m makes a line, on average.
func (m matrix) scale() float64 { return math.Sqrt(math.Abs(m[0]*m[3] - m[1]*m[2])) }

// ink is a colour, and the space that its numbers are of.
type ink struct {
	space colourSpace
	dye   dye
}

// paintState is the part of the graphics state that decides what is seen. Its matrix
// leads to the view's cells.
type paintState struct {
	ctm          matrix
	clip         Rect
	clipShaped   bool // what is clipped to is less than clip
	lineWidth    float64
	fill, stroke ink
	fillAlpha    float64
	strokeAlpha  float64
	mixes        bool
	masked       bool
	text         textState
	font         *glyphWidths
}

func newPaintState(box Rect) paintState {
	return paintState{clip: box, lineWidth: 1, fillAlpha: 1, strokeAlpha: 1,
		fill: ink{space: grays}, stroke: ink{space: grays}, text: textState{scale: 1}}
}

// painter carries out a page's operators on a view.
type painter struct {
	view      *View
	f         *xref.File
	hidden    HiddenLayers
	pictures  map[uint32]*picture
	fonts     map[object.Ref]*glyphWidths
	forms     int
	tokens    int
	painted   int
	cover     []float32
	crossings []crossing
}

// brush carries out the operators of one content stream.
type brush struct {
	*painter
	contentReader
	textPosition
	paintState
	resources  xref.Value
	level      int
	stack      []paintState
	path       [][2]point
	start, at  point // of the path that is being made, in user space
	rectangles int   // that the path is made of; -1: of other things too
	clipNext   bool
	marks      []bool // marked content that is open: whether it is hidden
	hiddenBy   int    // how many of them are
}

// run goes over the operators of content.
func (w *painter) run(data []byte, resources xref.Value, start paintState, level int) {
	b := brush{painter: w, contentReader: newContentReader(data, &w.tokens), paintState: start, resources: resources, level: level}
	for operator := b.next(); operator != "" && w.painted <= maxPainted; operator = b.next() {
		if operator == "ID" {
			b.inlineImage(b.inline)
		} else {
			b.execute(operator)
		}
	}
}

// execute carries out one operator (ISO 32000-1, annex A).
func (b *brush) execute(operator string) {
	switch operator {
	case "q":
		if len(b.stack) < maxStack {
			b.stack = append(b.stack, b.paintState)
		}
	case "Q":
		if n := len(b.stack); n > 0 {
			b.paintState, b.stack = b.stack[n-1], b.stack[:n-1]
		}
	case "cm":
		b.ctm = b.operands.matrix().concat(b.ctm)
	case "w":
		b.lineWidth = b.number(0)
	case "gs":
		b.setState(b.f.Get(b.f.Get(b.resources, "ExtGState"), b.last().Text()))
	case "Do":
		b.paintXObject(b.f.Get(b.f.Get(b.resources, "XObject"), b.last().Text()), b.f.Get(b.resources, "XObject").Key(b.last().Text()))
	case "sh":
		b.paintShading()
	case "BMC", "BDC":
		b.mark(operator == "BDC")
	case "EMC":
		b.unmark()
	default:
		if !b.setColour(operator) && !b.drawPath(operator) {
			b.writeText(operator)
		}
	}
}

// mark begins marked content, which may be of a layer that is switched off.
func (b *brush) mark(listed bool) {
	hidden := false
	if n := len(b.operands); listed && n > 1 && b.operands[n-2].Is("OC") {
		hidden = b.hidden.hides(b.f, b.f.Get(b.resources, "Properties").Key(b.last().Text()))
	}
	if len(b.marks) < maxStack {
		b.marks = append(b.marks, hidden)
		if hidden {
			b.hiddenBy++
		}
	}
}

func (b *brush) unmark() {
	n := len(b.marks)
	if n == 0 {
		return
	}
	if b.marks[n-1] {
		b.hiddenBy--
	}
	b.marks = b.marks[:n-1]
}

// setState takes entries of a graphics state dictionary (ISO 32000-1, 8.4.5).
func (b *brush) setState(v xref.Value) {
	if a, ok := b.f.Get(v, "ca").Real(); ok {
		b.fillAlpha = min(max(a, 0), 1)
	}
	if a, ok := b.f.Get(v, "CA").Real(); ok {
		b.strokeAlpha = min(max(a, 0), 1)
	}
	if width, ok := b.f.Get(v, "LW").Real(); ok {
		b.lineWidth = width
	}
	if mode := b.f.Get(v, "BM"); !mode.IsNull() {
		for e := range b.f.Elems(mode) {
			mode = e
			break
		}
		b.mixes = mode.Is("Multiply") || mode.Is("Darken") || mode.Is("ColorBurn")
	}
	if mask := b.f.Get(v, "SMask"); !mask.IsNull() {
		b.masked = mask.Kind() == object.Dict
	}
	for e := range b.f.Elems(b.f.Get(v, "Font")) {
		b.font = b.findFont(e, object.Ref{})
		break
	}
}

// filling is what fills paths.
func (b *brush) filling(kind shownKind) dye {
	return b.with(b.paintState.fill.dye, b.fillAlpha, kind)
}

func (b *brush) stroking(kind shownKind) dye {
	return b.with(b.paintState.stroke.dye, b.strokeAlpha, kind)
}

func (b *brush) with(d dye, alpha float64, kind shownKind) dye {
	d.alpha, d.kind, d.mixes = alpha, kind, b.mixes
	d.part = d.part || b.masked || b.clipShaped
	d.none = d.none || alpha == 0 || b.hiddenBy > 0
	return d
}

// drawPath carries out what makes and paints paths.
func (b *brush) drawPath(operator string) bool {
	switch operator {
	case "m":
		b.start = point{b.number(1), b.number(0)}
		b.at = b.start
	case "l":
		b.lineTo(b.number(1), b.number(0))
	case "c":
		b.curve(point{b.number(5), b.number(4)}, point{b.number(3), b.number(2)}, point{b.number(1), b.number(0)})
	case "v":
		b.curve(b.at, point{b.number(3), b.number(2)}, point{b.number(1), b.number(0)})
	case "y":
		b.curve(point{b.number(3), b.number(2)}, point{b.number(1), b.number(0)}, point{b.number(1), b.number(0)})
	case "h":
		b.lineTo(b.start.x, b.start.y)
	case "re":
		b.rectangle(b.number(3), b.number(2), b.number(1), b.number(0))
	case "W", "W*":
		b.clipNext = true
	case "f", "F":
		b.paint(true, false, false)
	case "f*":
		b.paint(true, true, false)
	case "S", "s":
		b.paint(false, false, true)
	case "B", "b":
		b.paint(true, false, true)
	case "B*", "b*":
		b.paint(true, true, true)
	case "n":
		b.paint(false, false, false)
	default:
		return false
	}
	if operator == "s" || operator == "b" || operator == "b*" {
		b.start, b.at = point{}, point{}
	}
	return true
}

func (b *brush) lineTo(x, y float64) {
	b.edge(b.ctm.apply(b.at.x, b.at.y), b.ctm.apply(x, y))
	b.at = point{x, y}
	b.rectangles = -1
}

func (b *brush) edge(from, to point) {
	if len(b.path) < 4*maxAreas && !math.IsNaN(from.x+from.y+to.x+to.y) {
		b.path = append(b.path, [2]point{from, to})
	}
}

// curve notes a Bézier curve as lines.
func (b *brush) curve(p1, p2, p3 point) {
	from, at := b.ctm.apply(b.at.x, b.at.y), b.at
	length := b.ctm.scale() * (math.Hypot(p1.x-at.x, p1.y-at.y) + math.Hypot(p2.x-p1.x, p2.y-p1.y) + math.Hypot(p3.x-p2.x, p3.y-p2.y))
	steps := int(min(max(length/2, 3), 40))
	for i := 1; i <= steps; i++ {
		t := float64(i) / float64(steps)
		u := 1 - t
		k0, k1, k2, k3 := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
		to := b.ctm.apply(k0*at.x+k1*p1.x+k2*p2.x+k3*p3.x, k0*at.y+k1*p1.y+k2*p2.y+k3*p3.y)
		b.edge(from, to)
		from = to
	}
	b.at = p3
	b.rectangles = -1
}

func (b *brush) rectangle(x, y, w, h float64) {
	corner := [4]point{b.ctm.apply(x, y), b.ctm.apply(x+w, y), b.ctm.apply(x+w, y+h), b.ctm.apply(x, y+h)}
	for i, from := range corner {
		b.edge(from, corner[(i+1)%4])
	}
	b.start = point{x, y}
	b.at = b.start
	if b.rectangles >= 0 {
		b.rectangles++
	}
}

func (b *brush) paint(fill, evenOdd, stroke bool) {
	if fill {
		d := b.filling(showsDrawing)
		b.polygon(closed(b.path), evenOdd, b.clip, d)
		if box := pathBox(b.path); box.W() < 1 || box.H() < 1 {
			b.trace(b.path, b.clip, d)
		}
	}
	if stroke {
		b.strokePath()
	}
	if b.clipNext && len(b.path) > 0 {
		b.clip = b.clip.intersect(pathBox(b.path))
		if b.rectangles != 1 || b.ctm[1] != 0 && b.ctm[0] != 0 {
			b.clipShaped = b.clipShaped || !alongBox(b.path, pathBox(b.path))
		}
	}
	b.path, b.clipNext, b.rectangles = b.path[:0], false, 0
}

// alongBox reports whether a path goes along the sides of its bounding box.
func alongBox(path [][2]point, box Rect) bool {
	const near = 0.01
	on := func(x, side float64) bool { return math.Abs(x-side) < near }
	for _, e := range path {
		across := on(e[0].x, e[1].x) && (on(e[0].x, box.X0) || on(e[0].x, box.X1))
		along := on(e[0].y, e[1].y) && (on(e[0].y, box.Y0) || on(e[0].y, box.Y1))
		if !across && !along {
			return false
		}
	}
	return true
}

// closed is a path whose parts are closed, as filling does.
func closed(path [][2]point) [][2]point {
	out := path
	start := 0
	for i, e := range path {
		if i+1 < len(path) && path[i+1][0] == e[1] {
			continue
		}
		if e[1] != path[start][0] {
			out = append(slices.Clip(out), [2]point{e[1], path[start][0]})
		}
		start = i + 1
	}
	return out
}

func pathBox(path [][2]point) Rect {
	r := Rect{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, e := range path {
		r = Rect{min(r.X0, e[0].x, e[1].x), min(r.Y0, e[0].y, e[1].y), max(r.X1, e[0].x, e[1].x), max(r.Y1, e[0].y, e[1].y)}
	}
	return r
}

// strokePath draws along the path.
func (b *brush) strokePath() {
	d := b.stroking(showsDrawing)
	half := math.Abs(b.lineWidth) * b.ctm.scale() / 2
	if half < 0.5 {
		b.trace(b.path, b.clip, d)
		return
	}
	for _, e := range b.path {
		dx, dy := e[1].x-e[0].x, e[1].y-e[0].y
		length := math.Hypot(dx, dy)
		if length == 0 {
			dx, dy, length = 1, 0, 1
		}
		dx, dy = dx/length*half, dy/length*half
		a, z := point{e[0].x - dx, e[0].y - dy}, point{e[1].x + dx, e[1].y + dy}
		b.quad([4]point{{a.x - dy, a.y + dx}, {z.x - dy, z.y + dx}, {z.x + dy, z.y - dx}, {a.x + dy, a.y - dx}}, b.clip, d)
	}
}

// quad fills four corners.
func (w *painter) quad(c [4]point, clip Rect, d dye) {
	w.polygon([][2]point{{c[0], c[1]}, {c[1], c[2]}, {c[2], c[3]}, {c[3], c[0]}}, false, clip, d)
}

// box fills a rectangle of cells.
func (w *painter) box(r, clip Rect, d dye) {
	w.quad([4]point{{r.X0, r.Y0}, {r.X1, r.Y0}, {r.X1, r.Y1}, {r.X0, r.Y1}}, clip, d)
}

// smoothShade stands for the shades of a gradient, which are a ground and nothing to read.
const smoothShade = 160

func (b *brush) paintShading() {
	d := b.with(dye{shade: smoothShade}, b.fillAlpha, showsDrawing)
	b.box(b.clip, b.clip, d)
}

// paintXObject draws an image or a form. The entry is how the resources name it.
func (b *brush) paintXObject(v, entry xref.Value) {
	if b.hiddenBy > 0 || b.hidden.hides(b.f, v.Key("OC")) {
		return
	}
	if !b.f.Get(v, "Subtype").Is("Form") {
		ref, _ := entry.Ref()
		b.paintImage(v, ref)
		return
	}
	b.paintForm(v, b.paintState, b.resources, b.level)
}

// paintForm draws a form in a state.
func (w *painter) paintForm(v xref.Value, state paintState, resources xref.Value, level int) {
	if m, ok := readMatrix(w.f, w.f.Get(v, "Matrix")); ok {
		state.ctm = m.concat(state.ctm)
	}
	box, ok := rect(w.f, w.f.Get(v, "BBox"))
	if !ok {
		return
	}
	if state.ctm[1] != 0 && state.ctm[0] != 0 {
		state.clipShaped = true
	}
	state.clip = state.clip.intersect(state.ctm.boundingBox(box))
	if w.forms++; w.forms > maxForms || level >= maxLevel {
		w.view.unseen = true
		return
	}
	data, _ := w.f.Inflate(v, maxInflated) // of a damaged stream, what viewers see of it
	if own := w.f.Get(v, "Resources"); !own.IsNull() {
		resources = own
	}
	w.run(data, resources, state, level+1)
}

func readMatrix(f *xref.File, v xref.Value) (m matrix, ok bool) {
	i := 0
	for e := range f.Elems(v) {
		if x, ok := e.Real(); ok && i < 6 {
			m[i] = x
			i++
		}
	}
	return m, i == 6
}

// annotations draws those that are seen: what lies over the page's content.
func (w *painter) annotations(p *Page) {
	n := 0
	for a := range w.f.Elems(w.f.Get(p.Value, "Annots")) {
		if n++; n > maxAnnots {
			w.view.unseen = true
			return
		}
		if a.Kind() != object.Dict || !w.annotationShown(a) {
			continue
		}
		if box, ok := rect(w.f, w.f.Get(a, "Rect")); ok {
			v := w.view
			r := Rect{(box.X0 - v.box.X0) * v.scale, (box.Y0 - v.box.Y0) * v.scale, (box.X1 - v.box.X0) * v.scale, (box.Y1 - v.box.Y0) * v.scale}
			w.box(r, Rect{0, 0, float64(v.w), float64(v.h)}, dye{noise: true, kind: showsAnnotation})
		}
	}
}

func (w *painter) annotationShown(a xref.Value) bool {
	const noView = 1 << 5 // ISO 32000-1, table 165
	kind := w.f.Get(a, "Subtype")
	flags, _ := w.f.Get(a, "F").Int()
	return !kind.Is("Link") && !kind.Is("Popup") && flags&(flagHidden|noView) == 0 && !w.hidden.hides(w.f, a.Key("OC"))
}
