package search

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The buckets; package schema draws them.
var (
	byCreationBucket = []byte("by_creation")
	byStatusBucket   = []byte("by_status")
	byFailureBucket  = []byte("by_failure")
	bySourceBucket   = []byte("by_source")
	byEmailBucket    = []byte("by_email")
	byBatchBucket    = []byte("by_batch")
	byDateBucket     = []byte("by_date")
	byExpiryBucket   = []byte("by_expiry")
	textsBucket      = []byte("texts")
	columnsBucket    = []byte("columns")
	ngramsBucket     = []byte("pieces")
	summariesBucket  = []byte("summaries")
)

// Buckets are those that only this package writes to.
func Buckets() [][]byte {
	return [][]byte{byCreationBucket, byStatusBucket, byFailureBucket, bySourceBucket, byEmailBucket, byBatchBucket, byDateBucket, byExpiryBucket, textsBucket, columnsBucket, ngramsBucket, summariesBucket}
}

// facet is a word of a field, or of no field: a bucket and the beginning of keys.
type facet struct {
	bucket []byte
	key    string
}

func newFacet(bucket []byte, institution uint32, s string) facet {
	return facet{bucket, string(boltfile.JoinKey(boltfile.U32(institution), boltfile.TerminatedText(s)))}
}

// inSegment is the key of a word's set in a segment.
func (w facet) inSegment(of uint32) []byte { return boltfile.JoinKey([]byte(w.key), boltfile.U32(of)) }

func createdFacet(institution uint32) facet { return newFacet(byCreationBucket, institution, "") }

func dateFacet(c vault.Certificate) facet {
	return newFacet(byDateBucket, c.Institution, string(c.IssueDate))
}

func expiryFacet(c vault.Certificate) facet {
	return newFacet(byExpiryBucket, c.Institution, string(c.ExpiryDate))
}

func statusFacet(c vault.Certificate) facet {
	return newFacet(byStatusBucket, c.Institution, string(c.Status))
}

// The vault's own certificates are not noted: whatever has no source here is theirs.
// A word of its own stands for applications that wait for a decision.
func sourceFacet(institution uint32, s vault.Source) facet {
	return newFacet(bySourceBucket, institution, string(s))
}

func openFacet(institution uint32) facet {
	return newFacet(bySourceBucket, institution, "open application")
}

// Delta gathers what a transaction changes; it is written once, at its end.
type Delta struct {
	sets  map[string]map[string]*setChange // by bucket and key
	texts []pendingText
	// erasedText are certificates of which an index holds more than it should.
	erased []erasedText
}

type setChange struct{ added, removed []uint16 }

type pendingText struct {
	id   uint64
	text string
}

// Add notes a new certificate. IDs ascend.
func (g *Delta) Add(c vault.Certificate) {
	g.add(createdFacet(c.Institution), c.ID)
	g.add(statusFacet(c), c.ID)
	if code := c.FailureCode(); code != "" {
		g.add(failureFacet(c.Institution, code), c.ID)
	}
	g.add(newFacet(byEmailBucket, c.Institution, vault.FoldEmail(c.Email)), c.ID)
	g.add(dateFacet(c), c.ID)
	if c.ExpiryDate != "" {
		g.add(expiryFacet(c), c.ID)
	}
	if c.Source != vault.FromVault {
		g.add(sourceFacet(c.Institution, c.Source), c.ID)
	}
	if c.Open() {
		g.add(openFacet(c.Institution), c.ID)
	}
	if c.Batch != "" {
		g.add(newFacet(byBatchBucket, c.Institution, c.Batch), c.ID)
	}
	g.texts = append(g.texts, pendingText{c.ID, string(boltfile.U32(c.Institution)) + c.SearchText()})
}

// Move notes that a certificate came from one state to another, and its date with
// it.
func (g *Delta) Move(old, c vault.Certificate) {
	g.leave(statusFacet(old), c.ID)
	g.enter(statusFacet(c), c.ID)
	if code := old.FailureCode(); code != "" {
		g.leave(failureFacet(old.Institution, code), c.ID)
	}
	if code := c.FailureCode(); code != "" {
		g.enter(failureFacet(c.Institution, code), c.ID)
	}
	if old.Open() != c.Open() {
		g.leave(openFacet(c.Institution), c.ID)
	}
	if old.IssueDate != c.IssueDate {
		g.leave(dateFacet(old), c.ID)
		g.enter(dateFacet(c), c.ID)
	}
}

func (g *Delta) leave(w facet, id uint64) {
	from := g.change(w, id)
	from.removed, from.added = append(from.removed, place(id)), without(from.added, place(id))
}

func (g *Delta) enter(w facet, id uint64) {
	to := g.change(w, id)
	to.added, to.removed = append(to.added, place(id)), without(to.removed, place(id))
}

