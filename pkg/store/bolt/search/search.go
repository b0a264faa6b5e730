// Package search finds certificates by what they say. Certificates are numbered
// upwards, and 8,192 of them are a segment; for each facet (state, address, batch,
// day) and each segment there is the set of certificates that have it. What a filter
// selects is found by intersecting sets, which costs little however many are selected.
//
// Texts of the segment that is being filled are searched one by one. A full segment's
// are put into columns and get an index of their n-grams: for each one to three bytes
// a set says which texts hold them. Terms of up to three bytes are answered by one
// set, longer ones by the texts that hold all of their n-grams, each of which is then
// searched.
package search

import (
	"bytes"
	"context"
	"encoding/binary"
	"iter"
	"math"
	"strings"
	"sync"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Index finds certificates. Its zero value is ready.
type Index struct {
	mu sync.Mutex
	// verified are the columns and summaries whose checksums were right. They hardly ever
	// change, and to sum them up again takes longer than to search them.
	verified map[string]bool
}

// Find counts the certificates that a filter selects and lists the IDs of one
// page of them, the newest first.
func (x *Index) Find(ctx context.Context, t *boltfile.Tx, f store.Filter, page, perPage int) (ids []uint64, total int, err error) {
	f.Email = vault.FoldEmail(f.Email)
	f.Search = strings.ReplaceAll(vault.Fold(vault.Clean(f.Search)), "\n", " ")
	find := newQuery(x, t, f)
	if f.From != "" || f.To != "" {
		if find.days, err = daysOf(t, byDateBucket, f.Institution, f.From, f.To); err != nil {
			return nil, 0, err
		}
	}
	if f.EndsFrom != "" || f.EndsTo != "" {
		if find.ends, err = daysOf(t, byExpiryBucket, f.Institution, f.EndsFrom, f.EndsTo); err != nil {
			return nil, 0, err
		}
	}
	below, newest := uint64(math.MaxUint64), uint32(math.MaxUint32)
	if f.Below != 0 {
		below, newest = f.Below, segment(f.Below-1)
	}
	skip := Offset(page, perPage)
	for of, first := range find.segments() {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		if of > newest {
			continue
		}
		if err := find.matchSegment(of, first); err != nil {
			return nil, 0, err
		}
		if of == segment(below) {
			find.found.RemoveFrom(place(below))
		}
		n := find.found.Len()
		total += n
		if n <= skip {
			skip -= n
			continue
		}
		for p := range find.found.Descending() {
			if len(ids) == perPage {
				break
			}
			if skip > 0 {
				skip--
				continue
			}
			ids = append(ids, uint64(of)<<SegmentBits|uint64(p))
		}
	}
	return ids, total, nil
}

// IssuedTo lists all certificates of an institution for an address, the newest
// first.
func IssuedTo(t *boltfile.Tx, institution uint32, email string) ([]uint64, error) {
	var x Index
	ids, _, err := x.Find(context.Background(), t, store.Filter{Institution: institution, Email: email}, 1, math.MaxInt)
	return ids, err
}

// Offset is the number of entries before a page.
func Offset(page, perPage int) int {
	if page-1 > math.MaxInt/max(perPage, 1) {
		return math.MaxInt
	}
	return max(page-1, 0) * perPage
}

// query is what a filter asks for, and what was found in a segment.
type query struct {
	index       *Index
	t           *boltfile.Tx
	institution uint32
	facets      []facet
	excluded    *facet             // whose certificates are left out
	days        map[uint32]*Bitset // issued in a span of days, by segment; nil when any day will do
	ends        map[uint32]*Bitset // whose last day is in a span, likewise
	term        string
	ngrams      [][]byte // keys of the term's pieces, behind room for a segment's number
	finder      *Finder
	indexed     uint32
	cursors     map[string]*bbolt.Cursor // by bucket
	number      [4]byte                  // of a segment, as a key
	found       Bitset
}

func newQuery(x *Index, t *boltfile.Tx, f store.Filter) *query {
	s := &query{index: x, t: t, institution: f.Institution, term: f.Search, indexed: indexedSegments(t), cursors: map[string]*bbolt.Cursor{}}
	if f.Email != "" {
		s.facets = append(s.facets, newFacet(byEmailBucket, f.Institution, f.Email))
	}
	if f.Batch != "" {
		s.facets = append(s.facets, newFacet(byBatchBucket, f.Institution, f.Batch))
	}
	if f.Failure != "" {
		s.facets = append(s.facets, failureFacet(f.Institution, f.Failure))
	}
	if f.Status != "" {
		s.facets = append(s.facets, newFacet(byStatusBucket, f.Institution, string(f.Status)))
	}
	if f.Open {
		s.facets = append(s.facets, openFacet(f.Institution))
	}
	switch f.Source {
	case "":
	case vault.FromVault:
		if w := sourceFacet(f.Institution, vault.FromCustomer); t.HasPrefix(w.bucket, []byte(w.key)) {
			s.excluded = &w
		}
	default:
		s.facets = append(s.facets, sourceFacet(f.Institution, f.Source))
	}
	if len(s.facets) == 0 {
		s.facets = append(s.facets, createdFacet(f.Institution))
	}
	if s.term != "" {
		s.finder = NewFinder(s.term)
		for _, key := range TermNgrams(f.Institution, s.term) {
			s.ngrams = append(s.ngrams, boltfile.JoinKey(boltfile.U32(0), key))
		}
	}
	return s
}

// segments goes through those that have certificates of the first word, the newest
// first, each with its key.
func (s *query) segments() iter.Seq2[uint32, []byte] {
	return func(yield func(uint32, []byte) bool) {
		c, prefix := s.t.Cursor(s.facets[0].bucket), []byte(s.facets[0].key)
		for k := boltfile.SeekLast(c, prefix); bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
			if len(k) == len(prefix)+4 && !yield(binary.BigEndian.Uint32(k[len(prefix):]), k) {
				return
			}
		}
	}
}

