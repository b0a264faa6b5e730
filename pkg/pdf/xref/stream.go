package xref

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/vecctl/vecctl/pkg/pdf/crypt"
	"github.com/vecctl/vecctl/pkg/pdf/filter"
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

const maxFilters = 8

// StreamSize is how many bytes a stream's dictionary says that it takes in the
// file.
func (f *File) StreamSize(v Value) int64 {
	n, _ := f.Get(v, "Length").Int()
	return max(n, 0)
}

// Inflate reads a stream and undoes its encryption and its filters. At most
// limit bytes come out. Of a damaged stream, what could be read comes together
// with the error.
func (f *File) Inflate(v Value, limit int) ([]byte, error) { return f.inflateWith(v, f.Crypt, limit) }

// Sample inflates the first n bytes of a stream with one filter and says how
// many bytes come out, at most limit.
func (f *File) Sample(v Value, n, limit int) int {
	filters := f.valueList(v, "Filter", "F")
	if len(filters) != 1 || f.Crypt != nil {
		return 0
	}
	b, err := f.window(v.data, n)
	if err != nil {
		return 0
	}
	out, _ := filter.Decode(filters[0].Text(), b, filter.Params{}, limit) // it ends in the middle
	f.unalloc(b)
	return len(out)
}

func (f *File) inflateWith(v Value, h *crypt.Handler, limit int) ([]byte, error) {
	data, err := f.decrypted(v, h, limit)
	if err != nil {
		return nil, err
	}
	filters, params := f.valueList(v, "Filter", "F"), f.valueList(v, "DecodeParms", "DP")
	if len(filters) > maxFilters {
		return nil, reject.Newf(reject.TooComplex, "A stream of the document has %d filters", len(filters))
	}
	for i, name := range filters {
		var p filter.Params
		if i < len(params) {
			p = f.params(params[i])
		}
		if data, err = f.decode(name.Text(), data, p, limit); err != nil {
			return data, err
		}
	}
	return data, nil
}

// decrypted reads a stream's bytes and undoes their encryption.
func (f *File) decrypted(v Value, h *crypt.Handler, limit int) ([]byte, error) {
	data, err := f.raw(v, limit)
	if err != nil || h == nil || v.Get("Type").Is("XRef") || f.ownCrypt(v) {
		return data, err
	}
	return h.DecryptStream(v.Owner, data)
}

// decode undoes one filter.
func (f *File) decode(name string, data []byte, p filter.Params, limit int) ([]byte, error) {
	room := int(min(int64(limit), f.budget()-f.spent))
	data, err := filter.Decode(name, data, p, room)
	if spent := f.spend(len(data)); spent != nil {
		return data, spent
	}
	if errors.Is(err, filter.ErrTooLarge) {
		return data, reject.Newf(reject.TooComplex, "A stream of the document inflates beyond %d MB", limit>>20)
	}
	if err != nil {
		return data, fmt.Errorf("stream %s: %w", name, err)
	}
	return data, nil
}

// Encoded is Inflate for a picture: it stops at a filter that only pictures have, and
// returns its name and parameters. The name is empty where no such filter is left.
func (f *File) Encoded(v Value, limit int) (data []byte, name string, params Value, err error) {
	if data, err = f.decrypted(v, f.Crypt, limit); err != nil {
		return nil, "", Value{}, err
	}
	return f.EncodedInline(v, data, limit)
}

// EncodedInline is Encoded for an image whose data stand within the content.
func (f *File) EncodedInline(v Value, inline []byte, limit int) (data []byte, name string, params Value, err error) {
	data = inline
	filters, all := f.valueList(v, "Filter", "F"), f.valueList(v, "DecodeParms", "DP")
	for i, one := range filters[:min(len(filters), maxFilters)] {
		params = Value{}
		if i < len(all) {
			params = all[i]
		}
		switch name = one.Text(); name {
		case "DCTDecode", "DCT", "CCITTFaxDecode", "CCF", "JBIG2Decode", "JPXDecode":
			return data, name, params, nil
		}
		if data, err = f.decode(name, data, f.params(params), limit); err != nil {
			return data, "", Value{}, err
		}
	}
	return data, "", Value{}, nil
}

