package form

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJSON bounds what is read at once of a body in JSON: a whole object, or one
// entry of many.
const maxJSON = 1 << 20

// ReadJSON reads a JSON object of texts into t and returns the names of fields
// that hold something else. Null is nothing. Groups are the fields that are objects
// themselves.
func ReadJSON(r io.Reader, t Handler, groups ...string) (wrong []string, err error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxJSON+1))
	if err != nil {
		return nil, classify(err)
	}
	if len(raw) > maxJSON {
		return nil, ErrBodyTooLarge
	}
	if !isValidText(raw) {
		return nil, ErrEncoding
	}
	fields, err := decodeObject(raw)
	if err != nil {
		return nil, ErrMalformed
	}
	flatten(fields, groups)
	for name, value := range fields {
		if !t.Wants(name) || value == nil {
			continue
		}
		if text, ok := value.(string); ok {
			t.Text(name, text)
		} else {
			wrong = append(wrong, name)
		}
	}
	return wrong, nil
}

// decodeObject takes a JSON object apart; null is none. Numbers keep their spelling: they
// may be of any size, and are none of ours to judge.
func decodeObject(raw []byte) (fields map[string]any, err error) {
	in := json.NewDecoder(bytes.NewReader(raw))
	in.UseNumber()
	if err := in.Decode(&fields); err != nil {
		return nil, err
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, ErrMalformed
	}
	return fields, nil
}

// isValidText reports whether JSON can be read without putting anything in the place of
// what is no character: half of a pair of escapes for one.
func isValidText(raw []byte) bool {
	if !utf8.Valid(raw) {
		return false
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		switch first := decodeEscape(raw[i:]); {
		case !utf16.IsSurrogate(first):
			i++
		case utf16.DecodeRune(first, decodeEscape(raw[i+escapeLength:])) == utf8.RuneError:
			return false
		default:
			i += 2*escapeLength - 1
		}
	}
	return true
}

const escapeLength = len(`\u0000`)

// decodeEscape is what an escape by number stands for; 0 where none begins.
func decodeEscape(raw []byte) rune {
	if len(raw) < escapeLength || raw[0] != '\\' || raw[1] != 'u' {
		return 0
	}
	n, err := strconv.ParseUint(string(raw[2:escapeLength]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(n)
}

// flatten takes objects apart into the fields that a form would have: qr[page]. In
// them a number is as good as its text.
func flatten(fields map[string]any, groups []string) {
	for _, group := range groups {
		parts, ok := fields[group].(map[string]any)
		if !ok {
			continue
		}
		delete(fields, group)
		for name, value := range parts {
			if n, ok := value.(json.Number); ok {
				value = formatNumber(n)
			}
			fields[group+"["+name+"]"] = value
		}
	}
}

// formatNumber writes a number as people do, without an exponent.
func formatNumber(n json.Number) string {
	f, err := n.Float64()
	if err != nil {
		return n.String()
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// boundedDecoder is a body in JSON that is read one value at a time, none of which may be
// larger than maxJSON.
type boundedDecoder struct {
	*json.Decoder
	body  io.Reader
	read  int64 // bytes
	limit int64 // bytes, until the value in hand is too large
}

func newBoundedDecoder(r io.Reader) *boundedDecoder {
	p := &boundedDecoder{body: r}
	p.Decoder = json.NewDecoder(p)
	return p
}

// Read implements io.Reader for the decoder.
func (p *boundedDecoder) Read(b []byte) (int, error) {
	if p.read >= p.limit {
		return 0, ErrBodyTooLarge
	}
	n, err := p.body.Read(b[:min(int64(len(b)), p.limit-p.read)])
	p.read += int64(n)
	return n, err
}

func (p *boundedDecoder) extendLimit() { p.limit = p.InputOffset() + maxJSON }

func (p *boundedDecoder) token() (json.Token, error) {
	p.extendLimit()
	t, err := p.Token()
	if err != nil {
		return nil, jsonError(err)
	}
	return t, nil
}

func (p *boundedDecoder) value() (json.RawMessage, error) {
	p.extendLimit()
	var raw json.RawMessage
	if err := p.Decode(&raw); err != nil {
		return nil, jsonError(err)
	}
	return raw, nil
}

func (p *boundedDecoder) more() bool {
	p.extendLimit()
	return p.More()
}

// key reads the name of an object's next field.
func (p *boundedDecoder) key() (string, error) {
	t, err := p.token()
	if err != nil {
		return "", err
	}
	text, ok := t.(string)
	if !ok {
		return "", ErrMalformed
	}
	return text, nil
}

// readEntriesJSON reads {"entries": [...]} one entry at a time. PHP writes an
// array with gaps as an object, so that is taken too.
func readEntriesJSON(r io.Reader, fields, groups []string) ([]Entry, error) {
	in := newBoundedDecoder(r)
	if t, err := in.token(); err != nil || t != json.Delim('{') {
		return nil, jsonError(err)
	}
	entries, found := []Entry(nil), error(ErrNoEntries)
	for in.more() {
		name, err := in.key()
		if err != nil {
			return nil, err
		}
		if name != "entries" {
			if _, err := in.value(); err != nil {
				return nil, err
			}
			continue
		}
		if entries, found = readArray(in, fields, groups); found != nil && !errors.Is(found, ErrNoEntries) {
			return nil, found
		}
	}
	if _, err := in.token(); err != nil {
		return nil, err
	}
	in.extendLimit()
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, jsonError(err)
	}
	return entries, found
}

// readArray reads the entries. Of two with one key the last counts, as everywhere.
func readArray(in *boundedDecoder, fields, groups []string) (entries []Entry, err error) {
	open, err := in.token()
	switch {
	case err != nil:
		return nil, err
	case open == nil:
		return nil, ErrNoEntries
	case open != json.Delim('[') && open != json.Delim('{'):
		return nil, ErrNotArray
	}
	places := map[string]int{}
	for in.more() {
		key := strconv.Itoa(len(entries))
		if open == json.Delim('{') {
			if key, err = in.key(); err != nil {
				return nil, err
			}
			if !entryKeyFormat.MatchString(key) {
				return nil, ErrMalformed
			}
		}
		e, err := readEntry(in, fields, groups)
		if err != nil {
			return nil, err
		}
		e.Key = key
		if place, again := places[key]; again {
			entries[place] = e
			continue
		}
		if len(entries) == MaxEntries {
			return nil, ErrTooManyEntries
		}
		places[key] = len(entries)
		entries = append(entries, e)
	}
	if _, err := in.token(); err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, ErrNoEntries
	}
	return entries, nil
}

func readEntry(in *boundedDecoder, fields, groups []string) (Entry, error) {
	raw, err := in.value()
	if err != nil {
		return Entry{}, err
	}
	if !isValidText(raw) {
		return Entry{}, ErrEncoding
	}
	given, err := decodeObject(raw)
	if err != nil || given == nil {
		return Entry{}, nil //nolint:nilerr // it is no object, which is the caller's to say
	}
	flatten(given, groups)
	e := Entry{Fields: make(map[string]string, len(fields)), IsObject: true}
	for _, name := range fields {
		switch v := given[name].(type) {
		case nil:
		case string:
			e.Fields[name] = truncate(v)
		default:
			e.NotText = append(e.NotText, name)
		}
	}
	return e, nil
}

// jsonError is what a decoder's error means; nil is a wrong token.
func jsonError(err error) error {
	if err == nil {
		return ErrMalformed
	}
	return asBodyError(classify(err))
}