// matchSegment finds what is selected in a segment, which the first word's key names.
func (s *query) matchSegment(of uint32, first []byte) error {
	if err := readBitset(s.t, s.facets[0].bucket, first, &s.found); err != nil {
		return err
	}
	for _, w := range s.facets[1:] {
		if err := s.intersect(w.bucket, w.inSegment(of)); err != nil {
			return err
		}
	}
	if s.excluded != nil {
		if err := s.subtract(s.excluded.bucket, s.excluded.inSegment(of)); err != nil {
			return err
		}
	}
	for _, span := range []map[uint32]*Bitset{s.days, s.ends} {
		if span == nil {
			continue
		}
		days := span[of]
		if days == nil {
			days = &Bitset{}
		}
		s.found.And(days)
	}
	switch {
	case s.term == "" || s.found == Bitset{}:
		return nil
	case of >= s.indexed:
		return s.matchPending(of)
	}
	return s.matchIndexed(of)
}

// intersect keeps what a set in the database holds too.
func (s *query) intersect(bucket, key []byte) error {
	body, err := s.bitset(bucket, key)
	s.found.AndEncoded(body)
	return err
}

// subtract leaves out what a set in the database holds.
func (s *query) subtract(bucket, key []byte) error {
	body, err := s.bitset(bucket, key)
	if err != nil || body == nil {
		return err
	}
	var others Bitset
	others.Decode(body)
	s.found.AndNot(&others)
	return nil
}

// bitset reads a set as bytes; nil, which is empty, where there is none.
func (s *query) bitset(bucket, key []byte) ([]byte, error) {
	value := s.get(bucket, key)
	if value == nil {
		return nil, nil
	}
	return boltfile.VerifyChecksum(key, value)
}

// get is Tx.Get without a new cursor each time.
func (s *query) get(bucket, key []byte) []byte {
	c := s.cursors[string(bucket)]
	if c == nil {
		c = s.t.Cursor(bucket)
		s.cursors[string(bucket)] = c
	}
	k, value := c.Seek(key)
	if !bytes.Equal(k, key) {
		return nil
	}
	return value
}

