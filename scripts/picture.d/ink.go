package main

import (
	"fmt"
	"strconv"
	"strings"
)

// ink is how a piece of text looks.
type ink struct {
	fore, back              string // "" is the terminal's own
	bold, dim, italic, line bool
	reverse                 bool
}

// basic are the sixteen colours of a dark terminal.
var basic = [...]string{
	"#21262d", "#f47067", "#6bc46d", "#daaa3f", "#6cb6ff", "#dcbdfb", "#56d4dd", "#c9d1d9",
	"#768390", "#ff938a", "#8ddb8c", "#eac55f", "#96d0ff", "#f0d9ff", "#7de6ee", "#ffffff",
}

// palette is a colour of the 256.
func palette(n int) string {
	switch {
	case n < len(basic):
		return basic[n]
	case n < 232: // a cube of six steps
		n -= 16
		step := func(v int) int {
			if v == 0 {
				return 0
			}
			return 55 + 40*v
		}
		return fmt.Sprintf("#%02x%02x%02x", step(n/36), step(n/6%6), step(n%6))
	}
	grey := 8 + 10*(n-232)
	return fmt.Sprintf("#%02x%02x%02x", grey, grey, grey)
}

// after is the ink after a sequence "select graphic rendition".
func (i ink) after(sequence string) ink {
	var codes []int
	for part := range strings.SplitSeq(sequence, ";") {
		n, _ := strconv.Atoi(part) // an empty one is 0
		codes = append(codes, n)
	}
	for len(codes) > 0 {
		code := codes[0]
		codes = codes[1:]
		switch {
		case code == 0:
			i = ink{}
		case code == 38 || code == 48:
			var colour string
			colour, codes = extended(codes)
			if code == 38 {
				i.fore = colour
			} else {
				i.back = colour
			}
		default:
			i = i.simple(code)
		}
	}
	return i
}

func (i ink) simple(code int) ink {
	switch code {
	case 1:
		i.bold = true
	case 2:
		i.dim = true
	case 3:
		i.italic = true
	case 4:
		i.line = true
	case 7:
		i.reverse = true
	case 22:
		i.bold, i.dim = false, false
	case 23:
		i.italic = false
	case 24:
		i.line = false
	case 27:
		i.reverse = false
	case 39:
		i.fore = ""
	case 49:
		i.back = ""
	}
	switch {
	case code >= 30 && code <= 37:
		i.fore = basic[code-30]
	case code >= 40 && code <= 47:
		i.back = basic[code-40]
	case code >= 90 && code <= 97:
		i.fore = basic[code-90+8]
	case code >= 100 && code <= 107:
		i.back = basic[code-100+8]
	}
	return i
}

// extended reads a colour of the palette (5;n) or of its parts (2;r;g;b).
func extended(codes []int) (colour string, rest []int) {
	switch {
	case len(codes) >= 2 && codes[0] == 5:
		return palette(min(max(codes[1], 0), 255)), codes[2:]
	case len(codes) >= 4 && codes[0] == 2:
		return fmt.Sprintf("#%02x%02x%02x", codes[1]&255, codes[2]&255, codes[3]&255), codes[4:]
	}
	return "", nil
}
