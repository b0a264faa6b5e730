package body

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-playground/form/v4"
)

// MaxEntries is how many entries one request may have.
const MaxEntries = 10_000

// Entry is one of a request's entries.
type Entry struct {
	Key    string            // as the request numbers it
	Fields map[string]string // the texts; empty ones count as none
	Wrong  []string          // fields that hold something else than a text
	Object bool              // false: the entry is no object at all
}

// Shapes that a request's entries must not have.
var (
	ErrNoEntries = errors.New("the request has no entries")
	ErrNotArray  = errors.New("the entries are no array")
	ErrTooMany   = errors.New("the request has too many entries")
)

// entryKey is a form field of an entry, as PHP names it: entries[0][full_name], or
// entries[0][qr][page]. What does not look like one is passed over, as PHP would.
var entryKey = regexp.MustCompile(`^entries\[([0-9A-Za-z_-]{1,20})\]\[([a-z_]{1,40})\](\[[a-z_]{1,40}\])?$`)

// ReadEntries reads a request's entries in any of its forms, sorted by number.
// Fields other than those named are passed over. Groups are the fields that are
// objects themselves; their parts are named as qr[page].
func ReadEntries(r *http.Request, fields []string, groups ...string) ([]Entry, error) {
	pairs := &entryPairs{fields: fields, values: url.Values{}, keys: map[string]bool{}}
	handled, err := ReadForm(r, pairs)
	switch {
	case err != nil:
		return nil, err
	case !handled:
		return readEntriesJSON(r.Body, fields, groups)
	case len(pairs.keys) > MaxEntries:
		return nil, ErrTooMany
	case len(pairs.keys) == 0:
		return nil, pairs.empty()
	}
	return pairs.decode()
}

// entryPairs gathers the fields of entries from a form.
type entryPairs struct {
	fields []string
	values url.Values
	keys   map[string]bool
	flat   bool // "entries" was given as a plain field
}

// Wants tells whether a field is one of an entry. After one entry too many
// nothing more is kept.
func (p *entryPairs) Wants(name string) bool {
	if name == "entries" || name == "entries[]" {
		p.flat = true
	}
	m := entryKey.FindStringSubmatch(name)
	if m == nil || !slices.Contains(p.fields, m[2]+m[3]) || len(p.keys) > MaxEntries {
		return false
	}
	p.keys[m[1]] = true
	return true
}

// Text keeps a value; of two with one name PHP knows the last.
func (p *entryPairs) Text(name, value string) { p.values.Set(name, value) }

// File notes a document where a text should be.
func (p *entryPairs) File(name, _ string, _ io.Reader) error {
	p.values.Del(name)
	return nil
}

func (p *entryPairs) empty() error {
	if p.flat {
		return ErrNotArray
	}
	return ErrNoEntries
}

// decodeGroup is how many entries are handed to the decoder at once: what it does
// grows with the square of them.
const decodeGroup = 128

func (p *entryPairs) decode() ([]Entry, error) {
	keys := slices.SortedFunc(maps.Keys(p.keys), compareKeys)
	decoder := form.NewDecoder()
	entries := make([]Entry, 0, len(keys))
	for group := range slices.Chunk(keys, decodeGroup) {
		some := url.Values{}
		for _, key := range group {
			for _, field := range p.fields {
				name := "entries[" + key + "][" + field + "]"
				if v, ok := p.values[name]; ok {
					some[name] = v
				}
			}
		}
		var decoded struct {
			Entries map[string]map[string]string `form:"entries"`
		}
		if err := decoder.Decode(&decoded, some); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		for _, key := range group {
			entries = append(entries, Entry{Key: key, Fields: p.withParts(key, decoded.Entries[key]), Object: true})
		}
	}
	return entries, nil
}

// withParts adds the fields that are parts of objects.
func (p *entryPairs) withParts(key string, fields map[string]string) map[string]string {
	for _, field := range p.fields {
		group, part, ok := strings.Cut(field, "[")
		if !ok {
			continue
		}
		if v := p.values.Get("entries[" + key + "][" + group + "][" + part); v != "" {
			if fields == nil {
				fields = map[string]string{}
			}
			fields[field] = v
		}
	}
	return fields
}

// compareKeys sorts numbers as numbers, before all else.
func compareKeys(a, b string) int {
	m, errA := strconv.ParseUint(a, 10, 64)
	n, errB := strconv.ParseUint(b, 10, 64)
	switch {
	case errA == nil && errB == nil && m != n:
		if m < n {
			return -1
		}
		return 1
	case errA == nil && errB != nil:
		return -1
	case errA != nil && errB == nil:
		return 1
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// readEntriesJSON reads {"entries": [...]} one entry at a time. PHP writes an
// array with gaps as an object, so that is taken too.
func readEntriesJSON(r io.Reader, fields, groups []string) ([]Entry, error) {
	in := json.NewDecoder(r)
	if t, err := in.Token(); err != nil || t != json.Delim('{') {
		return nil, jsonError(err)
	}
	entries, found := []Entry(nil), error(ErrNoEntries)
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return nil, jsonError(err)
		}
		if name != "entries" {
			var skipped json.RawMessage
			if err := in.Decode(&skipped); err != nil {
				return nil, jsonError(err)
			}
			continue
		}
		if entries, found = readArray(in, fields, groups); found != nil && !errors.Is(found, ErrNoEntries) {
			return nil, found
		}
	}
	if _, err := in.Token(); err != nil {
		return nil, jsonError(err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, jsonError(err)
	}
	return entries, found
}

func readArray(in *json.Decoder, fields, groups []string) (entries []Entry, err error) {
	open, err := in.Token()
	switch {
	case err != nil:
		return nil, jsonError(err)
	case open == nil:
		return nil, ErrNoEntries
	case open != json.Delim('[') && open != json.Delim('{'):
		return nil, ErrNotArray
	}
	for in.More() {
		key := strconv.Itoa(len(entries))
		if open == json.Delim('{') {
			t, err := in.Token()
			text, ok := t.(string)
			if err != nil || !ok {
				return nil, jsonError(err)
			}
			key = text
		}
		if len(entries) == MaxEntries {
			return nil, ErrTooMany
		}
		e, err := readEntry(in, fields, groups)
		if err != nil {
			return nil, err
		}
		e.Key = key
		entries = append(entries, e)
	}
	if _, err := in.Token(); err != nil {
		return nil, jsonError(err)
	}
	if len(entries) == 0 {
		return nil, ErrNoEntries
	}
	return entries, nil
}

func readEntry(in *json.Decoder, fields, groups []string) (Entry, error) {
	var raw json.RawMessage
	if err := in.Decode(&raw); err != nil {
		return Entry{}, jsonError(err)
	}
	if !utf8.Valid(raw) {
		return Entry{}, ErrEncoding
	}
	var given map[string]any
	if json.Unmarshal(raw, &given) != nil || given == nil {
		return Entry{}, nil
	}
	spread(given, groups)
	e := Entry{Fields: make(map[string]string, len(fields)), Object: true}
	for _, name := range fields {
		switch v := given[name].(type) {
		case nil:
		case string:
			e.Fields[name] = cut(v)
		default:
			e.Wrong = append(e.Wrong, name)
		}
	}
	return e, nil
}

// jsonError is what a decoder's error means; nil is a wrong token.
func jsonError(err error) error {
	if err == nil {
		return ErrMalformed
	}
	return known(classify(err))
}
