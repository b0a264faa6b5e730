package xref

import (
	"bytes"
	"slices"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

const (
	scanChunk   = 128 << 10
	scanOverlap = 64 // longer than "8388607 65535 obj" with some white space
	maxScan     = 256 << 20
	peek        = 512
)

// foundObject is an object header met by the scan.
type foundObject struct {
	ref          object.Ref
	at           int64
	objectStream bool // it looks like an object stream
}

// scan collects what one pass over the file meets.
type scan struct {
	objects  []foundObject
	trailers []int64       // positions behind the keyword
	streams  []foundObject // cross-reference streams: their dictionaries are trailers
	catalogs []foundObject
	lastEnd  int64 // position of the last endobj
	lastEOF  int64 // position of the last startxref or %%EOF
}

// Rebuild forgets the file's cross-reference and makes one by a single pass
// over the bytes: of objects with the same number the last one counts.
func (f *File) Rebuild() error {
	if f.Repaired {
		return reject.New(reject.Damaged, "The document's parts do not fit together")
	}
	if f.size > maxScan {
		return reject.New(reject.TooComplex, "The document's cross-reference is damaged and the file too large to rebuild it")
	}
	clear(f.cache)
	clear(f.objectStreams)
	f.sections = f.sections[:0]
	f.Repaired, f.Crypt, f.Start, f.spent, f.LimitErr = true, nil, 0, 0, nil
	f.work = 0
	var s scan
	if err := s.run(f); err != nil {
		return err
	}
	f.rebuilt = make(map[uint32]entry, min(len(s.objects), maxNumber))
	if n := len(s.objects); n > 0 && s.objects[n-1].at > max(s.lastEnd, s.lastEOF) {
		return reject.New(reject.Truncated, "The document breaks off in the middle of an object")
	}
	f.CutOff = len(s.objects) > 0 && s.objects[len(s.objects)-1].at > s.lastEOF
	for _, o := range s.objects {
		f.rebuilt[o.ref.Num] = entry{kind: plain, gen: o.ref.Gen, offset: o.at - f.base}
	}
	if err := f.useTrailer(&s); err != nil {
		return err
	}
	f.Streams = f.addCompressed(&s)
	clear(f.cache)
	if f.Root.Object == nil {
		return f.catalogByType(&s)
	}
	return f.openRoot()
}

// useTrailer takes the newest trailer that names a catalog.
func (f *File) useTrailer(s *scan) error {
	var best Value
	for i, j := len(s.streams), len(s.trailers); i+j > 0 && best.Object == nil; {
		if (len(s.streams)-i)+(len(s.trailers)-j) >= maxTrailers {
			break
		}
		var v Value
		if i > 0 && (j == 0 || s.streams[i-1].at > s.trailers[j-1]) {
			i--
			v, _, _ = f.objectAt(s.streams[i].at - f.base) // what cannot be read names no catalog
		} else {
			j--
			v, _ = f.parseAt(s.trailers[j])
		}
		if _, ok := v.Get("Root").Ref(); ok {
			best = v
		}
	}
	f.Trailer = best
	if best.Object == nil {
		return nil
	}
	if err := f.openCrypt(); err != nil {
		return err
	}
	f.Root = best
	return nil
}

// catalogByType serves files whose trailers are lost.
func (f *File) catalogByType(s *scan) error {
	for _, c := range slices.Backward(s.catalogs) {
		ref := c.ref
		v := f.Object(ref)
		if v.Get("Type").Is("Catalog") && !v.Get("Pages").IsNull() {
			f.Trailer = Value{Object: object.AppendRef([]byte("<</Root "), ref), Plain: true, Pos: -1}
			f.Trailer.Object = append(f.Trailer.Object, ">>"...)
			return f.openRoot()
		}
	}
	if len(s.objects) == 0 && s.lastEOF == 0 {
		return reject.New(reject.Truncated, "The document has a header and nothing else")
	}
	if s.lastEOF == 0 {
		return reject.New(reject.Truncated, "The document's end with its table of contents is missing")
	}
	return reject.New(reject.Damaged, "The document has no catalog of its pages")
}

// addCompressed enters the objects within object streams, and reports whether there
// are any. An object that stands plain later in the file goes first.
func (f *File) addCompressed(s *scan) bool {
	entered, packs := false, 0
	if !slices.ContainsFunc(s.objects, func(o foundObject) bool { return o.objectStream }) {
		return false
	}
	placed := make(map[uint32]int64, len(s.objects))
	for _, o := range s.objects {
		placed[o.ref.Num] = o.at
	}
	for _, o := range s.objects {
		if !o.objectStream || placed[o.ref.Num] != o.at {
			continue
		}
		if packs++; packs > maxObjectStreams {
			break
		}
		p := f.openObjectStream(o.ref.Num)
		if p == nil {
			continue
		}
		for i, x := range p.index {
			if at, ok := placed[x.num]; ok && at > o.at || x.num == 0 || x.num > maxNumber || len(f.rebuilt) >= maxObjects {
				continue
			}
			placed[x.num] = o.at
			f.rebuilt[x.num] = entry{kind: compressed, stream: o.ref.Num, index: uint32(i)}
			entered = true
		}
	}
	return entered
}

// run goes over the file in chunks.
func (s *scan) run(f *File) error {
	buf := make([]byte, scanChunk+peek)
	for at := int64(0); at < f.size; at += scanChunk - scanOverlap {
		n := int(min(int64(len(buf)), f.size-at))
		if got, err := f.r.ReadAt(buf[:n], at); got < n {
			return err
		}
		if err := s.chunk(buf[:n], at, at+int64(n) == f.size); err != nil {
			return err
		}
		if at+int64(n) == f.size {
			break
		}
	}
	return nil
}

// chunk finds the keywords that begin in the first scanChunk bytes of b. The
// bytes behind are there to be peeked into; the overlap with the next chunk
// keeps what stands before a keyword in sight.
func (s *scan) chunk(b []byte, base int64, last bool) error {
	reach := b[:min(len(b), scanChunk)]
	if last {
		reach = b
	}
	for i := range positions(reach, "obj") {
		if i >= 3 && string(b[i-3:i]) == "end" {
			s.lastEnd = max(s.lastEnd, base+int64(i))
			continue
		}
		s.header(b, i, base)
		if len(s.objects) > maxObjects {
			return reject.Newf(reject.TooComplex, "The document's cross-reference is damaged, and it has more than %d objects", maxObjects)
		}
	}
	for i := range positions(reach, "trailer") {
		if at := base + int64(i) + 7; len(s.trailers) == 0 || s.trailers[len(s.trailers)-1] < at {
			s.trailers = append(s.trailers, at)
		}
	}
	for _, word := range [2]string{"startxref", "%%EOF"} {
		if i := bytes.LastIndex(reach, []byte(word)); i >= 0 {
			s.lastEOF = max(s.lastEOF, base+int64(i))
		}
	}
	return nil
}

// positions yields where a word stands in b.
func positions(b []byte, word string) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; ; i += len(word) {
			n := bytes.Index(b[i:], []byte(word))
			if n < 0 || !yield(i+n) {
				return
			}
			i += n
		}
	}
}

