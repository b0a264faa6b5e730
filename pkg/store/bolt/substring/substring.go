// Package substring finds the texts of a segment in which a term occurs. For each
// piece of one to three bytes a set says which texts hold it, so terms of up to three
// bytes are answered by one set, and longer ones by the texts that hold all of their
// pieces, each of which is then looked into. A segment is indexed once, when it is
// full.
//
// The package makes keys and values; whoever uses it keeps them.
package substring

import (
	"cmp"
	"encoding/binary"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/store/bolt/set"
)

// longest is the length of the longest pieces, in bytes.
const longest = 3

// Text is one of a segment's texts. Terms never match over a line's end.
type Text struct {
	Owner uint32
	Place uint16
	Text  string
}

// piece is an owner, up to three bytes and how many they are: they sort as the
// keys do.
type piece uint64

func pieceOf(owner uint32, s string) piece {
	p := piece(owner)<<32 | piece(len(s))
	for i := range len(s) {
		p |= piece(s[i]) << (24 - 8*i)
	}
	return p
}

// key is the owner and the bytes.
func (p piece) key() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(p))
	return b[:4+b[7]]
}

// Index goes through the pieces of texts whose places ascend: each one's key with
// the set of places that hold it, encoded.
func Index(texts []Text) iter.Seq2[[]byte, []byte] {
	found := holders{numbers: map[uint32]*numbers{}}
	for _, t := range texts {
		for p := range all(t.Owner, t.Text) {
			found.add(p, t.Place)
		}
	}
	return func(yield func([]byte, []byte) bool) {
		for _, h := range slices.SortedFunc(slices.Values(found.all), func(a, b holder) int { return cmp.Compare(a.piece, b.piece) }) {
			if !yield(h.piece.key(), h.encode()) {
				return
			}
		}
	}
}

// holder is a piece and the places that hold it: one behind the other, or as a set when
// they are so many that it is smaller.
type holder struct {
	piece  piece
	last   uint16
	places []uint16
	dense  *set.Set
}

const manyPlaces = set.Size / 8 / 2

func (h *holder) add(place uint16) {
	switch {
	case h.dense != nil:
		h.dense.Add(place)
	case len(h.places) == 0 || h.last != place:
		h.places, h.last = append(h.places, place), place
		if len(h.places) == manyPlaces {
			h.dense, h.places = set.Of(h.places...), nil
		}
	}
}

func (h *holder) encode() []byte {
	if h.dense != nil {
		return h.dense.Encode()
	}
	return set.Encode(h.places)
}

// holders gathers pieces. A segment has millions, so they are told apart by tables
// rather than by a map.
type holders struct {
	all     []holder
	numbers map[uint32]*numbers // by owner
}

// numbers says where a piece stands, counted from one: by its first two bytes, and
// by the third and how many there are.
type numbers [1 << 16]*[2 + 1<<8]int32

func (h *holders) add(p piece, place uint16) {
	owned := h.numbers[uint32(p>>32)]
	if owned == nil {
		owned = &numbers{}
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
	case longest:
		slot = &(*first)[2+p>>8&0xff]
	}
	if *slot == 0 {
		h.all = append(h.all, holder{piece: p})
		*slot = int32(len(h.all))
	}
	h.all[*slot-1].add(place)
}

// all goes through the pieces of a text, some of them several times.
func all(owner uint32, text string) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		for line := range strings.SplitSeq(text, "\n") {
			for i := range len(line) {
				for n := 1; n <= min(longest, len(line)-i); n++ {
					if !yield(pieceOf(owner, line[i:i+n])) {
						return
					}
				}
			}
		}
	}
}

// Lost lists the keys of the pieces that a text holds and another does not.
func Lost(owner uint32, text, left string) (keys [][]byte) {
	lost := map[piece]bool{}
	for p := range all(owner, text) {
		lost[p] = true
	}
	for p := range all(owner, left) {
		delete(lost, p)
	}
	for _, p := range slices.Sorted(maps.Keys(lost)) {
		keys = append(keys, p.key())
	}
	return keys
}

// most is how many pieces of a term are asked for. More of them cost more than the
// texts that they would rule out.
const most = 8

// Pieces lists the keys of some of a term's pieces: a text that holds the term is
// in the sets of all of them. A term of up to three bytes has one piece, and no other
// text is in its set.
func Pieces(owner uint32, term string) (keys [][]byte) {
	if len(term) <= longest {
		return [][]byte{pieceOf(owner, term).key()}
	}
	last := len(term) - longest // where the last piece begins
	n := min(most, (last+longest-1)/longest+1)
	for i := range n {
		at := last * (n - 1 - i) / (n - 1) // the last first: numbers stand at the end
		keys = append(keys, pieceOf(owner, term[at:at+longest]).key())
	}
	return keys
}

// IsPiece tells whether a term is a piece itself.
func IsPiece(term string) bool { return len(term) <= longest }
