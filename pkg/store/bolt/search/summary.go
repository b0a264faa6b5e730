package search

import (
	"bytes"
	"encoding/binary"
	"iter"
	"strings"
)

// Summary tells briefly what a segment's texts say. It begins with a sieve of all that
// four bytes of a line can be, which tells of most rare terms that they are in no
// text. Behind it are the repeats: what many of the texts have in common, and cannot
// be made longer without being in fewer places. Those in the most texts come first, and
// of those in as many, the shortest; each ends with a line's end. They have a sieve of
// their own.
//
// Around a term, wherever it occurs, is the longest text that is there each time.
// If the term is inside of any repeat, then that text is a repeat too, is in the
// same texts as the term, and comes before all other repeats that the term is inside
// of. So the first that holds a term names the very set of texts that hold it,
// however many they are.
//
// All of this is for terms that are no pieces.
type Summary []byte

const (
	textFilterSize   = 1 << 16 // bytes
	repeatFilterSize = 1 << 10
)

// NewSummary makes a summary of texts whose places ascend, and the encoded sets of its
// repeats. Where there are too many repeats, those in the fewest texts are left out;
// where looking for them takes too long, all.
func NewSummary(texts []SegmentText) (s Summary, sets [][]byte) {
	s = make(Summary, textFilterSize)
	for _, t := range texts {
		bloomFilter(s).add([]byte(t.Text))
	}
	var lines []byte
	for _, r := range findRepeats(texts) {
		lines, sets = append(append(lines, r.text...), '\n'), append(sets, r.set)
	}
	return s.with(lines), sets
}

// with replaces the repeats.
func (s Summary) with(lines []byte) Summary {
	out := make(Summary, textFilterSize+repeatFilterSize, textFilterSize+repeatFilterSize+len(lines))
	copy(out, s[:textFilterSize])
	bloomFilter(out[textFilterSize:]).add(lines)
	return append(out, lines...)
}

func (s Summary) lines() []byte { return s[textFilterSize+repeatFilterSize:] }

// Lacks reports whether certainly no text holds a term. A summary that is nil never
// knows.
func (s Summary) Lacks(term []byte) bool {
	return s != nil && bloomFilter(s[:textFilterSize]).lacks(term)
}

// RepeatWith returns the number of the first repeat that holds a term.
func (s Summary) RepeatWith(term []byte) (n int, found bool) {
	if s == nil || bloomFilter(s[textFilterSize:textFilterSize+repeatFilterSize]).lacks(term) {
		return 0, false
	}
	before, _, found := bytes.Cut(s.lines(), term)
	return bytes.Count(before, []byte("\n")), found
}

// LostRepeats goes through the numbers of the repeats that a text holds and another does
// not.
func (s Summary) LostRepeats(text, left string) iter.Seq[int] {
	return func(yield func(int) bool) {
		for n, line := range strings.Split(string(s.lines()), "\n") {
			if line != "" && strings.Contains(text, line) && !strings.Contains(left, line) && !yield(n) {
				return
			}
		}
	}
}

// WithoutRepeat returns the summary with an empty repeat in place of one that no text holds
// any more.
func (s Summary) WithoutRepeat(n int) Summary {
	lines := bytes.Split(s.lines(), []byte("\n"))
	lines[n] = nil
	return s.with(bytes.Join(lines, []byte("\n")))
}

// bloomFilter has a bit for what any four bytes of a line are hashed to.
type bloomFilter []byte

const bloomGramSize = ngramSize + 1

func (s bloomFilter) bit(b []byte) (at int, bit byte) {
	h := uint64(binary.LittleEndian.Uint32(b)*2654435761) * uint64(len(s)) >> 29
	return int(h / 8), 1 << (h % 8)
}

func (s bloomFilter) add(lines []byte) {
	for i := range max(len(lines)-bloomGramSize+1, 0) {
		at, bit := s.bit(lines[i:])
		s[at] |= bit
	}
}

// lacks looks at the term's end first: numbers stand there.
func (s bloomFilter) lacks(term []byte) bool {
	for i := len(term) - bloomGramSize; i >= 0; i-- {
		if at, bit := s.bit(term[i:]); s[at]&bit == 0 {
			return true
		}
	}
	return false
}