// header looks back from "obj" for the two numbers.
func (s *scan) header(b []byte, i int, base int64) {
	j := skipBack(b, i, object.IsSpace)
	g := skipBack(b, j, isDigit)
	k := skipBack(b, g, object.IsSpace)
	n := skipBack(b, k, isDigit)
	if g == j || k == g || n == k || j-g > 5 || k-n > 10 {
		return
	}
	if n > 0 && object.IsRegular(b[n-1]) && !bytes.HasSuffix(b[:n], []byte("endobj")) && !bytes.HasSuffix(b[:n], []byte("endstream")) {
		return
	}
	ref, _, ok := header(b[n:])
	if !ok || ref.Num == 0 || ref.Num > maxNumber {
		return
	}
	o := foundObject{ref: ref, at: base + int64(n)}
	if m := len(s.objects); m > 0 && s.objects[m-1].at >= o.at {
		return // met already, in the overlap
	}
	after := b[i:min(i+peek, len(b))]
	if e := bytes.Index(after, []byte("endobj")); e >= 0 {
		after = after[:e]
	}
	o.objectStream = bytes.Contains(after, []byte("/ObjStm"))
	s.objects = append(s.objects, o)
	if bytes.Contains(after, []byte("/XRef")) {
		s.streams = append(s.streams, o)
	}
	if bytes.Contains(after, []byte("/Catalog")) {
		s.catalogs = append(s.catalogs, o)
	}
}

func skipBack(b []byte, i int, is func(byte) bool) int {
	for i > 0 && is(b[i-1]) {
		i--
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// Entries goes through the objects of a rebuilt cross-reference in no order.
// offset counts as the file's own offsets do; for an object in an object
// stream it is the stream's number, and index its place there.
func (f *File) Entries(yield func(num uint32, gen uint16, packed bool, offset int64, index uint32)) {
	for num, e := range f.rebuilt {
		switch e.kind {
		case plain:
			yield(num, e.gen, false, e.offset, 0)
		case compressed:
			yield(num, 0, true, int64(e.stream), e.index)
		}
	}
}
