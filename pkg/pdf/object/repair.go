package object

// Repair reads a dictionary at position i that is not closed, or has stray
// delimiters in it, up to where the object must be over. It spells it anew with
// all closed; ok is false where there is no dictionary.
func Repair(b []byte, i int) (repaired Object, ok bool) {
	i = SkipSpace(b, i)
	if i+1 >= len(b) || b[i] != '<' || b[i+1] != '<' {
		return nil, false
	}
	out := []byte("<<")
	open := []byte{'>'} // what closes, innermost last
	for i += 2; len(open) > 0; {
		if i = SkipSpace(b, i); i >= len(b) || len(open) > MaxDepth {
			break
		}
		switch c := b[i]; {
		case c == '<' && i+1 < len(b) && b[i+1] == '<':
			out, open, i = append(out, "<<"...), append(open, '>'), i+2
		case c == '[':
			out, open, i = append(out, '['), append(open, ']'), i+1
		case c == '>' || c == ']':
			if i++; c == '>' && i < len(b) && b[i] == '>' {
				i++
			}
			if open[len(open)-1] == c {
				out, open = closeContainer(out, open)
			}
		default:
			end, err := skipObject(b, i, 0)
			if err == nil && isTerminator(b[i:end]) || end == len(b) {
				i = len(b)
				continue
			}
			if err == nil {
				out = append(append(out, ' '), b[i:end]...)
			}
			i = max(end, i+1)
		}
	}
	for len(open) > 0 {
		out, open = closeContainer(out, open)
	}
	return Object(out), true
}

// closeContainer closes the innermost container.
func closeContainer(out, open []byte) (outer, left []byte) {
	last := open[len(open)-1]
	if out = append(out, last); last == '>' {
		out = append(out, last)
	}
	return out, open[:len(open)-1]
}
