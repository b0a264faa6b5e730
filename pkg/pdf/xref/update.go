package xref

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/vecctl/vecctl/pkg/pdf/object"
)

// Place is where the cross-reference says that an object is. The zero value
// stands for an object that the file does not have.
type Place struct {
	Offset int64  // in the file, as its own offsets count; 0 in an object stream
	Gen    uint16 // generation
	Stream uint32 // number of the object stream; 0: none
	Index  uint32 // within the object stream
}

func (e entry) place() Place {
	switch e.kind {
	case plain:
		return Place{Offset: e.offset, Gen: e.gen}
	case compressed:
		return Place{Stream: e.stream, Index: e.index}
	}
	return Place{}
}

// Place returns where the newest version of an object is.
func (f *File) Place(num uint32) Place { return f.lookup(num).place() }

// StreamEnd returns where the data of a stream end. ok is false unless its
// dictionary states the length that it has.
func (f *File) StreamEnd(v Value) (end int64, ok bool) {
	n, ok := f.Get(v, "Length").Int()
	if !ok || n < 0 || n > f.size-v.data {
		return 0, false
	}
	b, err := f.window(v.data+n, 32)
	if err != nil {
		return 0, false
	}
	defer f.unalloc(b)
	return v.data + n, bytes.HasPrefix(b[object.SkipSpace(b, 0):], []byte("endstream"))
}

// Revisions returns the lengths that the file had before each of its updates, as far
// as they can be told, the newest first.
func (f *File) Revisions() []int64 {
	var ends []int64
	for i := 1; i < len(f.sections); i++ {
		if f.sections[i-1].hybrid {
			continue // the stream beside a table
		}
		b, err := f.window(f.sections[i].end, endWindow)
		if err != nil {
			continue
		}
		at := bytes.Index(b, []byte("%%EOF"))
		if at < 0 {
			continue
		}
		end := at + len("%%EOF")
		for n := 0; n < 2 && end < len(b) && (b[end] == '\r' || b[end] == '\n'); n++ {
			end++
		}
		ends = append(ends, f.sections[i].end+int64(end))
	}
	return ends
}

// The ways in which bytes behind a signed revision are no incremental update.
var (
	errStructure   = errors.New("the file's cross-reference is damaged")
	errNotUpdate   = errors.New("bytes were added that are no update of the document")
	errElsewhere   = errors.New("the file was added to in a way that does not continue what was signed")
	errHybrid      = errors.New("an update has two cross-references that may differ")
	errUnlisted    = errors.New("an update holds an object that its cross-reference does not list")
	errMisplaced   = errors.New("an update's cross-reference points where its object is not")
	errIntoSigned  = errors.New("an update gives another object of what was signed a number that was in use")
	errEntries     = errors.New("an update's cross-reference is not of the form that the standard wants")
	errGeneration  = errors.New("an update gives an object another generation, so that not all readers find it")
	errTwiceHeld   = errors.New("an update holds an object that its cross-reference does not list, within an object stream")
	errLongComment = errors.New("an update has objects in its comments")
)

// CheckUpdate checks the bytes that follow the signed revision of the document:
// they must be incremental updates (ISO 32000-1, 7.5.6) that every reader reads
// alike. It returns nil or what is wrong.
func (f *File) CheckUpdate(signed *File) error {
	if f.Repaired || signed.Repaired || f.base != signed.base {
		return errStructure
	}
	fresh := len(f.sections) - len(signed.sections)
	if fresh == 0 {
		return errNotUpdate
	}
	if fresh < 0 {
		return errElsewhere
	}
	for i, s := range signed.sections {
		if f.sections[fresh+i].start != s.start {
			return errElsewhere
		}
	}
	// Numbers from Size on are unused for many readers.
	before, ok1 := signed.Trailer.Get("Size").Int()
	after, ok2 := f.Trailer.Get("Size").Int()
	if !ok2 || ok1 && after < before {
		return errEntries
	}
	u := updateCheck{f: f, signed: signed, count: after, sections: f.sections[:fresh], objects: map[int64]object.Ref{}}
	for _, s := range u.sections {
		if s.start+f.base < signed.size {
			return errElsewhere
		}
	}
	if err := u.checkHybrids(); err != nil {
		return err
	}
	if err := u.scan(); err != nil {
		return err
	}
	return u.checkEntries()
}

// updateCheck goes over the bytes of updates.
type updateCheck struct {
	f, signed *File
	sections  []section
	objects   map[int64]object.Ref // by offset
	count     int64                // of object numbers, as the newest trailer says
}

