// Package substring finds the texts of a segment in which a term occurs. For each
// piece of one to three bytes a set says which texts hold it, so terms of up to three
// bytes are answered by one set, and longer ones by the texts that hold all of their
// pieces, each of which is then looked into. A segment is indexed once, when it is
// full.
//
// The package makes keys and values; whoever uses it keeps them.
package substring

import (
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
	places := map[piece][]uint16{}
	for _, t := range texts {
		for line := range strings.SplitSeq(t.Text, "\n") {
			for i := range len(line) {
				for n := 1; n <= min(longest, len(line)-i); n++ {
					p := pieceOf(t.Owner, line[i:i+n])
					held := places[p]
					if len(held) == 0 || held[len(held)-1] != t.Place {
						places[p] = append(held, t.Place)
					}
				}
			}
		}
	}
	return func(yield func([]byte, []byte) bool) {
		for _, p := range slices.Sorted(maps.Keys(places)) {
			if !yield(p.key(), set.Encode(places[p])) {
				return
			}
		}
	}
}

// Pieces lists the keys of a term's pieces: a text that holds the term is in the
// sets of all of them. When exact is true no other is.
func Pieces(owner uint32, term string) (keys [][]byte, exact bool) {
	if len(term) <= longest {
		return [][]byte{pieceOf(owner, term).key()}, true
	}
	seen := map[piece]bool{}
	for i := 0; i+longest <= len(term); i++ {
		if p := pieceOf(owner, term[i:i+longest]); !seen[p] {
			seen[p] = true
			keys = append(keys, p.key())
		}
	}
	return keys, false
}
