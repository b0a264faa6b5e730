package index

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
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/set"
	"github.com/vecctl/vecctl/pkg/store/bolt/substring"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Index finds certificates. Its zero value is ready.
type Index struct {
	mu sync.Mutex
	// sound are the columns and summaries whose checksums were right. They hardly ever
	// change, and to sum them up again takes longer than to search them.
	sound map[string]bool
}

// Find counts the certificates that a filter selects and lists the IDs of one
// page of them, the newest first.
func (x *Index) Find(ctx context.Context, t *tree.Tx, f store.Filter, page, perPage int) (ids []uint64, total int, err error) {
	f.Email = vault.FoldEmail(f.Email)
	f.Search = strings.ReplaceAll(vault.Fold(vault.Clean(f.Search)), "\n", " ")
	find := newSearch(x, t, f)
	if f.From != "" || f.To != "" {
		if find.days, err = daysOf(t, f); err != nil {
			return nil, 0, err
		}
	}
	skip := Skipped(page, perPage)
	for of, first := range find.segments() {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		if err := find.in(of, first); err != nil {
			return nil, 0, err
		}
		n := find.found.Len()
		total += n
		if n <= skip {
			skip -= n
			continue
		}
		for p := range find.found.Down() {
			if len(ids) == perPage {
				break
			}
			if skip > 0 {
				skip--
				continue
			}
			ids = append(ids, uint64(of)<<set.Bits|uint64(p))
		}
	}
	return ids, total, nil
}

// IssuedTo lists all certificates of an institution for an address, the newest
// first.
func IssuedTo(t *tree.Tx, institution uint32, email string) ([]uint64, error) {
	var x Index
	ids, _, err := x.Find(context.Background(), t, store.Filter{Institution: institution, Email: email}, 1, math.MaxInt)
	return ids, err
}

// Skipped is the number of entries before a page.
func Skipped(page, perPage int) int {
	if page-1 > math.MaxInt/max(perPage, 1) {
		return math.MaxInt
	}
	return max(page-1, 0) * perPage
}

// search is what a filter asks for, and what was found in a segment.
type search struct {
	index       *Index
	t           *tree.Tx
	institution uint32
	words       []word
	unwanted    *word               // whose certificates are left out
	days        map[uint32]*set.Set // by segment; nil when any day will do
	term        string
	pieces      [][]byte // keys of the term's pieces, behind room for a segment's number
	finder      *substring.Finder
	full        uint32
	cursors     map[string]*bbolt.Cursor // by bucket
	number      [4]byte                  // of a segment, as a key
	found       set.Set
}

func newSearch(x *Index, t *tree.Tx, f store.Filter) *search {
	s := &search{index: x, t: t, institution: f.Institution, term: f.Search, full: full(t), cursors: map[string]*bbolt.Cursor{}}
	if f.Email != "" {
		s.words = append(s.words, wordOf(byEmail, f.Institution, f.Email))
	}
	if f.Batch != "" {
		s.words = append(s.words, wordOf(byBatch, f.Institution, f.Batch))
	}
	if f.Status != "" {
		s.words = append(s.words, wordOf(byStatus, f.Institution, string(f.Status)))
	}
	if f.Open {
		s.words = append(s.words, openWord(f.Institution))
	}
	switch f.Source {
	case "":
	case vault.FromVault:
		if w := sourceWord(f.Institution, vault.FromCustomer); t.Begins(w.bucket, []byte(w.key)) {
			s.unwanted = &w
		}
	default:
		s.words = append(s.words, sourceWord(f.Institution, f.Source))
	}
	if len(s.words) == 0 {
		s.words = append(s.words, created(f.Institution))
	}
	if s.term != "" {
		s.finder = substring.NewFinder(s.term)
		for _, key := range substring.Pieces(f.Institution, s.term) {
			s.pieces = append(s.pieces, record.Join(record.U32(0), key))
		}
	}
	return s
}

// segments goes through those that have certificates of the first word, the newest
// first, each with its key.
func (s *search) segments() iter.Seq2[uint32, []byte] {
	return func(yield func(uint32, []byte) bool) {
		c, prefix := s.t.Cursor(s.words[0].bucket), []byte(s.words[0].key)
		for k := tree.SeekLast(c, prefix); bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
			if len(k) == len(prefix)+4 && !yield(binary.BigEndian.Uint32(k[len(prefix):]), k) {
				return
			}
		}
	}
}

// in finds what is selected in a segment, which the first word's key names.
func (s *search) in(of uint32, first []byte) error {
	if err := read(s.t, s.words[0].bucket, first, &s.found); err != nil {
		return err
	}
	for _, w := range s.words[1:] {
		if err := s.keep(w.bucket, w.in(of)); err != nil {
			return err
		}
	}
	if s.unwanted != nil {
		if err := s.drop(s.unwanted.bucket, s.unwanted.in(of)); err != nil {
			return err
		}
	}
	if s.days != nil {
		days := s.days[of]
		if days == nil {
			days = &set.Set{}
		}
		s.found.And(days)
	}
	switch {
	case s.term == "" || s.found == set.Set{}:
		return nil
	case of >= s.full:
		return s.waiting(of)
	}
	return s.indexed(of)
}

