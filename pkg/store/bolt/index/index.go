// Package index finds certificates by what they say. Certificates are numbered
// upwards, and 8,192 of them are a segment; for each word of a field and each segment
// there is the set of certificates that have it. What a filter selects is found
// by cutting sets, which costs little however many are selected.
//
// Texts of the segment that is being filled are looked into one by one. A full
// segment's are put into columns and get an index of their pieces.
package index

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/set"
	"github.com/vecctl/vecctl/pkg/store/bolt/substring"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The buckets; package schema draws them.
var (
	byCreation = []byte("by_creation")
	byStatus   = []byte("by_status")
	bySource   = []byte("by_source")
	byEmail    = []byte("by_email")
	byBatch    = []byte("by_batch")
	byDate     = []byte("by_date")
	texts      = []byte("texts")
	columns    = []byte("columns")
	pieces     = []byte("pieces")
	summaries  = []byte("summaries")
)

// Buckets are those that only this package writes to.
func Buckets() [][]byte {
	return [][]byte{byCreation, byStatus, bySource, byEmail, byBatch, byDate, texts, columns, pieces, summaries}
}

// word is a word of a field, or of no field: a bucket and the beginning of keys.
type word struct {
	bucket []byte
	key    string
}

func wordOf(bucket []byte, institution uint32, s string) word {
	return word{bucket, string(record.Join(record.U32(institution), record.Text(s)))}
}

// in is the key of a word's set in a segment.
func (w word) in(of uint32) []byte { return record.Join([]byte(w.key), record.U32(of)) }

func created(institution uint32) word { return wordOf(byCreation, institution, "") }

func dateWord(c vault.Certificate) word {
	return wordOf(byDate, c.Institution, string(c.IssueDate))
}

func statusWord(c vault.Certificate) word {
	return wordOf(byStatus, c.Institution, string(c.Status))
}

// The vault's own certificates are not noted: whatever has no source here is theirs.
// A word of its own stands for applications that wait for a decision.
func sourceWord(institution uint32, s vault.Source) word {
	return wordOf(bySource, institution, string(s))
}

func openWord(institution uint32) word { return wordOf(bySource, institution, "open application") }

// Changes gathers what a transaction changes; it is written once, at its end.
type Changes struct {
	sets  map[string]map[string]*change // by bucket and key
	texts []text
	// forgotten are certificates of which an index holds more than it should.
	forgotten []forgotten
}

type change struct{ added, removed []uint16 }

type text struct {
	id   uint64
	text string
}

// Add notes a new certificate. IDs ascend.
func (g *Changes) Add(c vault.Certificate) {
	g.add(created(c.Institution), c.ID)
	g.add(statusWord(c), c.ID)
	g.add(wordOf(byEmail, c.Institution, vault.FoldEmail(c.Email)), c.ID)
	g.add(dateWord(c), c.ID)
	if c.Source != vault.FromVault {
		g.add(sourceWord(c.Institution, c.Source), c.ID)
	}
	if c.Open() {
		g.add(openWord(c.Institution), c.ID)
	}
	if c.Batch != "" {
		g.add(wordOf(byBatch, c.Institution, c.Batch), c.ID)
	}
	g.texts = append(g.texts, text{c.ID, string(record.U32(c.Institution)) + c.SearchText()})
}

// Move notes that a certificate came from one state to another, and its date with
// it.
func (g *Changes) Move(old, c vault.Certificate) {
	g.leave(statusWord(old), c.ID)
	g.enter(statusWord(c), c.ID)
	if old.Open() != c.Open() {
		g.leave(openWord(c.Institution), c.ID)
	}
	if old.IssueDate != c.IssueDate {
		g.leave(dateWord(old), c.ID)
		g.enter(dateWord(c), c.ID)
	}
}

func (g *Changes) leave(w word, id uint64) {
	from := g.change(w, id)
	from.removed, from.added = append(from.removed, place(id)), without(from.added, place(id))
}

func (g *Changes) enter(w word, id uint64) {
	to := g.change(w, id)
	to.added, to.removed = append(to.added, place(id)), without(to.removed, place(id))
}

func (g *Changes) add(w word, id uint64) {
	to := g.change(w, id)
	to.added = append(to.added, place(id))
}

