package cms

import "errors"

const (
	maxNesting  = 40
	indefinite  = -1
	constructed = 0x20
)

var errBER = errors.New("the signature's envelope cannot be read")

// toDER rewrites the first element of in as DER as far as lengths go:
// indefinite and overlong lengths, and octet strings in pieces, which older
// signing programs write. DER comes back as it is. rest is what follows.
func toDER(in []byte, depth int) (out, rest []byte, err error) {
	tag, n, body, err := berHeader(in)
	if err != nil || depth > maxNesting {
		return nil, nil, errBER
	}
	if tag&constructed == 0 {
		if n == indefinite {
			return nil, nil, errBER
		}
		return seq(tag, body[:n]), body[n:], nil
	}
	inside := body
	if n != indefinite {
		inside, rest = body[:n], body[n:]
	}
	var parts [][]byte
	for len(inside) > 0 {
		if n == indefinite && len(inside) >= 2 && inside[0] == 0 && inside[1] == 0 {
			return joinParts(tag, parts), inside[2:], nil
		}
		var part []byte
		if part, inside, err = toDER(inside, depth+1); err != nil {
			return nil, nil, err
		}
		parts = append(parts, part)
	}
	if n == indefinite {
		return nil, nil, errBER // its end is missing
	}
	return joinParts(tag, parts), rest, nil
}

// joinParts wraps parts; an octet string in pieces becomes one.
func joinParts(tag byte, parts [][]byte) []byte {
	if tag != tagOctetString|constructed {
		return seq(tag, parts...)
	}
	for i, p := range parts {
		if p[0] != tagOctetString {
			return seq(tag, parts...)
		}
		_, n, body, _ := berHeader(p) // written by normal
		parts[i] = body[:n]
	}
	return seq(tagOctetString, parts...)
}

// berHeader reads a tag and a length, which body is known to have.
func berHeader(in []byte) (tag byte, n int, body []byte, err error) {
	if len(in) < 2 || in[0]&0x1F == 0x1F {
		return 0, 0, nil, errBER
	}
	tag, first, body := in[0], in[1], in[2:]
	switch {
	case first < 0x80:
		n = int(first)
	case first == 0x80:
		return tag, indefinite, body, nil
	default:
		count := int(first & 0x7F)
		if count > 4 || count > len(body) {
			return 0, 0, nil, errBER
		}
		for _, c := range body[:count] {
			n = n<<8 | int(c)
		}
		body = body[count:]
	}
	if n > len(body) {
		return 0, 0, nil, errBER
	}
	return tag, n, body, nil
}