// keep keeps what a set in the database holds too.
func (s *search) keep(bucket, key []byte) error {
	body, err := s.set(bucket, key)
	s.found.AndEncoded(body)
	return err
}

// drop leaves out what a set in the database holds.
func (s *search) drop(bucket, key []byte) error {
	body, err := s.set(bucket, key)
	if err != nil || body == nil {
		return err
	}
	var others set.Set
	others.Decode(body)
	s.found.AndNot(&others)
	return nil
}

// set reads a set as bytes; nil, which is empty, where there is none.
func (s *search) set(bucket, key []byte) ([]byte, error) {
	value := s.get(bucket, key)
	if value == nil {
		return nil, nil
	}
	return record.Unseal(key, value)
}

// get is Tx.Get without a new cursor each time.
func (s *search) get(bucket, key []byte) []byte {
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

// waiting looks into the texts of a segment that is being filled.
func (s *search) waiting(of uint32) error {
	var hold set.Set
	err := waiting(s.t, of, func(p uint16, _ uint32, text []byte) {
		if bytes.Contains(text, s.finder.Term()) {
			hold.Add(p)
		}
	})
	s.found.And(&hold)
	return err
}

// indexed asks the index of a full segment: its summary first, then the sets of the
// term's pieces. Where that leaves a doubt it looks into the texts.
func (s *search) indexed(of uint32) error {
	if !substring.IsPiece(s.term) {
		summary, err := s.summary(of)
		if err != nil {
			return err
		}
		if summary.Lacks(s.finder.Term()) {
			s.found = set.Set{}
			return nil
		}
		if n, known := summary.Around(s.finder.Term()); known {
			return s.keep(summaries, repeatKey(of, n))
		}
	}
	for i, key := range s.pieces {
		binary.BigEndian.PutUint32(key, of)
		if err := s.keep(pieces, key); err != nil {
			return err
		}
		if s.found == (set.Set{}) { // what ruled all out here probably does so in the next segment
			copy(s.pieces[1:], s.pieces[:i])
			s.pieces[0] = key
			return nil
		}
	}
	if substring.IsPiece(s.term) {
		return nil
	}
	return s.finder.Keep(&s.found, s.index.columns(s.t, of))
}

// summary is a full segment's; nil where an older program filled it.
func (s *search) summary(of uint32) (substring.Summary, error) {
	binary.BigEndian.PutUint32(s.number[:], of)
	value := s.get(summaries, s.number[:])
	if value == nil {
		return nil, nil
	}
	return record.Body(value), s.index.check(s.number[:], value)
}

// columns returns a function that returns a segment's columns, each of which
// is read when it is first asked for.
func (x *Index) columns(t *tree.Tx, of uint32) func(n int) (substring.Column, error) {
	var opened []substring.Column // a nil one ends them
	return func(n int) (substring.Column, error) {
		for len(opened) <= n && (len(opened) == 0 || opened[len(opened)-1] != nil) {
			key := columnKey(of, len(opened))
			value := t.Get(columns, key)
			if value == nil {
				opened = append(opened, nil)
				break
			}
			if err := x.check(key, value); err != nil {
				return nil, err
			}
			opened = append(opened, record.Body(value))
		}
		return opened[min(n, len(opened)-1)], nil
	}
}

// check checks a checksum when what it stands for is read for the first time.
func (x *Index) check(key, value []byte) error {
	x.mu.Lock()
	sound := x.sound[string(key)]
	x.mu.Unlock()
	if sound {
		return nil
	}
	if _, err := record.Unseal(key, value); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.sound == nil {
		x.sound = map[string]bool{}
	}
	x.sound[string(key)] = true
	return nil
}

// daysOf gathers the certificates that were issued in a span of days.
func daysOf(t *tree.Tx, f store.Filter) (map[uint32]*set.Set, error) {
	found := map[uint32]*set.Set{}
	inst := record.U32(f.Institution)
	var day set.Set
	c := t.Cursor(byDate)
	for k, v := c.Seek(record.Join(inst, []byte(f.From))); bytes.HasPrefix(k, inst); k, v = c.Next() {
		if f.To != "" && string(k[4:len(k)-5]) > string(f.To) {
			break
		}
		body, err := record.Unseal(k, v)
		if err != nil {
			return nil, err
		}
		of := binary.BigEndian.Uint32(k[len(k)-4:])
		if found[of] == nil {
			found[of] = &set.Set{}
		}
		day.Decode(body)
		found[of].Or(&day)
	}
	return found, nil
}
