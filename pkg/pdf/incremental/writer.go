// Package incremental writes an incremental update of a PDF file (ISO 32000-1,
// 7.5.6): objects behind the original's bytes and a cross-reference of the
// original's own kind that continues its own.
package incremental

import (
	"cmp"
	"io"
	"slices"
	"strconv"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Writer collects the bytes of one update.
type Writer struct {
	Bytes     []byte
	Info      object.Ref // the document information, where it is another than the original's; Num 0: it is not
	f         *xref.File
	rand      io.Reader // for the initialization vectors of encrypted documents
	next      uint32
	entries   []entry
	open      object.Ref
	duplicate bool // an object was written that was written before
}

type entry struct {
	num    uint32
	gen    uint16
	packed bool
	at     int64 // offset as the file counts; packed: the object stream's number
	index  uint32
}

// maxNumber is the largest object number (ISO 32000-1, annex C).
const maxNumber = 8388607

// Start begins an update of f in buf, whose old content is dropped.
func (w *Writer) Start(f *xref.File, rand io.Reader, buf []byte) error {
	next, err := f.NextNumber()
	if err != nil {
		return err
	}
	*w = Writer{Bytes: append(buf[:0], '\n'), f: f, rand: rand, next: next, entries: w.entries[:0]}
	if w.next > maxNumber-64 {
		return reject.New(reject.TooComplex, "The document has no object numbers left")
	}
	return nil
}

// NewRef reserves the number of a new object.
func (w *Writer) NewRef() object.Ref {
	w.next++
	return object.Ref{Num: w.next - 1}
}

// Begin starts an object; what is appended to Bytes until End is its body.
func (w *Writer) Begin(ref object.Ref) {
	w.open = ref
	w.duplicate = w.duplicate || slices.ContainsFunc(w.entries, func(e entry) bool { return e.num == ref.Num })
	w.entries = append(w.entries, entry{num: ref.Num, gen: ref.Gen, at: w.offset()})
	w.Bytes = strconv.AppendUint(w.Bytes, uint64(ref.Num), 10)
	w.Bytes = append(w.Bytes, ' ')
	w.Bytes = strconv.AppendUint(w.Bytes, uint64(ref.Gen), 10)
	w.Bytes = append(w.Bytes, " obj\n"...)
}

// End finishes the object.
func (w *Writer) End() { w.Bytes = append(w.Bytes, "\nendobj\n"...) }

func (w *Writer) offset() int64 { return w.f.Size() - w.f.Base() + int64(len(w.Bytes)) }

// Raw appends a spelling.
func (w *Writer) Raw(s string) { w.Bytes = append(w.Bytes, s...) }

// separate appends a space where what follows would else grow together with what
// stands in front: a word, or the slash of a name without letters.
func (w *Writer) separate() {
	if n := len(w.Bytes); n > 0 && (w.Bytes[n-1] == '/' || object.IsRegular(w.Bytes[n-1])) {
		w.Bytes = append(w.Bytes, ' ')
	}
}

// Int appends a number.
func (w *Writer) Int(n int) {
	w.separate()
	w.Bytes = strconv.AppendInt(w.Bytes, int64(n), 10)
}

// Real appends a number.
func (w *Writer) Real(f float64) {
	w.separate()
	w.Bytes = object.AppendReal(w.Bytes, f)
}

// Ref appends a reference.
func (w *Writer) Ref(r object.Ref) {
	w.separate()
	w.Bytes = object.AppendRef(w.Bytes, r)
}

// String appends a string of the open object, encrypted where the document is.
func (w *Writer) String(s []byte) error {
	if w.f.Crypt == nil {
		w.Bytes = object.AppendString(w.Bytes, s)
		return nil
	}
	sealed, err := w.f.Crypt.EncryptString(w.rand, w.open, s)
	w.Bytes = object.AppendHex(w.Bytes, sealed)
	return err
}

// Text appends a text string of the open object.
func (w *Writer) Text(s string) error { return w.String(object.Text(s)) }

// Stream writes a whole stream object; dict are its entries but for Length.
func (w *Writer) Stream(ref object.Ref, dict []byte, data []byte) error {
	if w.f.Crypt != nil {
		var err error
		if data, err = w.f.Crypt.EncryptStream(w.rand, ref, data); err != nil {
			return err
		}
	}
	w.Begin(ref)
	w.Raw("<<")
	w.Bytes = append(w.Bytes, dict...)
	w.Data(data)
	w.End()
	return nil
}

// Data ends the dictionary of an open stream object with its length and
// appends its data as they are to stand in the file.
func (w *Writer) Data(data []byte) {
	w.Raw("/Length")
	w.Int(len(data))
	w.Raw(">>\nstream\n")
	w.Bytes = append(w.Bytes, data...)
	w.Raw("\nendstream")
}

// Copy appends a value of the original, to the letter where that is possible: in an encrypted document, a string that moves to another object
// is encrypted anew.
func (w *Writer) Copy(v xref.Value) error {
	if v.Object == nil {
		w.separate()
		w.Raw("null")
		return nil
	}
	if object.IsRegular(v.Object[0]) {
		w.separate()
	}
	if w.f.Crypt == nil || (v.Owner == w.open && !v.Plain) {
		w.Bytes = append(w.Bytes, v.Object...)
		return nil
	}
	switch v.Kind() {
	case object.String:
		return w.String(w.f.String(v))
	case object.Array:
		w.Raw("[")
		for e := range v.Object.Elems() {
			if err := w.Copy(v.Part(e)); err != nil {
				return err
			}
		}
		w.Raw("]")
	case object.Dict:
		w.Raw("<<")
		if err := w.CopyEntries(v, nil); err != nil {
			return err
		}
		w.Raw(">>")
	default:
		w.Bytes = append(w.Bytes, v.Object...)
	}
	return nil
}

// CopyEntries appends the entries of a dictionary but for the named ones.
func (w *Writer) CopyEntries(v xref.Value, but []string) error {
	for key, value := range v.Pairs() {
		if value.Kind() == object.Keyword {
			continue // what is left of something broken
		}
		if slices.ContainsFunc(but, func(name string) bool { return key.Is(name) }) {
			continue
		}
		w.Bytes = append(w.Bytes, key...)
		if err := w.Copy(v.Part(value)); err != nil {
			return err
		}
	}
	return nil
}

// notInTrailer are entries that belong to one section only.
var notInTrailer = []string{"Size", "Prev", "XRefStm", "ID", "Type", "W", "Index", "Length", "Filter", "DecodeParms",
	"F", "FFilter", "FDecodeParms", "DL"}

// Finish writes the cross-reference and the trailer; id is the new file
// identifier. It refuses a document in which one object serves as two things:
// only one of them could be written.
func (w *Writer) Finish(id [2][]byte) error {
	if w.duplicate {
		return reject.New(reject.Damaged, "The document uses one object as two different things")
	}
	start := w.offset()
	if w.f.Repaired {
		w.addOriginals()
	}
	if w.f.Streams {
		w.finishStream(id, start)
	} else {
		w.finishTable(id)
	}
	w.Raw("\nstartxref\n")
	w.Bytes = strconv.AppendInt(w.Bytes, start, 10)
	w.Raw("\n%%EOF\n")
	return nil
}

// addOriginals enters the original's objects where its own cross-reference is of no
// use, so that the new one is whole.
func (w *Writer) addOriginals() {
	mine := make(map[uint32]bool, len(w.entries))
	for _, e := range w.entries {
		mine[e.num] = true
	}
	w.f.Entries(func(num uint32, gen uint16, packed bool, at int64, index uint32) {
		if !mine[num] {
			w.entries = append(w.entries, entry{num, gen, packed, at, index})
		}
	})
}

// subsections yields the runs of consecutive numbers in order.
func (w *Writer) subsections(yield func([]entry) bool) {
	slices.SortFunc(w.entries, func(a, b entry) int { return cmp.Compare(a.num, b.num) })
	for i := 0; i < len(w.entries); {
		j := i + 1
		for j < len(w.entries) && w.entries[j].num == w.entries[j-1].num+1 {
			j++
		}
		if !yield(w.entries[i:j]) {
			return
		}
		i = j
	}
}

func (w *Writer) finishTable(id [2][]byte) {
	w.Raw("xref\n")
	if w.f.Repaired {
		w.Raw("0 1\n0000000000 65535 f \n")
	}
	for row := range w.subsections {
		w.Bytes = strconv.AppendUint(w.Bytes, uint64(row[0].num), 10)
		w.Int(len(row))
		w.Raw("\n")
		for _, e := range row {
			w.Bytes = appendPadded(w.Bytes, e.at, 10)
			w.Bytes = append(w.Bytes, ' ')
			w.Bytes = appendPadded(w.Bytes, int64(e.gen), 5)
			w.Raw(" n \n")
		}
	}
	w.Raw("trailer\n<<")
	w.trailer(id)
	w.Raw(">>")
}

func (w *Writer) finishStream(id [2][]byte, start int64) {
	ref := w.NewRef()
	w.entries = append(w.entries, entry{num: ref.Num, at: start})
	var data []byte
	w.Bytes = strconv.AppendUint(w.Bytes, uint64(ref.Num), 10)
	w.Raw(" 0 obj\n<</Type/XRef/W[1 5 2]/Index[")
	if w.f.Repaired {
		w.Raw("0 1")
		data = append(data, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF)
	}
	for row := range w.subsections {
		w.Int(int(row[0].num))
		w.Int(len(row))
		for _, e := range row {
			kind, last := byte(1), uint32(e.gen)
			if e.packed {
				kind, last = 2, e.index
			}
			data = append(data, kind, byte(e.at>>32), byte(e.at>>24), byte(e.at>>16), byte(e.at>>8), byte(e.at),
				byte(last>>8), byte(last))
		}
	}
	w.Raw("]/Length")
	w.Int(len(data))
	w.trailer(id)
	w.Raw(">>\nstream\n")
	w.Bytes = append(w.Bytes, data...)
	w.Raw("\nendstream\nendobj")
}

// trailer appends the entries of the original's trailer with Size, Prev and ID
// of the update. Strings in a trailer are never encrypted.
func (w *Writer) trailer(id [2][]byte) {
	for key, value := range w.f.Trailer.Pairs() {
		if slices.ContainsFunc(notInTrailer, func(name string) bool { return key.Is(name) }) {
			continue
		}
		if w.Info.Num != 0 && key.Is("Info") {
			continue
		}
		w.Bytes = append(w.Bytes, key...)
		if len(value) > 0 && object.IsRegular(value[0]) {
			w.separate()
		}
		w.Bytes = append(w.Bytes, value...)
	}
	if w.Info.Num != 0 {
		w.Raw("/Info")
		w.Ref(w.Info)
	}
	w.Raw("/Size")
	w.Int(int(w.next))
	if !w.f.Repaired {
		w.Raw("/Prev")
		w.Int(int(w.f.Start))
	}
	w.Raw("/ID[")
	w.Bytes = object.AppendHex(w.Bytes, id[0])
	w.Bytes = object.AppendHex(w.Bytes, id[1])
	w.Raw("]")
}

func appendPadded(b []byte, n int64, width int) []byte {
	var digits [20]byte
	i := len(digits)
	for range width {
		i--
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	return append(b, digits[i:]...)
}