// isStart finds the section that starts at an offset.
func (u *updateCheck) isStart(offset int64) (section, bool) {
	i := slices.IndexFunc(u.sections, func(s section) bool { return u.behindSpace(s.start) == offset })
	if i < 0 {
		return section{}, false
	}
	return u.sections[i], true
}

// scan goes over the updates from their first byte to their last.
func (u *updateCheck) scan() error {
	for pos := u.signed.size; ; {
		var err error
		if pos, err = u.skipSpace(pos); err != nil {
			return err
		}
		if pos >= u.f.size {
			return nil
		}
		b, err := u.f.window(pos, 32)
		if err != nil {
			return err
		}
		switch {
		case bytes.HasPrefix(b, []byte("xref")):
			s, ok := u.isStart(pos - u.f.base)
			if !ok || !s.table {
				return errNotUpdate
			}
			pos = s.end
		case bytes.HasPrefix(b, []byte("startxref")):
			start, n, ok := object.Digits(b, len("startxref"))
			if _, known := u.isStart(u.behindSpace(start)); !ok || !known {
				return errNotUpdate
			}
			pos += int64(n)
			if !u.endsHere(pos) {
				return errNotUpdate
			}
		case isDigit(b[0]):
			if pos, err = u.object(pos, b); err != nil {
				return err
			}
		default:
			return errNotUpdate
		}
	}
}

// endsHere reports whether the mark of a file's end follows.
func (u *updateCheck) endsHere(pos int64) bool {
	b, err := u.f.window(pos, 16)
	return err == nil && bytes.HasPrefix(bytes.TrimLeft(b, "\r\n "), []byte("%%EOF"))
}

// maxComment is how long a comment between the objects of an update may be.
const maxComment = 256

// skipSpace skips white space and comments. What looks like an object in a comment
// is one for readers that search a file for objects.
func (u *updateCheck) skipSpace(pos int64) (int64, error) {
	for pos < u.f.size {
		b, err := u.f.window(pos, maxComment+1)
		if err != nil {
			return 0, err
		}
		n := 0
		for n < len(b) && object.IsSpace(b[n]) {
			n++
		}
		if n == 0 && b[0] == '%' {
			for n = 1; n < len(b) && b[n] != '\r' && b[n] != '\n'; n++ {
			}
			if n > maxComment || bytes.Contains(b[:n], []byte("obj")) || bytes.Contains(b[:n], []byte("xref")) ||
				bytes.Contains(b[:n], []byte("trailer")) {
				return 0, errLongComment
			}
		}
		u.f.unalloc(b)
		if n == 0 {
			return pos, nil
		}
		pos += int64(n)
	}
	return pos, nil
}

// object notes the object at pos and returns where it ends.
func (u *updateCheck) object(pos int64, head []byte) (int64, error) {
	f := u.f
	if numbers, _, ok := bytes.Cut(head, []byte("obj")); !ok || bytes.IndexByte(numbers, '%') >= 0 {
		return 0, errNotUpdate
	}
	v, ref, err := f.objectAt(pos - f.base)
	if err != nil || v.Pos < 0 {
		return 0, errNotUpdate
	}
	end := v.Pos + int64(len(v.Object))
	if v.IsStream() {
		var ok bool
		if end, ok = f.StreamEnd(v); !ok {
			return 0, errNotUpdate
		}
	}
	b, err := f.window(end, 64)
	if err != nil {
		return 0, errNotUpdate
	}
	defer f.unalloc(b)
	i := object.SkipSpace(b, 0)
	if v.IsStream() {
		i = object.SkipSpace(b, i+len("endstream"))
	}
	if !bytes.HasPrefix(b[min(i, len(b)):], []byte("endobj")) {
		return 0, errNotUpdate
	}
	u.objects[pos-f.base] = ref
	return end + int64(i+len("endobj")), nil
}

// checkHybrids checks that a table and the stream beside it do not contradict each
// other: readers differ in which of them they ask first.
func (u *updateCheck) checkHybrids() error {
	for i := range u.sections {
		if !u.sections[i].hybrid {
			continue
		}
		if i+1 == len(u.sections) {
			return errHybrid
		}
		inStream := maps.Collect(u.f.entries(&u.sections[i+1]))
		for num, e := range u.f.entries(&u.sections[i]) {
			if other, ok := inStream[num]; ok && e.kind != free {
				if other != e {
					return errHybrid
				}
				delete(inStream, num)
			}
		}
		// Where only the stream says it, some readers go on to the updates before.
		for j := i + 2; j < len(u.sections); j++ {
			for num, e := range u.f.entries(&u.sections[j]) {
				if other, ok := inStream[num]; ok && other != e {
					return errHybrid
				}
			}
		}
	}
	return nil
}

