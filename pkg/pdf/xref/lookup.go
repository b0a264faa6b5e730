package xref

import (
	"bytes"
	"errors"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

// lookup finds where the newest version of an object is.
func (f *File) lookup(num uint32) entry {
	if f.rebuilt != nil {
		return f.rebuilt[num]
	}
	for i := range f.sections {
		s := &f.sections[i]
		e := f.find(s, num)
		if e.kind == missing || (e.kind == free && s.hybrid) {
			continue
		}
		return e
	}
	return entry{}
}

func (f *File) find(s *section, num uint32) entry {
	if e, ok := s.listed[num]; ok {
		return e
	}
	n := int64(num)
	for _, r := range s.runs {
		if n < r.first || n >= r.first+r.count {
			continue
		}
		if s.table {
			return f.tableEntry(r.at + 20*(n-r.first))
		}
		size := s.width[0] + s.width[1] + s.width[2]
		at := r.at + (n-r.first)*int64(size)
		if at+int64(size) > int64(len(s.data)) {
			return entry{}
		}
		return streamEntry(s.data[at:at+int64(size)], s.width)
	}
	return entry{}
}

func (f *File) tableEntry(at int64) entry {
	b, err := f.window(at, 20)
	if err != nil || len(b) < 18 {
		return entry{}
	}
	return parseEntry(b)
}

// parseEntry reads "nnnnnnnnnn ggggg n".
func parseEntry(b []byte) entry {
	if b[17] != 'n' {
		return entry{kind: free}
	}
	offset, e, ok := object.Digits(b[:10], 0)
	gen, _, ok2 := object.Digits(b[:16], e)
	if !ok || !ok2 || offset == 0 {
		return entry{kind: free}
	}
	return entry{kind: plain, offset: offset, gen: uint16(gen)}
}

func streamEntry(b []byte, width [3]int) entry {
	var field [3]uint64
	for i, w := range width {
		for _, c := range b[:w] {
			field[i] = field[i]<<8 | uint64(c)
		}
		b = b[w:]
	}
	if width[0] == 0 {
		field[0] = 1
	}
	switch field[0] {
	case 0:
		return entry{kind: free}
	case 1:
		return entry{kind: plain, offset: int64(field[1] & (1<<62 - 1)), gen: uint16(field[2])}
	case 2:
		return entry{kind: compressed, stream: uint32(field[1]), index: uint32(field[2])}
	}
	return entry{}
}

// Get returns an entry of a dictionary with references followed. It is null
// once going through dictionaries has taken more than a document may.
func (f *File) Get(v Value, key string) Value {
	if f.work += len(v.Object); f.work > maxWork {
		f.LimitErr = reject.New(reject.TooComplex, "The document's dictionaries are too large")
		return Value{}
	}
	return f.Resolve(v.Key(key))
}

// Resolve follows references. A reference to nothing, and one that leads in a
// circle, is null.
func (f *File) Resolve(v Value) Value {
	for range maxFollow {
		ref, ok := v.Ref()
		if !ok {
			if v.Kind() == object.Reference {
				return Value{}
			}
			return v
		}
		v = f.Object(ref)
	}
	return Value{}
}

// Elems goes through an array with references followed.
func (f *File) Elems(v Value) func(func(Value) bool) {
	return func(yield func(Value) bool) {
		for e := range v.Object.Elems() {
			if !yield(f.Resolve(v.Part(e))) {
				return
			}
		}
	}
}

// Object returns an indirect object; it is null where the file has none.
func (f *File) Object(ref object.Ref) Value {
	if v, ok := f.cache[ref.Num]; ok {
		return v
	}
	if f.nesting >= maxNesting {
		return Value{}
	}
	f.nesting++
	v := f.load(ref)
	f.nesting--
	if len(f.cache) < maxObjects {
		f.cache[ref.Num] = v
	}
	return v
}

func (f *File) load(ref object.Ref) Value {
	switch e := f.lookup(ref.Num); e.kind {
	case plain:
		v, found, err := f.objectAt(e.offset)
		if err != nil {
			f.noteLimit(err)
			return Value{}
		}
		if found.Num != ref.Num {
			return Value{}
		}
		return v
	case compressed:
		return f.readCompressed(e, ref)
	}
	return Value{}
}

// noteLimit keeps why an object is not read that a bound forbids to read.
func (f *File) noteLimit(err error) {
	if errors.Is(err, object.ErrDeep) {
		f.LimitErr = reject.Newf(reject.TooComplex, "The document nests objects deeper than %d levels", object.MaxDepth)
	} else if r, ok := errors.AsType[*reject.Rejection](err); ok && r.Reason == reject.TooComplex {
		f.LimitErr = r
	}
}

// objectAt reads "12 0 obj" and what follows at an offset.
func (f *File) objectAt(off int64) (Value, object.Ref, error) {
	bad := errNoObject
	at := f.base + off
	for n := firstWindow; ; n *= 4 {
		b, err := f.window(at, n)
		if err != nil {
			return Value{}, object.Ref{}, err
		}
		last := int64(len(b)) == f.size-at
		ref, i, ok := header(b)
		if !ok {
			return Value{}, ref, bad
		}
		s, e, err := object.Next(b, i)
		// Within reach of the window's end a token may be cut off.
		if !last && (errors.Is(err, object.ErrShort) || e+32 > len(b)) {
			if n > maxWindow {
				return Value{}, ref, reject.New(reject.TooComplex, "An object of the document is larger than 8 MB")
			}
			f.unalloc(b)
			continue
		}
		if err != nil {
			return f.repairDict(b, i, ref, err)
		}
		v := Value{Object: b[s:e:len(b)], Owner: ref, Pos: at + int64(s)}
		if v.Kind() == object.Keyword {
			v.Object = nil // "endobj" at once: null
		}
		if v.Kind() == object.Dict {
			v.data = streamStart(b, e, at)
		}
		return v, ref, nil
	}
}

// repairDict reads a dictionary whose end is lost.
func (f *File) repairDict(b []byte, i int, ref object.Ref, err error) (Value, object.Ref, error) {
	if errors.Is(err, object.ErrDeep) {
		return Value{}, ref, err
	}
	o, ok := object.Repair(b[:min(len(b), maxRepaired)], i)
	if !ok {
		return Value{}, ref, err
	}
	return Value{Object: o, Owner: ref, Pos: -1}, ref, nil
}

var errNoObject error = reject.New(reject.Damaged, "The document's cross-reference points where no object is")

// unalloc gives the newest piece of the arena back.
func (f *File) unalloc(b []byte) {
	if n := len(b); n > 0 && f.used >= n && &f.arena[f.used-n] == &b[0] {
		f.used -= n
	}
}

// header reads "12 0 obj" and returns the position behind it.
func header(b []byte) (ref object.Ref, end int, ok bool) {
	num, i, ok1 := object.Digits(b, 0)
	gen, j, ok2 := object.Digits(b, i)
	k := object.SkipSpace(b, j)
	if !ok1 || !ok2 || num > 1<<31 || gen > 65535 || !bytes.HasPrefix(b[k:], []byte("obj")) {
		return ref, 0, false
	}
	return object.Ref{Num: uint32(num), Gen: uint16(gen)}, k + 3, true
}

// streamStart returns where the data behind a dictionary that ends at i start,
// 0 when it is no stream's.
func streamStart(b []byte, i int, at int64) int64 {
	i = object.SkipSpace(b, i)
	if !bytes.HasPrefix(b[i:], []byte("stream")) {
		return 0
	}
	i += len("stream")
	for i < len(b) && b[i] == ' ' {
		i++
	}
	if i < len(b) && b[i] == '\r' {
		i++
	}
	if i < len(b) && b[i] == '\n' {
		i++
	}
	return at + int64(i)
}

// parseAt reads the bare object at a position of the file.
func (f *File) parseAt(at int64) (Value, error) {
	for n := firstWindow; ; n *= 4 {
		b, err := f.window(at, n)
		if err != nil {
			return Value{}, err
		}
		s, e, err := object.Next(b, 0)
		if int64(len(b)) < f.size-at && (errors.Is(err, object.ErrShort) || e+8 > len(b)) && n < maxWindow {
			f.unalloc(b)
			continue
		}
		if err != nil {
			return Value{}, reject.Newf(reject.Damaged, "The document's trailer cannot be read (%v)", err)
		}
		return Value{Object: b[s:e:len(b)], Plain: true, Pos: at + int64(s)}, nil
	}
}

// objectStream is an inflated object stream.
type objectStream struct {
	data  []byte
	first int
	index []objectStreamEntry
}

type objectStreamEntry struct {
	num uint32
	at  int
}

// readCompressed reads an object out of an object stream (ISO 32000-1, 7.5.7).
func (f *File) readCompressed(e entry, ref object.Ref) Value {
	p := f.openObjectStream(e.stream)
	if p == nil {
		return Value{}
	}
	if int(e.index) < len(p.index) && p.index[e.index].num == ref.Num {
		return p.object(p.index[e.index])
	}
	for _, x := range p.index {
		if x.num == ref.Num {
			return p.object(x)
		}
	}
	return Value{}
}

func (p *objectStream) object(x objectStreamEntry) Value {
	s, e, err := object.Next(p.data, x.at)
	if err != nil {
		return Value{}
	}
	return Value{Object: object.Object(p.data[s:e]), Owner: object.Ref{Num: x.num}, Plain: true, Pos: -1}
}

func (f *File) openObjectStream(num uint32) *objectStream {
	if p, ok := f.objectStreams[num]; ok {
		return p
	}
	f.objectStreams[num] = nil // a stream that needs itself finds nothing
	v := f.Object(object.Ref{Num: num})
	if !v.IsStream() || f.lookup(num).kind != plain {
		return nil
	}
	n, _ := f.Get(v, "N").Int()
	first, _ := f.Get(v, "First").Int()
	data, err := f.Inflate(v, maxObjectStream)
	f.noteLimit(err)
	if first < 0 || first > int64(len(data)) {
		return nil
	}
	p := &objectStream{data: data, first: int(first), index: make([]objectStreamEntry, 0, min(max(n, 0), first/4+1))}
	for i := 0; len(p.index) < int(n); {
		num, e1, ok1 := object.Digits(data[:first], i)
		at, e2, ok2 := object.Digits(data[:first], e1)
		if !ok1 || !ok2 || at > int64(len(data)) {
			break
		}
		p.index = append(p.index, objectStreamEntry{uint32(num), min(int(first+at), len(data))})
		i = e2
	}
	f.objectStreams[num] = p
	return p
}

// String decrypts a string value; nil for any other kind.
func (f *File) String(v Value) []byte {
	b := v.Bytes()
	if f.Crypt == nil || v.Plain || b == nil {
		return b
	}
	out, err := f.Crypt.DecryptString(v.Owner, b)
	if err != nil {
		return nil
	}
	return out
}
