// Package xref finds the objects of a PDF file (ISO 32000-1, 7.5). It reads
// what it is asked for and little more: the end of the file, its
// cross-reference sections, and a window around each object.
//
// Everything that a hostile file could make grow is bounded: sections, depth
// of references, bytes read and bytes inflated.
package xref

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/vecctl/vecctl/pkg/pdf/crypt"
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

const (
	maxSections      = 2000     // cross-reference sections in one file
	maxObjects       = 300_000  // objects in a rebuilt cross-reference
	maxObjectStreams = 5_000    // object streams opened for it
	maxTrailers      = 64       // looked at for it, from the end
	maxWork          = 48 << 20 // bytes of dictionaries gone through for one document
	maxNumber        = 8388607  // object number, ISO 32000-1, annex C
	maxWindow        = 8 << 20  // bytes of one object without its stream
	maxSpent         = 48 << 20 // bytes read or inflated for one document, without a rebuild
	maxObjectStream  = 16 << 20 // bytes of one inflated object stream
	maxRepaired      = 64 << 10 // bytes of a dictionary without an end
	maxFollow        = 32       // references to references
	maxNesting       = 16       // objects whose reading needs other objects
	arenaSize        = 96 << 10
	firstWindow      = 768
	endWindow        = 1024
	headerWindow     = 1024
)

var errBudget = errors.New("the document needs more memory than it may have")

// Value is an object and where it was found.
type Value struct {
	object.Object
	Owner object.Ref // the indirect object that it is part of; Num 0: the trailer
	Plain bool       // its strings are not encrypted one by one
	Pos   int64      // where it starts in the file; -1: in an object stream
	data  int64      // where its stream's data start; 0: it is no stream
}

// IsStream reports whether the value is a stream's dictionary.
func (v Value) IsStream() bool { return v.data != 0 }

// Key returns an entry of a dictionary, references not followed.
func (v Value) Key(key string) Value { return v.Part(v.Object.Get(key)) }

// Part is an object that lies within v.
func (v Value) Part(o object.Object) Value {
	p := Value{Object: o, Owner: v.Owner, Plain: v.Plain, Pos: -1}
	if v.Pos >= 0 && len(o) > 0 {
		// o is a piece of v's own bytes, so their capacities tell its place.
		p.Pos = v.Pos + int64(cap(v.Object)-cap(o))
	}
	return p
}

// File is an open document. It is not safe for concurrent use.
type File struct {
	Trailer  Value // of the newest section
	Root     Value // the catalog
	RootRef  object.Ref
	Start    int64 // offset of the newest section, as startxref says it
	Streams  bool  // the newest section is a stream
	Repaired bool  // the sections were rebuilt by a scan
	CutOff   bool  // they were, and nothing behind the last object ends the file
	LimitErr error // why an object was taken for null that is there; a *reject.Rejection
	Crypt    *crypt.Handler

	r             io.ReaderAt
	size          int64
	base          int64 // where offsets count from: junk before the header
	sections      []section
	rebuilt       map[uint32]entry
	cache         map[uint32]Value
	objectStreams map[uint32]*objectStream
	arena         []byte
	used          int
	spent         int64
	pictures      int64 // bytes that may be spent beyond maxSpent
	nesting       int
	work          int // bytes of dictionaries gone through
}

var files sync.Pool // of *File, closed

