package filter

import "errors"

// decodeLZW decodes the variable-width codes of ISO 32000-1, 7.4.4. The standard
// library's package knows GIF's order and TIFF's, but not PDF's early change.
func decodeLZW(data []byte, p Params, limit int) ([]byte, error) {
	early := 1
	if p.EarlyChange < 0 {
		early = 0
	}
	const restart, stop = 256, 257
	var prefix [4096]uint16
	var suffix [4096]byte
	var length [4096]uint16
	for i := range 256 {
		suffix[i], length[i] = byte(i), 1
	}
	var out []byte
	next, width, last := 258, 9, -1
	acc, bits := uint32(0), 0
	for _, c := range data {
		acc, bits = acc<<8|uint32(c), bits+8
		if bits < width {
			continue
		}
		bits -= width
		code := int(acc >> bits & (1<<width - 1))
		switch {
		case code == stop:
			return out, nil
		case code == restart:
			next, width, last = 258, 9, -1
			continue
		case code > next || (code == next && last < 0) || (code >= 256 && last < 0):
			return out, errors.New("an LZW code before its time")
		}
		if last >= 0 && next < 4096 {
			first := code
			if code == next {
				first = last
			}
			for first >= 258 {
				first = int(prefix[first])
			}
			prefix[next], suffix[next], length[next] = uint16(last), byte(first), length[last]+1
			next++
		} else if code == next {
			return out, errors.New("an LZW table that overflows")
		}
		n := int(length[code])
		if len(out)+n > limit {
			return out, ErrTooLarge
		}
		out = append(out, make([]byte, n)...)
		for at, c := len(out)-1, code; n > 0; n-- {
			out[at] = suffix[c]
			at, c = at-1, int(prefix[c])
		}
		last = code
		for next+early >= 1<<width && width < 12 {
			width++
		}
	}
	return out, nil
}
