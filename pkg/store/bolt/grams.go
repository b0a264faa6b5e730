package bolt

import (
	"cmp"
	"encoding/binary"
	"iter"
	"slices"
	"strings"
)

// The substring index: for each three bytes that occur in a folded text, the
// certificates whose text holds them. IDs only grow, so the index is cut into
// segments of 1,024 IDs and only the newest one is written to: what accepting
// costs does not depend on how many certificates there are. An entry lists
// offsets in its segment, ascending, two bytes each.
const segmentBits = 10

// posting says that a certificate's text holds a gram: an institution and three
// bytes.
type posting struct{ gram, id uint64 }

// gramsOf goes through the grams of a text; line ends separate fields and occur
// in none.
func gramsOf(institution uint32, text string) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for field := range strings.SplitSeq(text, "\n") {
			for i := 0; i+3 <= len(field); i++ {
				three := uint64(field[i])<<16 | uint64(field[i+1])<<8 | uint64(field[i+2])
				if !yield(uint64(institution)<<24 | three) {
					return
				}
			}
		}
	}
}

func gramKey(gram, segment uint64) []byte {
	key := binary.BigEndian.AppendUint32(make([]byte, 0, 11), uint32(gram>>24))
	key = binary.BigEndian.AppendUint32(key, uint32(segment))
	return append(key, byte(gram>>16), byte(gram>>8), byte(gram))
}

// index notes a certificate's text for the substring index.
func (t *txn) index(institution uint32, id uint64, text string) {
	t.writes++
	for g := range gramsOf(institution, text) {
		t.postings = append(t.postings, posting{g, id})
	}
}

func (t *txn) writeGrams() error {
	slices.SortFunc(t.postings, func(a, b posting) int {
		if a.gram != b.gram {
			return cmp.Compare(a.gram, b.gram)
		}
		return cmp.Compare(a.id, b.id)
	})
	rest := slices.Compact(t.postings)
	for len(rest) > 0 {
		first, n := rest[0], 1
		for n < len(rest) && rest[n].gram == first.gram && rest[n].id>>segmentBits == first.id>>segmentBits {
			n++
		}
		if err := t.appendGram(gramKey(first.gram, first.id>>segmentBits), rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

func (t *txn) appendGram(key []byte, more []posting) error {
	list, err := t.gramList(key)
	if err != nil {
		return err
	}
	list = slices.Grow(slices.Clip(list), 2*len(more))
	for _, p := range more {
		list = binary.BigEndian.AppendUint16(list, uint16(p.id&(1<<segmentBits-1)))
	}
	return t.put(grams, key, seal(key, list))
}

// gramList is an entry of the index, nil where there is none.
func (t *txn) gramList(key []byte) ([]byte, error) {
	value := t.get(grams, key)
	if value == nil {
		return nil, nil
	}
	return unseal(key, value)
}

// containing returns the IDs, ascending, of certificates whose text may contain
// a folded term: all that do are among them.
func (t *txn) containing(institution uint32, term string) ([]uint64, error) {
	wanted := slices.Compact(slices.Sorted(gramsOf(institution, term)))
	var found []uint64
	for segment := range t.bucket(certificates).Sequence()>>segmentBits + 1 {
		offsets, err := t.inSegment(wanted, segment)
		if err != nil {
			return nil, err
		}
		for _, o := range offsets {
			found = append(found, segment<<segmentBits|uint64(o))
		}
	}
	return found, nil
}

// inSegment returns the offsets of those that hold all grams.
func (t *txn) inSegment(wanted []uint64, segment uint64) ([]uint16, error) {
	var found []uint16
	for i, g := range wanted {
		list, err := t.gramList(gramKey(g, segment))
		if err != nil {
			return nil, err
		}
		if i == 0 {
			for ; len(list) >= 2; list = list[2:] {
				found = append(found, binary.BigEndian.Uint16(list))
			}
		} else {
			found = intersect(found, list)
		}
		if len(found) == 0 {
			break
		}
	}
	return found, nil
}

// intersect keeps, in place, the offsets that a list holds too; both ascend.
func intersect(offsets []uint16, list []byte) []uint16 {
	kept := offsets[:0]
	for _, o := range offsets {
		for len(list) >= 2 && binary.BigEndian.Uint16(list) < o {
			list = list[2:]
		}
		if len(list) >= 2 && binary.BigEndian.Uint16(list) == o {
			kept = append(kept, o)
		}
	}
	return kept
}
