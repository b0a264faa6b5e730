package object

import (
	"iter"
	"slices"
	"strconv"
)

// Object is the spelling of one object, without white space around it. The
// nil Object is the null object.
type Object []byte

// Kind is what sort of object a spelling stands for.
type Kind uint8

// The kinds of ISO 32000-1, 7.3; Keyword is any other bare word.
const (
	Null Kind = iota
	Bool
	Number
	String
	Name
	Array
	Dict
	Reference
	Keyword
)

// Ref names an indirect object.
type Ref struct {
	Num uint32
	Gen uint16
}

// Kind tells the kind by the spelling.
func (o Object) Kind() Kind {
	if len(o) == 0 {
		return Null
	}
	switch c := o[0]; {
	case c == '/':
		return Name
	case c == '(':
		return String
	case c == '[':
		return Array
	case c == '<' && len(o) > 1 && o[1] == '<':
		return Dict
	case c == '<':
		return String
	case isDigit(c) && o[len(o)-1] == 'R':
		if !IsSpace(o[len(o)-2]) {
			return Keyword // "01R"
		}
		return Reference
	case isDigit(c), c == '+', c == '-', c == '.':
		return Number
	}
	switch string(o) {
	case "null":
		return Null
	case "true", "false":
		return Bool
	}
	return Keyword
}

// IsNull reports whether the object is absent or null.
func (o Object) IsNull() bool { return o.Kind() == Null }

// Is reports whether the object is this name, given without its slash.
func (o Object) Is(name string) bool { return len(o) > 0 && o[0] == '/' && nameIs(o[1:], name) }

// Text is a name's text without the slash, "#" escapes resolved; empty for any
// other kind.
func (o Object) Text() string {
	if len(o) == 0 || o[0] != '/' {
		return ""
	}
	return string(unescapeName(o[1:]))
}

func unescapeName(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] == '#' && i+2 < len(raw) {
			hi, lo := unhex(raw[i+1]), unhex(raw[i+2])
			if hi < 16 && lo < 16 {
				out = append(out, hi<<4|lo)
				i += 2
				continue
			}
		}
		out = append(out, raw[i])
	}
	return out
}

// nameIs compares a name's spelling with a plain name.
func nameIs(raw []byte, name string) bool {
	if string(raw) == name {
		return true
	}
	if len(raw) <= len(name) {
		return false
	}
	return slices.Contains(raw, '#') && string(unescapeName(raw)) == name
}

// Int reads a whole number; a real with a fraction is cut off.
func (o Object) Int() (int64, bool) {
	if n, err := strconv.ParseInt(string(o), 10, 64); err == nil {
		return n, true
	}
	if f, ok := o.Real(); ok && f > -1e15 && f < 1e15 {
		return int64(f), true
	}
	return 0, false
}

// Real reads a number.
func (o Object) Real() (float64, bool) {
	if o.Kind() != Number || len(o) > 64 {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(o), 64)
	if err == nil {
		return f, f == f && f > -1e30 && f < 1e30
	}
	// "--5" and "5-3" are met in the wild and are read as -5 and 5.
	s := string(o)
	for len(s) > 1 && s[0] == '-' && s[1] == '-' {
		s = s[1:]
	}
	for i := 1; i < len(s); i++ {
		if s[i] == '-' {
			s = s[:i]
		}
	}
	f, err = strconv.ParseFloat(s, 64)
	return f, err == nil && f == f && f > -1e30 && f < 1e30
}

// Ref reads "12 0 R".
func (o Object) Ref() (Ref, bool) {
	if o.Kind() != Reference {
		return Ref{}, false
	}
	num, i := digits(o, 0)
	gen, _ := digits(o, SkipSpace(o, i))
	if num == 0 || num > 1<<31 || gen > 65535 {
		return Ref{}, false
	}
	return Ref{uint32(num), uint16(gen)}, true
}

// digits reads a run of digits; absurdly long ones saturate.
func digits(b []byte, i int) (uint64, int) {
	var n uint64
	for i < len(b) && isDigit(b[i]) {
		if n < 1<<50 {
			n = n*10 + uint64(b[i]-'0')
		}
		i++
	}
	return n, i
}