// Open finds the structure of the PDF of size bytes at r. It refuses what is
// no PDF, what cannot be read even by a scan, and what needs a password. Close
// gives the memory back; values do not outlive it.
func Open(r io.ReaderAt, size int64) (*File, error) {
	f, ok := files.Get().(*File)
	if !ok {
		f = &File{cache: map[uint32]Value{}, objectStreams: map[uint32]*objectStream{}, arena: make([]byte, arenaSize)}
	}
	f.r, f.size = r, size
	if err := f.open(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Close gives the document's memory back.
func (f *File) Close() {
	clear(f.cache)
	clear(f.objectStreams)
	clear(f.sections)
	*f = File{cache: f.cache, objectStreams: f.objectStreams, arena: f.arena, sections: f.sections[:0]}
	files.Put(f)
}

// Size is the file's length in bytes.
func (f *File) Size() int64 { return f.size }

// Base is what offsets are counted from; it is above 0 when junk stands before
// the header.
func (f *File) Base() int64 { return f.base }

func (f *File) open() error {
	if err := f.findHeader(); err != nil {
		return err
	}
	if err := f.openSections(); err == nil {
		return nil
	} else if isFinal(err) {
		return err
	}
	err := f.Rebuild()
	if err != nil && f.LimitErr != nil {
		return f.LimitErr
	}
	return err
}

// isFinal reports whether an error is the last word, which no scan can better.
func isFinal(err error) bool {
	r, ok := errors.AsType[*reject.Rejection](err)
	return ok && r.Reason != reject.Damaged && r.Reason != reject.Truncated
}

func (f *File) findHeader() error {
	if f.size == 0 {
		return reject.New(reject.Empty, "The file is empty")
	}
	head, err := f.window(0, headerWindow)
	if err != nil {
		return err
	}
	at := bytes.Index(head, []byte("%PDF-"))
	if at < 0 {
		return reject.New(reject.NotPDF, "The file is not a PDF: it has no %PDF header")
	}
	f.base = int64(at)
	return nil
}

// openSections goes the way that a sound file offers: startxref, sections,
// trailer, catalog.
func (f *File) openSections() error {
	start, err := f.findStart()
	if err != nil {
		return err
	}
	if err := f.readSections(start); err != nil {
		return err
	}
	f.Start = start
	return f.openRoot()
}

// openRoot sets up decryption and finds the catalog that the trailer names.
func (f *File) openRoot() error {
	if err := f.openCrypt(); err != nil {
		return err
	}
	f.RootRef, _ = f.Trailer.Get("Root").Ref()
	f.Root = f.Get(f.Trailer, "Root")
	if f.Root.Kind() != object.Dict || f.Root.Get("Pages") == nil {
		return reject.New(reject.Damaged, "The document has no catalog of its pages")
	}
	return nil
}

func (f *File) openCrypt() error {
	dict := f.Get(f.Trailer, "Encrypt")
	if dict.Kind() != object.Dict {
		if dict.IsNull() && f.Trailer.Get("Encrypt").IsNull() {
			return nil
		}
		return reject.New(reject.Damaged, "The document's encryption dictionary cannot be read")
	}
	var id []byte
	for e := range f.Get(f.Trailer, "ID").Elems() {
		id = f.Resolve(Value{Object: e}).Bytes()
		break
	}
	resolve := func(o object.Object) object.Object { return f.Resolve(Value{Object: o}).Object }
	h, err := crypt.Open(dict.Object, resolve, id)
	switch {
	case errors.Is(err, crypt.ErrPassword):
		return reject.New(reject.Encrypted, "The document is encrypted and opens with a password only")
	case err != nil:
		return reject.Newf(reject.UnknownHandler, "The document is encrypted in a way that is not known here (%v)", err)
	}
	f.Crypt = h
	clear(f.cache) // what was read so far was read without decryption
	return nil
}

// findStart reads the number behind the last startxref.
func (f *File) findStart() (int64, error) {
	for _, n := range []int64{endWindow, 16 * endWindow} {
		end, err := f.window(max(0, f.size-n), int(min(n, f.size)))
		if err != nil {
			return 0, err
		}
		if at := bytes.LastIndex(end, []byte("startxref")); at >= 0 {
			start, _, ok := object.Digits(end, at+len("startxref"))
			if !ok || start <= 0 || start >= f.size {
				break
			}
			return start, nil
		}
	}
	return 0, reject.New(reject.Damaged, "The document's end does not say where its cross-reference is")
}

// window reads up to n bytes at off. Fewer come at the end of the file.
func (f *File) window(off int64, n int) ([]byte, error) {
	if off < 0 || off >= f.size {
		return nil, reject.New(reject.Damaged, "The document points beyond its own end")
	}
	n = int(min(int64(n), f.size-off))
	b, err := f.alloc(n)
	if err != nil {
		return nil, err
	}
	if got, err := f.r.ReadAt(b, off); got < n {
		return nil, fmt.Errorf("read %d bytes at %d: %w", n, off, err)
	}
	return b, nil
}

// alloc takes bytes from the arena, or from the heap when it is full.
func (f *File) alloc(n int) ([]byte, error) {
	if err := f.spend(n); err != nil {
		return nil, err
	}
	if f.used+n > len(f.arena) {
		return make([]byte, n), nil
	}
	b := f.arena[f.used : f.used+n : f.used+n]
	f.used += n
	return b, nil
}

func (f *File) spend(n int) error {
	if f.spent += int64(n); f.spent > f.budget() {
		return reject.Newf(reject.TooComplex, "Reading the document stops at %d MB (%v)", f.budget()>>20, errBudget)
	}
	return nil
}

// budget is how many bytes may be read and inflated.
func (f *File) budget() int64 { return maxSpent + f.pictures }

// AllowPictures lets so many bytes more be read and inflated, for those who look at
// pictures.
func (f *File) AllowPictures(bytes int64) { f.pictures = bytes }

// Parts goes through an array without following references.
func (v Value) Parts() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for e := range v.Object.Elems() {
			if !yield(v.Part(e)) {
				return
			}
		}
	}
}
