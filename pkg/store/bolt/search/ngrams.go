package search

import (
	"cmp"
	"encoding/binary"
	"iter"
	"maps"
	"slices"
	"strings"
)

// ngramSize is the length of the longest pieces, in bytes.
const ngramSize = 3

// SegmentText is one of a segment's texts. Terms never match over a line's end.
type SegmentText struct {
	Owner uint32
	Place uint16
	Text  string
}

// ngram is an owner, up to three bytes and how many they are: they sort as the
// keys do.
type ngram uint64

func newNgram(owner uint32, s string) ngram {
	p := ngram(owner)<<32 | ngram(len(s))
	for i := range len(s) {
		p |= ngram(s[i]) << (24 - 8*i)
	}
	return p
}

// key is the owner and the bytes.
func (p ngram) key() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(p))
	return b[:4+b[7]]
}

// IndexNgrams goes through the pieces of texts whose places ascend: each one's key with
// the set of places that hold it, encoded.
func IndexNgrams(texts []SegmentText) iter.Seq2[[]byte, []byte] {
	found := postings{numbers: map[uint32]*postingNumbers{}}
	for _, t := range texts {
		for p := range eachNgram(t.Owner, t.Text) {
			found.add(p, t.Place)
		}
	}
	return func(yield func([]byte, []byte) bool) {
		for _, h := range slices.SortedFunc(slices.Values(found.all), func(a, b posting) int { return cmp.Compare(a.ngram, b.ngram) }) {
			if !yield(h.ngram.key(), h.encode()) {
				return
			}
		}
	}
}

// posting is a piece and the places that hold it: one behind the other, or as a set when
// they are so many that it is smaller.
type posting struct {
	ngram  ngram
	last   uint16
	places []uint16
	dense  *Bitset
}

const denseThreshold = SegmentSize / 8 / 2

func (h *posting) add(place uint16) {
	switch {
	case h.dense != nil:
		h.dense.Add(place)
	case len(h.places) == 0 || h.last != place:
		h.places, h.last = append(h.places, place), place
		if len(h.places) == denseThreshold {
			h.dense, h.places = NewBitset(h.places...), nil
		}
	}
}

func (h *posting) encode() []byte {
	if h.dense != nil {
		return h.dense.Encode()
	}
	return EncodePlaces(h.places)
}

// postings gathers pieces. A segment has millions, so they are told apart by tables
// rather than by a map.
type postings struct {
	all     []posting
	numbers map[uint32]*postingNumbers // by owner
}

// postingNumbers says where a piece stands, counted from one: by its first two bytes, and
// by the third and how many there are.
type postingNumbers [1 << 16]*[2 + 1<<8]int32

func (h *postings) add(p ngram, place uint16) {
	owned := h.numbers[uint32(p>>32)]
	if owned == nil {
		owned = &postingNumbers{}
		h.numbers[uint32(p>>32)] = owned
	}
	first := &owned[p>>16&0xffff]
	if *first == nil {
		*first = &[2 + 1<<8]int32{}
	}
	slot := &(*first)[0]
	switch p & 0xff {
	case 2:
		slot = &(*first)[1]
	case ngramSize:
		slot = &(*first)[2+p>>8&0xff]
	}
	if *slot == 0 {
		h.all = append(h.all, posting{ngram: p})
		*slot = int32(len(h.all))
	}
	h.all[*slot-1].add(place)
}

// eachNgram goes through the pieces of a text, some of them several times.
func eachNgram(owner uint32, text string) iter.Seq[ngram] {
	return func(yield func(ngram) bool) {
		for line := range strings.SplitSeq(text, "\n") {
			for i := range len(line) {
				for n := 1; n <= min(ngramSize, len(line)-i); n++ {
					if !yield(newNgram(owner, line[i:i+n])) {
						return
					}
				}
			}
		}
	}
}

// LostNgrams lists the keys of the pieces that a text holds and another does not.
func LostNgrams(owner uint32, text, left string) (keys [][]byte) {
	lost := map[ngram]bool{}
	for p := range eachNgram(owner, text) {
		lost[p] = true
	}
	for p := range eachNgram(owner, left) {
		delete(lost, p)
	}
	for _, p := range slices.Sorted(maps.Keys(lost)) {
		keys = append(keys, p.key())
	}
	return keys
}

// maxTermNgrams is how many pieces of a term are asked for. More of them cost more than the
// texts that they would rule out.
const maxTermNgrams = 8

// TermNgrams lists the keys of some of a term's pieces: a text that holds the term is
// in the sets of all of them. A term of up to three bytes has one piece, and no other
// text is in its set.
func TermNgrams(owner uint32, term string) (keys [][]byte) {
	if len(term) <= ngramSize {
		return [][]byte{newNgram(owner, term).key()}
	}
	last := len(term) - ngramSize // where the last piece begins
	n := min(maxTermNgrams, (last+ngramSize-1)/ngramSize+1)
	for i := range n {
		at := last * (n - 1 - i) / (n - 1) // the last first: numbers stand at the end
		keys = append(keys, newNgram(owner, term[at:at+ngramSize]).key())
	}
	return keys
}

// IsNgram reports whether a term is a piece itself.
func IsNgram(term string) bool { return len(term) <= ngramSize }
