package xref

import (
	"bytes"
	"slices"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

// entry says where an object is.
type entry struct {
	kind   entryKind
	gen    uint16
	index  uint32 // within the object stream
	stream uint32 // number of the object stream
	offset int64
}

type entryKind uint8

const (
	missing entryKind = iota
	free
	plain      // at offset
	compressed // in an object stream
)

// run is a row of entries for consecutive object numbers.
type run struct {
	first, count int64
	at           int64 // a table: offset in the file; a stream: offset in its data
}

// section is one cross-reference table or stream.
type section struct {
	start  int64 // offset
	end    int64 // where its trailer or its data end in the file
	runs   []run
	table  bool
	hybrid bool   // a stream follows that knows what this table calls free
	width  [3]int // of a stream's fields
	data   []byte // of a stream
	listed map[uint32]entry
}

// readSections reads the section at start and all that it continues.
func (f *File) readSections(start int64) error {
	var seen []int64
	for start > 0 {
		if slices.Contains(seen, start) {
			return reject.New(reject.Endless, "The document's cross-reference runs in a loop: one of its parts continues itself by /Prev")
		}
		if len(seen) >= maxSections {
			return reject.Newf(reject.Damaged, "The document's cross-reference is in more than %d parts", maxSections)
		}
		seen = append(seen, start)
		trailer, isTable, err := f.readSection(start)
		if err != nil {
			return err
		}
		if len(seen) == 1 {
			f.Trailer, f.Streams = trailer, !isTable
		}
		if at, ok := trailer.Get("XRefStm").Int(); ok && isTable && at > 0 && !slices.Contains(seen, at) {
			f.sections[len(f.sections)-1].hybrid = true
			seen = append(seen, at)
			if _, _, err := f.readSection(at); err != nil {
				return err
			}
		}
		prev, ok := f.Resolve(trailer.Key("Prev")).Int()
		if !ok {
			break
		}
		if prev < 0 || prev >= f.size {
			return reject.New(reject.Damaged, "The document's cross-reference points outside the file")
		}
		start = prev
	}
	return nil
}

func (f *File) readSection(at int64) (trailer Value, isTable bool, err error) {
	b, err := f.window(f.base+at, firstWindow)
	if err != nil {
		return Value{}, false, err
	}
	i := object.SkipSpace(b, 0)
	if bytes.HasPrefix(b[i:], []byte("xref")) {
		trailer, err = f.readTable(f.base + at + int64(i) + 4)
		isTable = true
	} else {
		trailer, err = f.readStream(at)
	}
	if err == nil {
		s := &f.sections[len(f.sections)-1]
		s.start, s.end = at, trailer.Pos+int64(len(trailer.Object))
		if trailer.IsStream() {
			s.end = trailer.data + f.StreamSize(trailer)
		}
	}
	return trailer, isTable, err
}

// readTable reads the runs of a classic table from position at on, without
// their entries, and the trailer.
func (f *File) readTable(at int64) (Value, error) {
	s := section{table: true}
	for {
		b, err := f.window(at, 64)
		if err != nil {
			return Value{}, err
		}
		i := object.SkipSpace(b, 0)
		if bytes.HasPrefix(b[i:], []byte("trailer")) {
			f.sections = append(f.sections, s)
			v, err := f.parseAt(at + int64(i) + int64(len("trailer")))
			if err == nil && v.Kind() != object.Dict {
				err = reject.New(reject.Damaged, "The document's trailer is no dictionary")
			}
			return v, err
		}
		first, e1, ok1 := object.Digits(b, i)
		count, e2, ok2 := object.Digits(b, e1)
		if !ok1 || !ok2 || first > maxNumber || count > maxNumber || len(s.runs) > maxObjects {
			return Value{}, reject.New(reject.Damaged, "The document's cross-reference table cannot be read")
		}
		body := at + int64(object.SkipSpace(b, e2))
		if f.fixedWidth(body, count) {
			s.runs = append(s.runs, run{first, count, body})
			at = body + 20*count
			continue
		}
		if at, err = f.listEntries(&s, first, count, body); err != nil {
			return Value{}, err
		}
	}
}

// fixedWidth reports whether count entries of 20 bytes stand at position at.
func (f *File) fixedWidth(at, count int64) bool {
	if count == 0 {
		return true
	}
	if at+20*count > f.size {
		return false
	}
	var b [20]byte
	for _, i := range [2]int64{0, count - 1} {
		if _, err := f.r.ReadAt(b[:], at+20*i); err != nil || !looksLikeEntry(b[:]) {
			return false
		}
	}
	return true
}

// looksLikeEntry reports whether b looks like "nnnnnnnnnn ggggg n" and an end of line.
func looksLikeEntry(b []byte) bool {
	for i, c := range b[:18] {
		switch i {
		case 10, 16:
			if c != ' ' {
				return false
			}
		case 17:
			if c != 'n' && c != 'f' {
				return false
			}
		default:
			if c < '0' || c > '9' {
				return false
			}
		}
	}
	return object.IsSpace(b[18]) && object.IsSpace(b[19])
}

// listEntries reads entries that do not keep to 20 bytes, one by one.
func (f *File) listEntries(s *section, first, count, at int64) (int64, error) {
	if s.listed == nil {
		s.listed = map[uint32]entry{}
	}
	bad := reject.New(reject.Damaged, "The document's cross-reference table has entries that cannot be read")
	var b []byte
	i := 0
	for n := range count {
		if len(b)-i < 64 && at+int64(i) < f.size {
			at += int64(i)
			var err error
			if b, err = f.window(at, 4096); err != nil {
				return 0, err
			}
			i = 0
		}
		if p := object.SkipSpace(b, i); bytes.HasPrefix(b[p:], []byte("trailer")) {
			break // fewer entries than announced
		}
		offset, e1, ok1 := object.Digits(b, i)
		gen, e2, ok2 := object.Digits(b, e1)
		p := object.SkipSpace(b, e2)
		if !ok1 || !ok2 || p >= len(b) || (b[p] != 'n' && b[p] != 'f') {
			return 0, bad
		}
		i = p + 1
		e := entry{kind: free}
		if b[p] == 'n' {
			e = entry{kind: plain, offset: offset, gen: uint16(gen)}
		}
		s.listed[uint32(first+n)] = e
	}
	return at + int64(i), nil
}

// readStream reads the cross-reference stream at an offset (ISO 32000-1, 7.5.8).
func (f *File) readStream(at int64) (Value, error) {
	v, _, err := f.objectAt(at)
	if err != nil {
		return v, err
	}
	bad := reject.New(reject.Damaged, "The document's cross-reference stream cannot be read")
	if !v.IsStream() || !v.Get("Type").Is("XRef") {
		return v, bad
	}
	s := section{}
	i := 0
	for w := range f.Get(v, "W").Elems() {
		n, ok := w.Int()
		if !ok || n < 0 || n > 8 || i > 2 {
			return v, bad
		}
		s.width[i], i = int(n), i+1
	}
	entrySize := s.width[0] + s.width[1] + s.width[2]
	if i != 3 || entrySize == 0 {
		return v, bad
	}
	if s.data, err = f.inflateWith(v, nil, maxObjectStream); err != nil && len(s.data) == 0 {
		return v, bad
	}
	f.noteLimit(err)
	size, _ := v.Get("Size").Int()
	s.runs = f.streamRuns(v, size, int64(entrySize))
	f.sections = append(f.sections, s)
	return v, nil
}

func (f *File) streamRuns(v Value, size, entrySize int64) []run {
	index := f.Get(v, "Index")
	if index.Kind() != object.Array {
		return []run{{0, size, 0}}
	}
	var runs []run
	var at, first int64
	odd := false
	for o := range index.Elems() {
		n, ok := o.Int()
		if !ok || n < 0 || n > maxNumber || len(runs) > maxObjects {
			break
		}
		if odd = !odd; odd {
			first = n
			continue
		}
		runs = append(runs, run{first, n, at})
		at += n * entrySize
	}
	return runs
}