// matchPending looks into the texts of a segment that is being filled.
func (s *query) matchPending(of uint32) error {
	var hold Bitset
	err := eachPendingText(s.t, of, func(p uint16, _ uint32, text []byte) {
		if bytes.Contains(text, s.finder.Term()) {
			hold.Add(p)
		}
	})
	s.found.And(&hold)
	return err
}

// matchIndexed asks the index of a full segment: its summary first, then the sets of the
// term's pieces. Where that leaves a doubt it looks into the texts.
func (s *query) matchIndexed(of uint32) error {
	if !IsNgram(s.term) {
		summary, err := s.summary(of)
		if err != nil {
			return err
		}
		if summary.Lacks(s.finder.Term()) {
			s.found = Bitset{}
			return nil
		}
		if n, known := summary.RepeatWith(s.finder.Term()); known {
			return s.intersect(summariesBucket, repeatKey(of, n))
		}
	}
	for i, key := range s.ngrams {
		binary.BigEndian.PutUint32(key, of)
		if err := s.intersect(ngramsBucket, key); err != nil {
			return err
		}
		if s.found == (Bitset{}) { // what ruled all out here probably does so in the next segment
			copy(s.ngrams[1:], s.ngrams[:i])
			s.ngrams[0] = key
			return nil
		}
	}
	if IsNgram(s.term) {
		return nil
	}
	return s.finder.Filter(&s.found, s.index.columns(s.t, of))
}

// summary is a full segment's; nil where an older program filled it.
func (s *query) summary(of uint32) (Summary, error) {
	binary.BigEndian.PutUint32(s.number[:], of)
	value := s.get(summariesBucket, s.number[:])
	if value == nil {
		return nil, nil
	}
	return boltfile.StripChecksum(value), s.index.verify(s.number[:], value)
}

// columns returns a function that returns a segment's columns, each of which
// is read when it is first asked for.
func (x *Index) columns(t *boltfile.Tx, of uint32) func(n int) (Column, error) {
	var opened []Column // a nil one ends them
	return func(n int) (Column, error) {
		for len(opened) <= n && (len(opened) == 0 || opened[len(opened)-1] != nil) {
			key := columnKey(of, len(opened))
			value := t.Get(columnsBucket, key)
			if value == nil {
				opened = append(opened, nil)
				break
			}
			if err := x.verify(key, value); err != nil {
				return nil, err
			}
			opened = append(opened, boltfile.StripChecksum(value))
		}
		return opened[min(n, len(opened)-1)], nil
	}
}

// verify checks a checksum when what it stands for is read for the first time.
func (x *Index) verify(key, value []byte) error {
	x.mu.Lock()
	sound := x.verified[string(key)]
	x.mu.Unlock()
	if sound {
		return nil
	}
	if _, err := boltfile.VerifyChecksum(key, value); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.verified == nil {
		x.verified = map[string]bool{}
	}
	x.verified[string(key)] = true
	return nil
}

// daysOf gathers the certificates that an index by days has in a span of them.
func daysOf(t *boltfile.Tx, bucket []byte, institution uint32, from, to vault.Date) (map[uint32]*Bitset, error) {
	found := map[uint32]*Bitset{}
	inst := boltfile.U32(institution)
	var day Bitset
	c := t.Cursor(bucket)
	for k, v := c.Seek(boltfile.JoinKey(inst, []byte(from))); bytes.HasPrefix(k, inst); k, v = c.Next() {
		if to != "" && string(k[4:len(k)-5]) > string(to) {
			break
		}
		body, err := boltfile.VerifyChecksum(k, v)
		if err != nil {
			return nil, err
		}
		of := binary.BigEndian.Uint32(k[len(k)-4:])
		if found[of] == nil {
			found[of] = &Bitset{}
		}
		day.Decode(body)
		found[of].Or(&day)
	}
	return found, nil
}
