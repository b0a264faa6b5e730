package form

import (
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

	"github.com/go-playground/form/v4"
)

// MaxEntries is how many entries one request may have.
const MaxEntries = 10_000

// Entry is one of a request's entries.
type Entry struct {
	Key      string            // as the request numbers it
	Fields   map[string]string // the texts; empty ones count as none
	NotText  []string          // fields that hold something else than a text
	IsObject bool              // false: the entry is no object at all
}

// Shapes that a request's entries must not have.
var (
	ErrNoEntries      = errors.New("the request has no entries")
	ErrNotArray       = errors.New("the entries are no array")
	ErrTooManyEntries = errors.New("the request has too many entries")
)

// entryFieldFormat is a form field of an entry, as PHP names it: entries[0][full_name], or
// entries[0][qr][page]. What does not look like one is passed over, as PHP would.
var entryFieldFormat = regexp.MustCompile(`^entries\[([^\[\]]*)\](?:\[([a-z_]{1,40})\](\[[a-z_]{1,40}\])?)?(.*)$`)

// entryKeyFormat is what an entry may be numbered with.
var entryKeyFormat = regexp.MustCompile(`^[0-9A-Za-z_-]{1,20}$`)

// ReadEntries reads a request's entries in any of its forms, sorted by number.
// Fields other than those named are passed over. Groups are the fields that are
// objects themselves; their parts are named as qr[page].
func ReadEntries(r *http.Request, fields []string, groups ...string) ([]Entry, error) {
	pairs := &entryForm{fields: fields, values: url.Values{}, keys: map[string]bool{}}
	handled, err := ReadForm(r, pairs)
	switch {
	case err != nil:
		return nil, err
	case !handled:
		return readEntriesJSON(r.Body, fields, groups)
	case len(pairs.keys) > MaxEntries:
		return nil, ErrTooManyEntries
	case pairs.plainField:
		return nil, ErrNotArray
	case pairs.badKey:
		return nil, ErrMalformed
	case len(pairs.keys) == 0:
		return nil, ErrNoEntries
	}
	return pairs.decode()
}

// entryForm gathers the fields of entries from a form. An entry counts with
// whatever is said of it, so that none is left out in silence.
type entryForm struct {
	fields     []string
	values     url.Values
	keys       map[string]bool // whether the entry has fields, or is a plain one itself
	plainField bool            // "entries" was given as a plain field
	badKey     bool            // an entry has a key that no number looks like
}

// Wants reports whether a field is one of an entry. After one entry too many
// nothing more is kept.
func (p *entryForm) Wants(name string) bool {
	m := entryFieldFormat.FindStringSubmatch(name)
	switch {
	case m == nil:
		p.plainField = p.plainField || name == "entries"
		return false
	case m[1] == "":
		p.plainField = true
		return false
	case !entryKeyFormat.MatchString(m[1]):
		p.badKey = true
		return false
	case len(p.keys) > MaxEntries:
		return false
	}
	p.keys[m[1]] = p.keys[m[1]] || m[2]+m[4] != ""
	return m[4] == "" && slices.Contains(p.fields, m[2]+m[3])
}

// Text keeps a value; of two with one name PHP knows the last.
func (p *entryForm) Text(name, value string) { p.values.Set(name, value) }

// File notes a document where a text should be.
func (p *entryForm) File(name, _ string, _ io.Reader) error {
	p.values.Del(name)
	return nil
}

// decodeChunk is how many entries the decoder gets at once: what it does
// grows with the square of them.
const decodeChunk = 128

func (p *entryForm) decode() ([]Entry, error) {
	keys := slices.SortedFunc(maps.Keys(p.keys), compareKeys)
	decoder := form.NewDecoder()
	entries := make([]Entry, 0, len(keys))
	for group := range slices.Chunk(keys, decodeChunk) {
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
			entries = append(entries, p.entry(key, decoded.Entries[key]))
		}
	}
	return entries, nil
}

func (p *entryForm) entry(key string, fields map[string]string) Entry {
	if !p.keys[key] {
		return Entry{Key: key}
	}
	return Entry{Key: key, Fields: p.withParts(key, fields), IsObject: true}
}

// withParts adds the fields that are parts of objects.
func (p *entryForm) withParts(key string, fields map[string]string) map[string]string {
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
