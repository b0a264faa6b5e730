// Package object reads and writes PDF objects (ISO 32000-1, 7.2 and 7.3).
//
// An object is kept as the bytes that spell it. What is not looked at is
// never taken apart, and what is copied is copied to the letter.
package object

import (
	"bytes"
	"errors"
)

// MaxDepth is how deep arrays and dictionaries may nest.
const MaxDepth = 400

// The ways in which bytes are not an object.
var (
	ErrShort  = errors.New("the object is not complete")
	ErrSyntax = errors.New("no object where one should be")
	ErrDeep   = errors.New("objects nest too deep")
)

// Character classes of ISO 32000-1, tables 1 and 2.
const (
	regular = iota
	space
	delimiter
)

var class = func() (c [256]byte) {
	for _, b := range []byte("\x00\t\n\f\r ") {
		c[b] = space
	}
	for _, b := range []byte("()<>[]{}/%") {
		c[b] = delimiter
	}
	return c
}()

// IsSpace reports whether b is white space in PDF.
func IsSpace(b byte) bool { return class[b] == space }

// IsRegular reports whether b is neither white space nor a delimiter.
func IsRegular(b byte) bool { return class[b] == regular }

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// SkipSpace returns the first position from i on that is neither white space
// nor part of a comment.
func SkipSpace(b []byte, i int) int {
	for i < len(b) {
		switch {
		case class[b[i]] == space:
			i++
		case b[i] == '%':
			for i < len(b) && b[i] != '\n' && b[i] != '\r' {
				i++
			}
		default:
			return i
		}
	}
	return i
}

func skipRegular(b []byte, i int) int {
	for i < len(b) && class[b[i]] == regular {
		i++
	}
	return i
}

// Next returns where the object at or after position i starts and ends. A
// keyword (endobj, stream, an operator) counts as an object too. The end of b
// ends a number, name or keyword.
func Next(b []byte, i int) (start, end int, err error) {
	start = SkipSpace(b, i)
	end, err = skipObject(b, start, 0)
	return start, end, err
}

func skipObject(b []byte, i, depth int) (int, error) {
	if i >= len(b) {
		return i, ErrShort
	}
	if depth > MaxDepth {
		return i, ErrDeep
	}
	switch c := b[i]; {
	case c == '/':
		return skipRegular(b, i+1), nil
	case c == '(':
		return skipString(b, i)
	case c == '<' && i+1 < len(b) && b[i+1] == '<':
		return skipDict(b, i+2, depth+1)
	case c == '<':
		return skipHex(b, i)
	case c == '[':
		return skipArray(b, i+1, depth+1)
	case class[c] == delimiter:
		return i + 1, ErrSyntax
	case isDigit(c):
		return skipNumberOrRef(b, i), nil
	}
	return skipRegular(b, i), nil
}

func skipString(b []byte, i int) (int, error) {
	open := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				return i + 1, nil
			}
		}
	}
	return len(b), ErrShort
}

func skipHex(b []byte, i int) (int, error) {
	end := bytes.IndexByte(b[i:], '>')
	if end < 0 {
		return len(b), ErrShort
	}
	return i + end + 1, nil
}

func skipArray(b []byte, i, depth int) (int, error) {
	for {
		i = SkipSpace(b, i)
		if i >= len(b) {
			return i, ErrShort
		}
		if b[i] == ']' {
			return i + 1, nil
		}
		end, err := skipObject(b, i, depth)
		if err != nil {
			return end, err
		}
		if isTerminator(b[i:end]) {
			return i, ErrSyntax
		}
		i = end
	}
}

func skipDict(b []byte, i, depth int) (int, error) {
	for {
		i = SkipSpace(b, i)
		if i+1 >= len(b) {
			return i, ErrShort
		}
		if b[i] == '>' && b[i+1] == '>' {
			return i + 2, nil
		}
		end, err := skipObject(b, i, depth)
		if err != nil {
			return end, err
		}
		if isTerminator(b[i:end]) {
			return i, ErrSyntax
		}
		i = end
	}
}

// isTerminator reports whether a keyword can only mean that a container was never closed.
func isTerminator(word []byte) bool {
	switch string(word) {
	case "endobj", "stream", "obj", "endstream", "xref", "trailer":
		return true
	}
	return false
}

// skipNumberOrRef skips "12", "12.5" or "12 0 R".
func skipNumberOrRef(b []byte, i int) int {
	first := i
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	end := i
	if i < len(b) && class[b[i]] == regular || i-first > 10 {
		return skipRegular(b, i)
	}
	i = SkipSpace(b, i)
	gen := i
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	if i == gen || i-gen > 5 || i == end {
		return end
	}
	mid := i
	i = SkipSpace(b, i)
	if i == mid || i >= len(b) || b[i] != 'R' || (i+1 < len(b) && class[b[i+1]] == regular) {
		return end
	}
	return i + 1
}
