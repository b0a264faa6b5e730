// Package filter undoes the stream filters of PDF (ISO 32000-1, 7.4) that
// structure and page content are stored with, within a bound.
package filter

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"sync"
)

// ErrTooLarge says that a stream holds more than the bound allows.
var ErrTooLarge = errors.New("a stream inflates beyond its bound")

// Params are the decode parameters of one filter. The zero value means the
// standard's defaults.
type Params struct {
	Predictor, Colors, Bits, Columns int
	EarlyChange                      int // of LZW; -1 stands for an explicit 0
}

// Decode undoes one filter. At most limit bytes come out, beyond which the
// error is ErrTooLarge. What could be decoded of damaged data is returned
// together with the error.
func Decode(name string, data []byte, p Params, limit int) ([]byte, error) {
	var out []byte
	var err error
	switch name {
	case "FlateDecode", "Fl":
		out, err = inflate(data, limit)
	case "LZWDecode", "LZW":
		out, err = decodeLZW(data, p, limit)
	case "ASCIIHexDecode", "AHx":
		return decodeASCIIHex(data, limit)
	case "ASCII85Decode", "A85":
		return decodeASCII85(data, limit)
	case "RunLengthDecode", "RL":
		return decodeRunLength(data, limit)
	case "Crypt":
		return data, nil
	default:
		return nil, fmt.Errorf("filter %.40q is not one of text", name)
	}
	if errors.Is(err, ErrTooLarge) || p.Predictor < 2 {
		return out, err
	}
	out, perr := undoPredictor(out, p)
	return out, errors.Join(err, perr)
}

type inflater struct {
	in  bytes.Reader
	out io.ReadCloser
}

var inflaters sync.Pool // of *inflater

func newInflater() *inflater {
	z := &inflater{}
	z.out = flate.NewReader(&z.in)
	return z
}

func inflate(data []byte, limit int) ([]byte, error) {
	for len(data) > 0 && (data[0] == '\n' || data[0] == '\r') {
		data = data[1:]
	}
	// A zlib header is two bytes; its checksum at the end is not looked at.
	if len(data) > 2 && data[0]&15 == 8 && (int(data[0])<<8|int(data[1]))%31 == 0 {
		data = data[2:]
	}
	z, ok := inflaters.Get().(*inflater)
	if !ok {
		z = newInflater()
	}
	defer inflaters.Put(z)
	z.in.Reset(data)
	if r, ok := z.out.(flate.Resetter); ok {
		if err := r.Reset(&z.in, nil); err != nil {
			return nil, err
		}
	}
	return readAll(z.out, len(data)*4, limit)
}

// readAll reads at most limit bytes; guess is how many are likely.
func readAll(r io.Reader, guess, limit int) ([]byte, error) {
	out := make([]byte, 0, min(max(guess, 512), limit+1, 1<<20))
	for {
		if len(out) == cap(out) {
			out = append(out, 0)[:len(out)]
		}
		n, err := r.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		if len(out) > limit {
			return out[:limit], ErrTooLarge
		}
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, fmt.Errorf("inflate: %w", err)
		}
	}
}

func decodeASCIIHex(data []byte, limit int) ([]byte, error) {
	out := make([]byte, 0, min(len(data)/2+1, limit))
	var acc, half byte
	for _, c := range data {
		var d byte
		switch {
		case c >= '0' && c <= '9':
			d = c - '0'
		case c|32 >= 'a' && c|32 <= 'f':
			d = c | 32 - 'a' + 10
		case c == '>':
			if half == 1 && len(out) < limit {
				return append(out, acc), nil
			}
			if half == 1 {
				return out, ErrTooLarge
			}
			return out, nil
		default:
			continue
		}
		if half == 0 {
			acc, half = d<<4, 1
			continue
		}
		if len(out) >= limit {
			return out, ErrTooLarge
		}
		out, half = append(out, acc|d), 0
	}
	return out, nil
}

func decodeASCII85(data []byte, limit int) ([]byte, error) {
	var out []byte
	var group [5]byte
	n := 0
	flush := func(n int) {
		for i := n; i < 5; i++ {
			group[i] = 84
		}
		var v uint32
		for _, g := range group {
			v = v*85 + uint32(g)
		}
		quad := [4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
		out = append(out, quad[:n-1]...)
	}
	for _, c := range data {
		if len(out) > limit {
			return out[:limit], ErrTooLarge
		}
		switch {
		case c == 'z' && n == 0:
			out = append(out, 0, 0, 0, 0)
		case c >= '!' && c <= 'u':
			group[n] = c - '!'
			if n++; n == 5 {
				flush(5)
				n = 0
			}
		case c == '~':
			if n > 1 {
				flush(n)
			}
			return out, nil
		}
	}
	if n > 1 {
		flush(n)
	}
	return out, nil
}

func decodeRunLength(data []byte, limit int) ([]byte, error) {
	var out []byte
	for i := 0; i < len(data); {
		c := int(data[i])
		i++
		switch {
		case c == 128:
			return out, nil
		case c < 128:
			end := min(i+c+1, len(data))
			out = append(out, data[i:end]...)
			i = end
		case i < len(data):
			out = append(out, bytes.Repeat(data[i:i+1], 257-c)...)
			i++
		}
		if len(out) > limit {
			return out[:limit], ErrTooLarge
		}
	}
	return out, nil
}