func (g *Delta) add(w facet, id uint64) {
	to := g.change(w, id)
	to.added = append(to.added, place(id))
}

func (g *Delta) change(w facet, id uint64) *setChange {
	if g.sets == nil {
		g.sets = map[string]map[string]*setChange{}
	}
	of := g.sets[string(w.bucket)]
	if of == nil {
		of = map[string]*setChange{}
		g.sets[string(w.bucket)] = of
	}
	key := string(w.inSegment(segment(id)))
	if of[key] == nil {
		of[key] = &setChange{}
	}
	return of[key]
}

func without(places []uint16, p uint16) []uint16 {
	return slices.DeleteFunc(places, func(held uint16) bool { return held == p })
}

func segment(id uint64) uint32 { return uint32(id >> SegmentBits) }

func place(id uint64) uint16 { return uint16(id % SegmentSize) }

// Write writes what was gathered, in the order of the keys, and indexes the segments
// that are full.
func (g *Delta) Write(t *boltfile.Tx) error {
	for _, bucket := range slices.Sorted(maps.Keys(g.sets)) {
		of := g.sets[bucket]
		for _, key := range slices.Sorted(maps.Keys(of)) {
			if err := of[key].write(t, []byte(bucket), []byte(key)); err != nil {
				return err
			}
		}
	}
	for _, one := range g.erased {
		if err := one.write(t); err != nil {
			return err
		}
	}
	for _, one := range g.texts {
		key := boltfile.U64(one.id)
		if err := t.Put(textsBucket, key, boltfile.AddChecksum(key, []byte(one.text))); err != nil {
			return err
		}
	}
	if len(g.texts) == 0 {
		return nil
	}
	next := segment(g.texts[len(g.texts)-1].id + 1)
	for from := uint32(0); ; from++ {
		first, _ := t.Cursor(textsBucket).First()
		switch {
		case first == nil || segment(boltfile.LastID(first)) >= next:
			return nil
		case segment(boltfile.LastID(first)) < from: // filled, and there again
			return boltfile.IndexDamaged(textsBucket, first)
		}
		from = segment(boltfile.LastID(first))
		if err := indexSegment(t, from); err != nil {
			return err
		}
	}
}

func (c *setChange) write(t *boltfile.Tx, bucket, key []byte) error {
	var held Bitset
	if err := readBitset(t, bucket, key, &held); err != nil {
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
	return t.Put(bucket, key, boltfile.AddChecksum(key, value))
}

// readBitset reads a set; an empty one where there is none.
func readBitset(t *boltfile.Tx, bucket, key []byte, into *Bitset) error {
	var body []byte
	if value := t.Get(bucket, key); value != nil {
		var err error
		if body, err = boltfile.VerifyChecksum(key, value); err != nil {
			return err
		}
	}
	into.Decode(body)
	return nil
}

// indexedSegments is how many segments are indexed: those below this number.
func indexedSegments(t *boltfile.Tx) uint32 {
	k, _ := t.Cursor(columnsBucket).Last()
	if k == nil {
		return 0
	}
	return binary.BigEndian.Uint32(k) + 1
}

func columnKey(of uint32, n int) []byte { return append(boltfile.U32(of), byte(n)) }

// indexSegment indexes the texts of a full segment.
func indexSegment(t *boltfile.Tx, of uint32) error {
	var all []SegmentText
	err := eachPendingText(t, of, func(p uint16, owner uint32, text []byte) {
		all = append(all, SegmentText{Owner: owner, Place: p, Text: string(text)})
	})
	if err != nil {
		return err
	}
	for n, c := range NewColumns(all) {
		key := columnKey(of, n)
		if err := t.Put(columnsBucket, key, boltfile.AddChecksum(key, c)); err != nil {
			return err
		}
	}
	for piece, places := range IndexNgrams(all) {
		key := boltfile.JoinKey(boltfile.U32(of), piece)
		if err := t.Put(ngramsBucket, key, boltfile.AddChecksum(key, places)); err != nil {
			return err
		}
	}
	if err := writeSummary(t, of, all); err != nil {
		return err
	}
	for _, one := range all {
		if err := t.Delete(textsBucket, boltfile.U64(uint64(of)<<SegmentBits|uint64(one.Place))); err != nil {
			return err
		}
	}
	return nil
}

// eachPendingText goes through the texts of a segment that is not indexed.
func eachPendingText(t *boltfile.Tx, of uint32, yield func(p uint16, owner uint32, text []byte)) error {
	c := t.Cursor(textsBucket)
	for k, v := c.Seek(boltfile.U64(uint64(of) << SegmentBits)); k != nil && segment(boltfile.LastID(k)) == of; k, v = c.Next() {
		body, err := boltfile.VerifyChecksum(k, v)
		if err != nil {
			return err
		}
		yield(place(boltfile.LastID(k)), binary.BigEndian.Uint32(body), body[4:])
	}
	return nil
}
