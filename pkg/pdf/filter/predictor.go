package filter

import "errors"

var errPredictor = errors.New("decode parameters that do not fit")

// undoPredictor undoes the PNG and TIFF predictors (ISO 32000-1, 7.4.4.4) in place.
func undoPredictor(data []byte, p Params) ([]byte, error) {
	colors, bits, columns := max(p.Colors, 1), p.Bits, max(p.Columns, 1)
	if bits == 0 {
		bits = 8
	}
	if colors > 32 || bits > 16 || columns > 1<<20 {
		return nil, errPredictor
	}
	pixel := max(1, colors*bits/8)
	row := (colors*bits*columns + 7) / 8
	if p.Predictor == 2 {
		if bits != 8 {
			return data, errPredictor
		}
		for at := 0; at < len(data); at += row {
			line := data[at:min(at+row, len(data))]
			for i := pixel; i < len(line); i++ {
				line[i] += line[i-pixel]
			}
		}
		return data, nil
	}
	out := data[:0]
	above := make([]byte, row)
	for at := 0; at+1 < len(data); at += row + 1 {
		kind := data[at]
		line := data[at+1 : min(at+1+row, len(data))]
		undoPNGFilter(kind, line, above, pixel)
		// out lags behind at by one byte a row, so that this never overtakes.
		out = append(out, line...)
		above = out[len(out)-len(line):]
		if len(line) < row {
			break
		}
	}
	return out, nil
}

func undoPNGFilter(kind byte, line, above []byte, pixel int) {
	switch kind {
	case 1:
		for i := pixel; i < len(line); i++ {
			line[i] += line[i-pixel]
		}
	case 2:
		for i := range line {
			line[i] += above[i]
		}
	case 3:
		for i := range line {
			left := 0
			if i >= pixel {
				left = int(line[i-pixel])
			}
			line[i] += byte((left + int(above[i])) / 2)
		}
	case 4:
		for i := range line {
			var left, corner int
			if i >= pixel {
				left, corner = int(line[i-pixel]), int(above[i-pixel])
			}
			line[i] += paeth(left, int(above[i]), corner)
		}
	}
}

func paeth(a, b, c int) byte {
	p := a + b - c
	pa, pb, pc := abs(p-a), abs(p-b), abs(p-c)
	switch {
	case pa <= pb && pa <= pc:
		return byte(a)
	case pb <= pc:
		return byte(b)
	}
	return byte(c)
}

func abs(n int) int { return max(n, -n) }
