package bolt

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
)

// The substring index: for each three bytes that occur in a folded text, the
// IDs of the certificates whose text holds them, ascending. IDs only grow, so a
// list is only ever appended to; it is cut into chunks of about a kilobyte, each
// under its first ID. A chunk is its last ID and then the differences.

// gram is an institution and three bytes of text.
type gram [7]byte

const fullChunk = 1024

func gramOf(institution uint32, three string) gram {
	var g gram
	binary.BigEndian.PutUint32(g[:], institution)
	copy(g[4:], three)
	return g
}

// gramsOf lists the distinct grams of a text; line ends separate fields and
// occur in none.
func gramsOf(institution uint32, text string) []gram {
	var all []gram
	for field := range strings.SplitSeq(text, "\n") {
		for i := 0; i+3 <= len(field); i++ {
			all = append(all, gramOf(institution, field[i:i+3]))
		}
	}
	slices.SortFunc(all, func(a, b gram) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(all)
}

// index notes a certificate's text for the substring index.
func (t *txn) index(institution uint32, id uint64, text string) {
	t.writes++
	if t.grams == nil {
		t.grams = make(map[gram][]uint64, 4096)
	}
	for _, g := range gramsOf(institution, text) {
		t.grams[g] = append(t.grams[g], id)
	}
}

func (t *txn) writeGrams() error {
	if len(t.grams) == 0 {
		return nil
	}
	keys := make([]gram, 0, len(t.grams))
	for g := range t.grams {
		keys = append(keys, g)
	}
	slices.SortFunc(keys, func(a, b gram) int { return bytes.Compare(a[:], b[:]) })
	for _, g := range keys {
		if err := t.appendGram(g, t.grams[g]); err != nil {
			return err
		}
	}
	return nil
}

func (t *txn) appendGram(g gram, ids []uint64) error {
	key, chunk := t.lastChunk(g)
	for _, id := range ids {
		if len(chunk) == 0 || len(chunk) >= fullChunk {
			if len(chunk) > 0 {
				if err := t.put(grams, key, chunk); err != nil {
					return err
				}
			}
			key, chunk = join(g[:], u64(id)), u64(id)
			continue
		}
		last := binary.BigEndian.Uint64(chunk)
		chunk = binary.AppendUvarint(chunk, id-last)
		binary.BigEndian.PutUint64(chunk, id)
	}
	return t.put(grams, key, chunk)
}

// lastChunk returns copies of the last chunk of a list and its key.
func (t *txn) lastChunk(g gram) (key, chunk []byte) {
	c := t.bucket(grams).Cursor()
	k, v := c.Seek(after(g))
	if k == nil {
		k, v = c.Last()
	} else {
		k, v = c.Prev()
	}
	if !bytes.HasPrefix(k, g[:]) {
		return nil, nil
	}
	return bytes.Clone(k), append(make([]byte, 0, len(v)+64), v...)
}

// after is the first key behind all of a gram's.
func after(g gram) []byte {
	key := bytes.Clone(g[:])
	return append(key, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
}

// chunks counts a list's chunks, as the measure of how common a gram is; beyond
// limit it does not matter any more.
func (t *txn) chunks(g gram, limit int) int {
	c, n := t.bucket(grams).Cursor(), 0
	for k, _ := c.Seek(g[:]); bytes.HasPrefix(k, g[:]) && n < limit; k, _ = c.Next() {
		n++
	}
	return n
}

// list reads a whole list, ascending.
func (t *txn) list(g gram) []uint64 {
	var ids []uint64
	c := t.bucket(grams).Cursor()
	for k, v := c.Seek(g[:]); bytes.HasPrefix(k, g[:]); k, v = c.Next() {
		id := tailID(k)
		ids = append(ids, id)
		for rest := v[8:]; len(rest) > 0; {
			delta, n := binary.Uvarint(rest)
			if n <= 0 {
				break
			}
			id += delta
			ids = append(ids, id)
			rest = rest[n:]
		}
	}
	return ids
}

// verifyBelow is the number of candidates from which reading another list costs
// more than looking at the texts themselves.
const verifyBelow = 256

// containing returns the IDs, ascending, of certificates whose text may contain
// a folded term: all that do are among them.
func (t *txn) containing(institution uint32, term string) []uint64 {
	wanted := gramsOf(institution, term)
	size := make(map[gram]int, len(wanted))
	for _, g := range wanted {
		size[g] = t.chunks(g, 1<<12)
	}
	slices.SortStableFunc(wanted, func(a, b gram) int { return size[a] - size[b] })
	candidates := t.list(wanted[0])
	for _, g := range wanted[1:] {
		if len(candidates) <= verifyBelow {
			break
		}
		candidates = intersect(candidates, t.list(g))
	}
	return candidates
}

// intersect keeps, in place, the elements of a that b holds too; both ascend.
func intersect(a, b []uint64) []uint64 {
	kept := a[:0]
	for _, id := range a {
		for len(b) > 0 && b[0] < id {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == id {
			kept = append(kept, id)
		}
	}
	return kept
}