// ownCrypt reports whether a stream names its own crypt filter, or is metadata
// that the document leaves plain.
func (f *File) ownCrypt(v Value) bool {
	if v.Get("Type").Is("Metadata") && !f.Crypt.EncryptsMetadata() {
		return true
	}
	for _, n := range f.valueList(v, "Filter", "F") {
		if n.Is("Crypt") {
			return true
		}
	}
	return false
}

// valueList reads an entry that is one value or an array of them.
func (f *File) valueList(v Value, key, short string) []Value {
	e := f.Get(v, key)
	if e.IsNull() {
		e = f.Get(v, short)
	}
	switch e.Kind() {
	case object.Null:
		return nil
	case object.Array:
		var out []Value
		for x := range f.Elems(e) {
			if out = append(out, x); len(out) > maxFilters {
				break
			}
		}
		return out
	}
	return []Value{e}
}

func (f *File) params(v Value) filter.Params {
	number := func(key string) int {
		n, _ := f.Get(v, key).Int()
		return int(min(max(n, 0), 1<<24))
	}
	p := filter.Params{Predictor: number("Predictor"), Colors: number("Colors"), Bits: number("BitsPerComponent"),
		Columns: number("Columns")}
	if n, ok := f.Get(v, "EarlyChange").Int(); ok && n == 0 {
		p.EarlyChange = -1
	}
	return p
}

// Raw reads a stream's bytes as they stand in the file.
func (f *File) Raw(v Value) ([]byte, error) { return f.raw(v, maxObjectStream) }

// LengthValid reports whether a stream's data end where its dictionary says.
func (f *File) LengthValid(v Value) bool {
	n, ok := f.Get(v, "Length").Int()
	if !ok || n < 0 || n > f.size-v.data {
		return false
	}
	b, err := f.window(v.data+n, 24)
	if err != nil {
		return false
	}
	defer f.unalloc(b)
	return endsStream(b)
}

// endsStream reports whether a stream's data can end in front of b.
func endsStream(b []byte) bool {
	b = b[object.SkipSpace(b, 0):]
	return bytes.HasPrefix(b, []byte("endstream")) || bytes.HasPrefix(b, []byte("endobj"))
}

// raw reads a stream's bytes as they stand in the file, at most limit and some.
func (f *File) raw(v Value, limit int) ([]byte, error) {
	if !v.IsStream() {
		return nil, reject.New(reject.Damaged, "The document has no stream where one should be")
	}
	n, ok := f.Get(v, "Length").Int()
	if ok && n >= 0 && n <= f.size-v.data {
		if n > int64(limit)*2+4096 {
			return nil, reject.Newf(reject.TooComplex, "A stream of the document takes %d MB", n>>20)
		}
		b, err := f.window(v.data, int(n)+24)
		if err != nil {
			return nil, err
		}
		if int(n) <= len(b) && endsStream(b[n:]) {
			return b[:n], nil
		}
		f.unalloc(b)
	}
	return f.rawByKeyword(v, limit)
}

// rawByKeyword finds the end of a stream whose length is wrong.
func (f *File) rawByKeyword(v Value, limit int) ([]byte, error) {
	for n := 4096; ; n *= 4 {
		b, err := f.window(v.data, n)
		if err != nil {
			return nil, err
		}
		end := bytes.Index(b, []byte("endstream"))
		if end < 0 && int64(len(b)) == f.size-v.data {
			end = len(b)
		}
		if end >= 0 {
			b = bytes.TrimSuffix(b[:end], []byte("\n"))
			return bytes.TrimSuffix(b, []byte("\r")), nil
		}
		if n > limit*2+4096 {
			return nil, reject.New(reject.TooComplex, "A stream of the document has no end within reach")
		}
	}
}

// Decrypted reads a stream's bytes with its filters as they are, but not encrypted.
func (f *File) Decrypted(v Value, limit int) ([]byte, error) { return f.decrypted(v, f.Crypt, limit) }