func (g *Changes) change(w word, id uint64) *change {
	if g.sets == nil {
		g.sets = map[string]map[string]*change{}
	}
	of := g.sets[string(w.bucket)]
	if of == nil {
		of = map[string]*change{}
		g.sets[string(w.bucket)] = of
	}
	key := string(w.in(segment(id)))
	if of[key] == nil {
		of[key] = &change{}
	}
	return of[key]
}

func without(places []uint16, p uint16) []uint16 {
	return slices.DeleteFunc(places, func(held uint16) bool { return held == p })
}

func segment(id uint64) uint32 { return uint32(id >> set.Bits) }

func place(id uint64) uint16 { return uint16(id % set.Size) }

// Write writes what was gathered, in the order of the keys, and indexes the segments
// that are full.
func (g *Changes) Write(t *tree.Tx) error {
	for _, bucket := range slices.Sorted(maps.Keys(g.sets)) {
		of := g.sets[bucket]
		for _, key := range slices.Sorted(maps.Keys(of)) {
			if err := of[key].write(t, []byte(bucket), []byte(key)); err != nil {
				return err
			}
		}
	}
	for _, one := range g.forgotten {
		if err := one.write(t); err != nil {
			return err
		}
	}
	for _, one := range g.texts {
		key := record.U64(one.id)
		if err := t.Put(texts, key, record.Seal(key, []byte(one.text))); err != nil {
			return err
		}
	}
	if len(g.texts) == 0 {
		return nil
	}
	next := segment(g.texts[len(g.texts)-1].id + 1)
	for from := uint32(0); ; from++ {
		first, _ := t.Cursor(texts).First()
		switch {
		case first == nil || segment(record.TailID(first)) >= next:
			return nil
		case segment(record.TailID(first)) < from: // filled, and there again
			return record.Misplaced(texts, first)
		}
		from = segment(record.TailID(first))
		if err := fill(t, from); err != nil {
			return err
		}
	}
}

func (c *change) write(t *tree.Tx, bucket, key []byte) error {
	var held set.Set
	if err := read(t, bucket, key, &held); err != nil {
		return err
	}
	for _, p := range c.removed {
		held.Remove(p)
	}
	for _, p := range c.added {
		held.Add(p)
	}
	value := held.Encode()
	if len(value) == 0 {
		return t.Delete(bucket, key)
	}
	return t.Put(bucket, key, record.Seal(key, value))
}

// read reads a set; an empty one where there is none.
func read(t *tree.Tx, bucket, key []byte, into *set.Set) error {
	var body []byte
	if value := t.Get(bucket, key); value != nil {
		var err error
		if body, err = record.Unseal(key, value); err != nil {
			return err
		}
	}
	into.Decode(body)
	return nil
}

// full is how many segments are indexed: those below this number.
func full(t *tree.Tx) uint32 {
	k, _ := t.Cursor(columns).Last()
	if k == nil {
		return 0
	}
	return binary.BigEndian.Uint32(k) + 1
}

func columnKey(of uint32, n int) []byte { return append(record.U32(of), byte(n)) }

// fill indexes the texts of a full segment.
func fill(t *tree.Tx, of uint32) error {
	var all []substring.Text
	err := waiting(t, of, func(p uint16, owner uint32, text []byte) {
		all = append(all, substring.Text{Owner: owner, Place: p, Text: string(text)})
	})
	if err != nil {
		return err
	}
	for n, c := range substring.Columns(all) {
		key := columnKey(of, n)
		if err := t.Put(columns, key, record.Seal(key, c)); err != nil {
			return err
		}
	}
	for piece, places := range substring.Index(all) {
		key := record.Join(record.U32(of), piece)
		if err := t.Put(pieces, key, record.Seal(key, places)); err != nil {
			return err
		}
	}
	if err := summarise(t, of, all); err != nil {
		return err
	}
	for _, one := range all {
		if err := t.Delete(texts, record.U64(uint64(of)<<set.Bits|uint64(one.Place))); err != nil {
			return err
		}
	}
	return nil
}

// waiting goes through the texts of a segment that is not indexed.
func waiting(t *tree.Tx, of uint32, yield func(p uint16, owner uint32, text []byte)) error {
	c := t.Cursor(texts)
	for k, v := c.Seek(record.U64(uint64(of) << set.Bits)); k != nil && segment(record.TailID(k)) == of; k, v = c.Next() {
		body, err := record.Unseal(k, v)
		if err != nil {
			return err
		}
		yield(place(record.TailID(k)), binary.BigEndian.Uint32(body), body[4:])
	}
	return nil
}
