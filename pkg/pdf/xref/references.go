package xref

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

// A reference that leads to no object is null (ISO 32000-1, 7.3.10), and must stay so: a new
// object of that number would be drawn, or run, wherever the original refers to it. So new
// numbers are above all that the original refers to.

// NextNumber returns the first object number that the file neither uses nor refers to.
func (f *File) NextNumber() (uint32, error) {
	top := f.highestNumber()
	if err := f.eachObject(func(b []byte) { top = max(top, highestReference(b)) }); err != nil {
		return 0, err
	}
	return uint32(max(top, highestReference(f.Trailer.Object)) + 1), nil
}

// highestNumber is the highest object number that the cross-reference names.
func (f *File) highestNumber() (top int64) {
	for n := range f.rebuilt {
		top = max(top, int64(n))
	}
	if f.rebuilt != nil {
		return top
	}
	for i := range f.sections {
		for _, r := range f.sections[i].runs {
			if r.count > 0 {
				top = max(top, r.first+r.count-1)
			}
		}
		for n := range f.sections[i].listed {
			top = max(top, int64(n))
		}
	}
	if size, ok := f.Trailer.Get("Size").Int(); ok && size <= maxNumber {
		top = max(top, size-1)
	}
	return top
}

// highestReference finds the highest object number in what may be references. What only looks
// like one, inside a string, does no harm.
func highestReference(b []byte) (top int64) {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], 'R')
		if i < 0 {
			return top
		}
		i, at = at+i, at+i+1
		if at < len(b) && object.IsRegular(b[at]) {
			continue
		}
		generation, left := digitsBefore(b, i)
		if number, left := digitsBefore(b, left); generation >= 0 && left >= 0 && number <= maxNumber {
			top = max(top, number)
		}
	}
}

// digitsBefore reads the number in front of white space that ends at i; -1 where there is none.
func digitsBefore(b []byte, i int) (n int64, start int) {
	end := i
	for end > 0 && object.IsSpace(b[end-1]) {
		end--
	}
	start = end
	for start > 0 && isDigit(b[start-1]) && end-start <= 10 {
		start--
	}
	if end == i || start == end {
		return -1, -1
	}
	for _, c := range b[start:end] {
		n = 10*n + int64(c-'0')
	}
	return n, start
}

// eachObject calls a function with the bytes of everything that is not a stream's data: each
// object once, or in pieces that overlap, and each inflated object stream. It spends nothing of
// the budget for objects.
func (f *File) eachObject(look func([]byte)) error {
	offsets, streams := f.places()
	if err := f.eachPlain(offsets, look); err != nil {
		return err
	}
	spent, limit := f.spent, f.LimitErr
	defer func() { f.spent, f.LimitErr = spent, limit }()
	f.spent = 0
	for _, num := range streams {
		p := f.openObjectStream(num)
		if r, ok := errors.AsType[*reject.Rejection](f.LimitErr); ok && limit == nil {
			return r
		}
		if p != nil {
			look(p.data)
		}
	}
	return nil
}

// places lists where plain objects begin, and the numbers of the object streams.
func (f *File) places() (offsets []int64, streams []uint32) {
	add := func(e entry) {
		switch e.kind {
		case plain:
			offsets = append(offsets, f.base+e.offset)
		case compressed:
			if n := len(streams); n == 0 || streams[n-1] != e.stream {
				streams = append(streams, e.stream)
			}
		}
	}
	for _, e := range f.rebuilt {
		add(e)
	}
	if f.rebuilt == nil {
		for i := range f.sections {
			f.sectionPlaces(&f.sections[i], add)
		}
	}
	slices.Sort(offsets)
	slices.Sort(streams)
	return slices.Compact(offsets), slices.Compact(streams)
}

func (f *File) sectionPlaces(s *section, add func(entry)) {
	for _, e := range s.listed {
		add(e)
	}
	size := int64(s.width[0] + s.width[1] + s.width[2])
	for _, r := range s.runs {
		if !s.table {
			for at := r.at; at < r.at+r.count*size && at+size <= int64(len(s.data)); at += size {
				add(streamEntry(s.data[at:at+size], s.width))
			}
			continue
		}
		const lines = 512
		var block [20 * lines]byte
		for n := int64(0); n < r.count; n += lines {
			part := block[:20*min(lines, r.count-n)]
			got, _ := f.r.ReadAt(part, r.at+20*n) // what is not there has no objects
			for at := 0; at+18 <= got; at += 20 {
				add(parseEntry(part[at:min(at+20, got)]))
			}
		}
	}
}

// blockSize is how much of the file is read at once; most objects are shorter.
const blockSize = 8 << 10

// eachPlain calls a function with plain objects, each up to its end or its data.
func (f *File) eachPlain(offsets []int64, look func([]byte)) error {
	block, start := make([]byte, 0, blockSize), int64(0)
	for i, off := range offsets {
		end := f.size
		if i+1 < len(offsets) {
			end = offsets[i+1]
		}
		for off < end {
			if off < start || off+min(end-off, blockSize/8) > start+int64(len(block)) {
				block, start = block[:min(blockSize, f.size-off)], off
				if n, err := f.r.ReadAt(block, off); n < len(block) && err != nil && !errors.Is(err, io.EOF) {
					return fmt.Errorf("read the objects of the document: %w", err)
				}
			}
			part := block[off-start : min(end-start, int64(len(block)))]
			if ended := objectEnd(part); ended >= 0 {
				look(part[:ended])
				break
			}
			look(part)
			const longest = 40 // bytes of a reference or a word that the next piece begins with
			if off+int64(len(part)) >= end {
				break
			}
			off += int64(len(part)) - longest
		}
	}
	return nil
}

// objectEnd finds where an object ends or a stream's data begin; -1 where neither is there.
func objectEnd(b []byte) int {
	ended := bytes.Index(b, []byte("endobj"))
	if ended >= 0 {
		b = b[:ended]
	}
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte("stream"))
		if i < 0 {
			return ended
		}
		i, at = at+i, at+i+len("stream")
		before := bytes.TrimRight(b[:i], " \t\r\n\f\x00")
		if bytes.HasSuffix(before, []byte(">>")) && at < len(b) && object.IsSpace(b[at]) {
			return i
		}
	}
}
