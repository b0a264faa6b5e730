package filter

import (
	"bytes"
	"compress/lzw"
	"errors"
	"io"

	tifflzw "golang.org/x/image/tiff/lzw"
)

// decodeLZW decodes the variable-width codes of ISO 32000-1, 7.4.4. Codes grow one early, as
// those of TIFF do, unless the parameters say otherwise. Data that end without the code for the
// end are whole.
func decodeLZW(data []byte, p Params, limit int) ([]byte, error) {
	const width = 8
	in := bytes.NewReader(data)
	r := tifflzw.NewReader(in, tifflzw.MSB, width)
	if p.EarlyChange < 0 {
		r = lzw.NewReader(in, lzw.MSB, width)
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	switch {
	case len(out) > limit:
		return out[:limit], ErrTooLarge
	case errors.Is(err, io.ErrUnexpectedEOF):
		return out, nil
	}
	return out, err
}
