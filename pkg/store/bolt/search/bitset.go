package search

import (
	"encoding/binary"
	"iter"
	"math/bits"
)

// Bits is how many bits a place has, and SegmentSize how many places there are.
const (
	SegmentBits = 13
	SegmentSize = 1 << SegmentBits
)

const bitmapBytes = SegmentSize / 8

// Bitset is a set of places.
type Bitset [SegmentSize / 64]uint64

// NewBitset makes a set of places.
func NewBitset(places ...uint16) *Bitset {
	var s Bitset
	for _, p := range places {
		s.Add(p)
	}
	return &s
}

// Add adds a place.
func (s *Bitset) Add(p uint16) { s[p%SegmentSize/64] |= 1 << (p % 64) }

// Remove takes a place out.
func (s *Bitset) Remove(p uint16) { s[p%SegmentSize/64] &^= 1 << (p % 64) }

// RemoveFrom takes a place out, and all that are greater.
func (s *Bitset) RemoveFrom(p uint16) {
	s[p/64] &= 1<<(p%64) - 1
	clear(s[p/64+1:])
}

// And keeps what the other set holds too.
func (s *Bitset) And(other *Bitset) {
	for i := range s {
		s[i] &= other[i]
	}
}

// AndEncoded keeps what a set that Encode made bytes of holds too.
func (s *Bitset) AndEncoded(b []byte) {
	if len(b) == bitmapBytes {
		for i := range s {
			s[i] &= binary.LittleEndian.Uint64(b[8*i:])
		}
		return
	}
	var other Bitset
	other.Decode(b)
	s.And(&other)
}

// AndNot leaves out what the other set holds.
func (s *Bitset) AndNot(other *Bitset) {
	for i := range s {
		s[i] &^= other[i]
	}
}

// Or adds what the other set holds.
func (s *Bitset) Or(other *Bitset) {
	for i := range s {
		s[i] |= other[i]
	}
}

// Len is the number of places held.
func (s *Bitset) Len() int {
	n := 0
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

// Descending goes through the places, the greatest first. What is held may be removed
// meanwhile.
func (s *Bitset) Descending() iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		for i := len(s) - 1; i >= 0; i-- {
			for word := s[i]; word != 0; {
				top := 63 - bits.LeadingZeros64(word)
				word &^= 1 << top
				if !yield(uint16(i*64 + top)) {
					return
				}
			}
		}
	}
}

// Encode makes bytes of a set: two for each place, or a bit where that is shorter.
func (s *Bitset) Encode() []byte {
	if n := s.Len(); 2*n < bitmapBytes {
		places := make([]uint16, n)
		for p := range s.Descending() {
			n--
			places[n] = p
		}
		return EncodePlaces(places)
	}
	out := make([]byte, 0, bitmapBytes)
	for _, word := range s {
		out = binary.LittleEndian.AppendUint64(out, word)
	}
	return out
}

// EncodePlaces is Set.Encode for places that ascend.
func EncodePlaces(places []uint16) []byte {
	if 2*len(places) >= bitmapBytes {
		return NewBitset(places...).Encode()
	}
	out := make([]byte, 0, 2*len(places))
	for _, p := range places {
		out = binary.LittleEndian.AppendUint16(out, p)
	}
	return out
}

// Decode reads what Encode made into the set, in place of what it held.
func (s *Bitset) Decode(b []byte) {
	if len(b) == bitmapBytes {
		for i := range s {
			s[i] = binary.LittleEndian.Uint64(b[8*i:])
		}
		return
	}
	*s = Bitset{}
	for ; len(b) >= 2; b = b[2:] {
		s.Add(binary.LittleEndian.Uint16(b))
	}
}
