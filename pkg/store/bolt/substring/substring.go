// Package substring is an index that finds the texts in which a term occurs. It
// holds, for each three bytes, the numbers of the texts that hold them. Texts are
// numbered upwards, so the index is cut into segments of 1,024 numbers and only
// the newest one is ever written to: what adding costs does not depend on how
// many texts there are.
//
// The package makes keys and lists; whoever uses it keeps them.
package substring

import (
	"cmp"
	"encoding/binary"
	"iter"
	"slices"
	"strings"
)

const segmentBits = 10

// Postings gathers texts that are to be added.
type Postings []posting

// posting says that a text holds a gram: its owner and three bytes.
type posting struct{ gram, id uint64 }

// Add gathers one owner's text. Terms never match over a line's end.
func (p *Postings) Add(owner uint32, id uint64, text string) {
	for g := range gramsOf(owner, text) {
		*p = append(*p, posting{g, id})
	}
}

// Lists goes through what was gathered in the order of the keys: each key with
// the bytes that must be put behind those that it has. All the numbers must be
// above those that are there.
func (p Postings) Lists() iter.Seq2[[]byte, []byte] {
	slices.SortFunc(p, func(a, b posting) int {
		if segments := cmp.Compare(a.id>>segmentBits, b.id>>segmentBits); segments != 0 {
			return segments
		}
		if a.gram != b.gram {
			return cmp.Compare(a.gram, b.gram)
		}
		return cmp.Compare(a.id, b.id)
	})
	return func(yield func([]byte, []byte) bool) {
		var key, list []byte
		for i, this := range p {
			if i > 0 && this == p[i-1] {
				continue
			}
			if k := keyOf(this.gram, this.id>>segmentBits); !slices.Equal(k, key) {
				if key != nil && !yield(key, list) {
					return
				}
				key, list = k, nil
			}
			list = binary.BigEndian.AppendUint16(list, uint16(this.id&(1<<segmentBits-1)))
		}
		if key != nil {
			yield(key, list)
		}
	}
}

// Candidates lists, ascending, the numbers up to last of an owner's texts that
// may hold a term of three bytes or more: all that do are among them, and no
// others if it has just three. The function returns a key's list.
func Candidates(owner uint32, term string, last uint64, list func(key []byte) ([]byte, error)) ([]uint64, error) {
	wanted := slices.Compact(slices.Sorted(gramsOf(owner, term)))
	var found []uint64
	for segment := range last>>segmentBits + 1 {
		var offsets []uint16
		for i, g := range wanted {
			held, err := list(keyOf(g, segment))
			if err != nil {
				return nil, err
			}
			if i == 0 {
				offsets = decode(held)
			} else {
				offsets = intersect(offsets, decode(held))
			}
			if len(offsets) == 0 {
				break
			}
		}
		for _, o := range offsets {
			found = append(found, segment<<segmentBits|uint64(o))
		}
	}
	return found, nil
}

func gramsOf(owner uint32, text string) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for line := range strings.SplitSeq(text, "\n") {
			for i := 0; i+3 <= len(line); i++ {
				three := uint64(line[i])<<16 | uint64(line[i+1])<<8 | uint64(line[i+2])
				if !yield(uint64(owner)<<24 | three) {
					return
				}
			}
		}
	}
}

// keyOf is the owner, the segment and the three bytes.
func keyOf(gram, segment uint64) []byte {
	key := binary.BigEndian.AppendUint32(make([]byte, 0, 11), uint32(gram>>24))
	key = binary.BigEndian.AppendUint32(key, uint32(segment))
	return append(key, byte(gram>>16), byte(gram>>8), byte(gram))
}

func decode(list []byte) []uint16 {
	offsets := make([]uint16, 0, len(list)/2)
	for ; len(list) >= 2; list = list[2:] {
		offsets = append(offsets, binary.BigEndian.Uint16(list))
	}
	return offsets
}

// intersect keeps, in place, the elements of a that b holds too; both ascend.
func intersect(a, b []uint16) []uint16 {
	kept := a[:0]
	for _, o := range a {
		for len(b) > 0 && b[0] < o {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == o {
			kept = append(kept, o)
		}
	}
	return kept
}

// Without goes through the keys from whose lists a text is to be taken that is
// forgotten, but for what is left of it: each with the function that makes the
// list without it.
func Without(owner uint32, id uint64, forgotten, left string) iter.Seq2[[]byte, func(list []byte) []byte] {
	stay := slices.Sorted(gramsOf(owner, left))
	offset := uint16(id & (1<<segmentBits - 1))
	without := func(list []byte) []byte {
		kept := make([]byte, 0, len(list))
		for _, o := range decode(list) {
			if o != offset {
				kept = binary.BigEndian.AppendUint16(kept, o)
			}
		}
		return kept
	}
	return func(yield func([]byte, func([]byte) []byte) bool) {
		for _, g := range slices.Compact(slices.Sorted(gramsOf(owner, forgotten))) {
			if _, found := slices.BinarySearch(stay, g); found {
				continue
			}
			if !yield(keyOf(g, id>>segmentBits), without) {
				return
			}
		}
	}
}