// Digits reads the unsigned number at or after position i and returns the
// position behind it; ok is false when there is none.
func Digits(b []byte, i int) (n int64, end int, ok bool) {
	i = SkipSpace(b, i)
	u, end := digits(b, i)
	return int64(u), end, end > i
}

// Pairs goes through a dictionary in its order. Keys come with their slash. It
// yields nothing for any other kind.
func (o Object) Pairs() iter.Seq2[Object, Object] {
	return func(yield func(key, value Object) bool) {
		if o.Kind() != Dict {
			return
		}
		body := o[2:max(2, len(o)-2)]
		for i := 0; ; {
			ks, ke, err := Next(body, i)
			if err != nil {
				return
			}
			if i = ke; body[ks] != '/' {
				continue // a stray value
			}
			vs, ve, err := Next(body, ke)
			if err != nil {
				yield(body[ks:ke], nil)
				return
			}
			if !yield(body[ks:ke], body[vs:ve]) {
				return
			}
			i = ve
		}
	}
}

// Get returns the value of a key given without its slash; nil where it is
// absent or o is no dictionary. Of a key that stands twice the last counts.
func (o Object) Get(key string) Object {
	var found Object
	for k, v := range o.Pairs() {
		if nameIs(k[1:], key) {
			found = v
		}
	}
	return found
}

// Elems goes through an array. It yields nothing for any other kind.
func (o Object) Elems() iter.Seq[Object] {
	return func(yield func(Object) bool) {
		if o.Kind() != Array {
			return
		}
		body := o[1:max(1, len(o)-1)]
		for i := 0; ; {
			s, e, err := Next(body, i)
			if err != nil || !yield(body[s:e]) {
				return
			}
			i = e
		}
	}
}

// Bytes decodes a literal or hexadecimal string (ISO 32000-1, 7.3.4); nil for
// any other kind.
func (o Object) Bytes() []byte {
	if o.Kind() != String {
		return nil
	}
	if o[0] == '<' {
		return unhexString(o[1:])
	}
	out := make([]byte, 0, len(o))
	body := o[1:max(1, len(o)-1)]
	for i := 0; i < len(body); i++ {
		switch c := body[i]; c {
		case '\\':
			var add int
			out, add = unescape(out, body[i+1:])
			i += add
		case '\r':
			if i+1 < len(body) && body[i+1] == '\n' {
				i++
			}
			out = append(out, '\n')
		default:
			out = append(out, c)
		}
	}
	return out
}

// unescape appends what the escape sequence after a backslash stands for and
// says how many bytes it took.
func unescape(out, after []byte) ([]byte, int) {
	if len(after) == 0 {
		return out, 0
	}
	switch c := after[0]; c {
	case 'n':
		return append(out, '\n'), 1
	case 'r':
		return append(out, '\r'), 1
	case 't':
		return append(out, '\t'), 1
	case 'b':
		return append(out, '\b'), 1
	case 'f':
		return append(out, '\f'), 1
	case '\n':
		return out, 1
	case '\r':
		if len(after) > 1 && after[1] == '\n' {
			return out, 2
		}
		return out, 1
	default:
		if c < '0' || c > '7' {
			return append(out, c), 1
		}
	}
	n, i := 0, 0
	for i < 3 && i < len(after) && after[i] >= '0' && after[i] <= '7' {
		n = n<<3 | int(after[i]-'0')
		i++
	}
	return append(out, byte(n)), i
}

func unhexString(raw []byte) []byte {
	out := make([]byte, 0, len(raw)/2+1)
	var acc byte
	half := false
	for _, c := range raw {
		d := unhex(c)
		if c == '>' {
			break
		}
		if d > 15 {
			continue
		}
		if half = !half; half {
			acc = d << 4
		} else {
			out = append(out, acc|d)
		}
	}
	if half {
		out = append(out, acc)
	}
	return out
}

func unhex(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