// checkEntries checks that each entry points to its object, and that each object
// has one.
func (u *updateCheck) checkEntries() error {
	listed, held := map[int64]bool{}, map[Place]uint32{}
	for i := range u.sections {
		seen := map[uint32]bool{}
		s := &u.sections[i]
		if s.listed != nil {
			return errEntries
		}
		for num, e := range u.f.entries(s) {
			if seen[num] {
				return errEntries
			}
			seen[num] = true
			if e.kind != free && int64(num) >= u.count {
				return errEntries
			}
			if err := u.checkEntry(num, e, listed); err != nil {
				return err
			}
			if e.kind == compressed {
				held[e.place()] = num
			}
		}
	}
	for at, ref := range u.objects {
		if listed[at] {
			continue
		}
		if _, ok := u.isStart(at); !ok {
			return fmt.Errorf("%w: %d %d", errUnlisted, ref.Num, ref.Gen)
		}
	}
	return u.checkObjectStreams(held)
}

// checkObjectStreams checks that the objects within the object streams of the update are
// listed where they stand, so that readers that search these find the same.
func (u *updateCheck) checkObjectStreams(held map[Place]uint32) error {
	for at, ref := range u.objects {
		v := u.f.Object(ref)
		if u.behindSpace(u.f.Place(ref.Num).Offset) != at || !v.IsStream() || !u.f.Get(v, "Type").Is("ObjStm") {
			continue
		}
		p := u.f.openObjectStream(ref.Num)
		if p == nil {
			return errMisplaced
		}
		for i, x := range p.index {
			if num, ok := held[Place{Stream: ref.Num, Index: uint32(i)}]; !ok || num != x.num {
				return fmt.Errorf("%w: %d", errTwiceHeld, x.num)
			}
		}
	}
	return nil
}

func (u *updateCheck) checkEntry(num uint32, e entry, listed map[int64]bool) error {
	switch e.kind {
	case missing:
		return errEntries
	case free:
		return nil
	case compressed:
		if e.place() == u.signed.Place(num) {
			return nil
		}
		if u.signed.Place(num).Gen != 0 {
			return errGeneration
		}
		holder := u.f.lookup(e.stream)
		if holder.kind != plain || holder.offset+u.f.base < u.signed.size {
			return errIntoSigned
		}
		p := u.f.openObjectStream(e.stream)
		if p == nil || int(e.index) >= len(p.index) || p.index[e.index].num != num {
			return errMisplaced
		}
		return nil
	}
	if e.offset+u.f.base < u.signed.size {
		if e.place() != u.signed.Place(num) {
			return errIntoSigned
		}
		return nil
	}
	if was := u.signed.Place(num); was != (Place{}) && was.Gen != e.gen {
		return errGeneration
	}
	at := u.behindSpace(e.offset)
	if u.objects[at] != (object.Ref{Num: num, Gen: e.gen}) {
		return errMisplaced
	}
	listed[at] = true
	return nil
}

// behindSpace returns the offset of what follows the white space at an offset. Some
// programs count the end of a line that stands before an object as a part of it.
func (u *updateCheck) behindSpace(offset int64) int64 {
	var b [4]byte
	n, _ := u.f.r.ReadAt(b[:], offset+u.f.base)
	for i := range n {
		if !object.IsSpace(b[i]) {
			return offset + int64(i)
		}
	}
	return offset
}

// entries goes through the entries of one section. What is no entry comes as one
// that is missing.
func (f *File) entries(s *section) iter.Seq2[uint32, entry] {
	return func(yield func(uint32, entry) bool) {
		size := int64(s.width[0] + s.width[1] + s.width[2])
		for _, r := range s.runs {
			for n := range r.count {
				var e entry
				if s.table {
					e = f.strictEntry(r.at + 20*n)
				} else if at := r.at + n*size; at+size <= int64(len(s.data)) {
					e = streamEntry(s.data[at:at+size], s.width)
				}
				if !yield(uint32(r.first+n), e) || e.kind == missing {
					return
				}
			}
		}
	}
}

// strictEntry reads an entry of a table that keeps to the standard.
func (f *File) strictEntry(at int64) entry {
	var b [20]byte
	if n, _ := f.r.ReadAt(b[:], at); n < len(b) || !looksLikeEntry(b[:]) {
		return entry{}
	}
	return parseEntry(b[:])
}
