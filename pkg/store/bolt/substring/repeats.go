package substring

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"iter"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/store/bolt/set"
)

// Repeats are what many of a segment's texts have in common: what cannot be made longer
// without being in fewer places. Each ends with a line's end. Those in the most texts come
// first, and of those in as many, the shortest. Before them stands a sieve, which
// tells quickly of most terms that they are inside of none.
//
// Around a term, wherever it occurs, is the longest text that is there each time.
// If the term is inside of any repeat, then that text is a repeat too, is in the
// same texts as the term, and comes before all other repeats that the term is inside
// of. So the first that holds a term names the very set of texts that hold it,
// however many they are. That is so for terms that are longer than the longest pieces.
type Repeats []byte

const (
	leastCommon  = 64      // texts that hold a repeat
	mostRepeated = 8 << 10 // bytes of repeats, so that a look through them stays short
	mostSets     = 1 << 18 // bytes of their sets
	mostSteps    = 1 << 26 // that looking for them may take: a third of a second
)

// Common finds the repeats of texts whose places ascend, with the set of places of
// each, encoded. Where there are too many, those in the fewest texts are left out;
// where looking for them takes too long, all.
func Common(texts []Text) (repeats Repeats, sets [][]byte) {
	f := newFinding(texts)
	for _, group := range f.groups() {
		f.refine(group, 0)
	}
	if f.steps > mostSteps {
		return nil, nil
	}
	slices.SortFunc(f.found, func(a, b repeat) int {
		return cmp.Or(b.count-a.count, len(a.text)-len(b.text), bytes.Compare(a.text, b.text))
	})
	var lines []byte
	for _, r := range f.found[:fitting(f.found)] {
		lines, sets = append(append(lines, r.text...), '\n'), append(sets, r.set)
	}
	return repeatsOf(lines), sets
}

// sieveBytes is the size of a sieve. It has a bit for what each four bytes that are in
// a line one behind the other are hashed to.
const sieveBytes = set.Size / 8

func sieveBit(b []byte) (at int, bit byte) {
	h := binary.LittleEndian.Uint32(b) * 2654435761 >> (32 - set.Bits)
	return int(h / 8), 1 << (h % 8)
}

func repeatsOf(lines []byte) Repeats {
	r := append(make(Repeats, sieveBytes, sieveBytes+len(lines)), lines...)
	for i := range max(len(lines)-longest, 0) {
		at, bit := sieveBit(lines[i:])
		r[at] |= bit
	}
	return r
}

func (r Repeats) lines() []byte { return r[min(sieveBytes, len(r)):] }

// fitting is how many there is room for. Those in as many texts stay together, as
// one of them may be around another.
func fitting(all []repeat) int {
	text, sets := 0, 0
	for i, r := range all {
		text, sets = text+len(r.text)+1, sets+len(r.set)
		if text > mostRepeated || sets > mostSets {
			return slices.IndexFunc(all, func(other repeat) bool { return other.count == all[i].count })
		}
	}
	return len(all)
}

// Around returns the number of the first repeat that holds a term.
func (r Repeats) Around(term []byte) (n int, found bool) {
	if len(r) <= sieveBytes || len(term) <= longest {
		return 0, false
	}
	for i := range len(term) - longest {
		if at, bit := sieveBit(term[i:]); r[at]&bit == 0 {
			return 0, false
		}
	}
	before, _, found := bytes.Cut(r.lines(), term)
	return bytes.Count(before, []byte("\n")), found
}

// Lost goes through the numbers of the repeats that a text holds and another does
// not.
func (r Repeats) Lost(text, left string) iter.Seq[int] {
	return func(yield func(int) bool) {
		for n, line := range strings.Split(string(r.lines()), "\n") {
			if line != "" && strings.Contains(text, line) && !strings.Contains(left, line) && !yield(n) {
				return
			}
		}
	}
}

// Without returns the repeats with an empty one in place of one that no text holds any
// more.
func (r Repeats) Without(n int) Repeats {
	lines := bytes.Split(r.lines(), []byte("\n"))
	lines[n] = nil
	return repeatsOf(bytes.Join(lines, []byte("\n")))
}
