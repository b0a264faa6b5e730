package stamp

// helvetica are the widths of the printable ASCII characters, in thousandths
// of the size, as the metrics of the standard font give them.
var helvetica = [95]uint16{
	278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
	556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
	1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
	667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
	333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
	556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
}

// Width is the width of a text in the standard font Helvetica of size 1.
func Width(s string) float64 {
	sum := 0
	for i := range len(s) {
		if c := s[i]; c >= ' ' && c <= '~' {
			sum += int(helvetica[c-' '])
		} else {
			sum += 600
		}
	}
	return float64(sum) / 1000
}

// Printable reports whether a caption can be set in the standard font: printable
// ASCII only.
func Printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
