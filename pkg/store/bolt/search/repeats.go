package search

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

const (
	minOccurrences = 64      // texts that hold a repeat
	maxRepeatBytes = 8 << 10 // bytes of repeats, so that a look through them stays short
	maxSetBytes    = 1 << 18 // bytes of their sets
	maxSteps       = 1 << 26 // that looking for them may take: a third of a second
)

// findRepeats finds the repeats of texts in the order of a summary.
func findRepeats(texts []SegmentText) []repeat {
	f := newRepeatFinder(texts)
	for _, group := range f.groups() {
		f.refine(group, 0)
	}
	if f.steps > maxSteps {
		return nil
	}
	slices.SortFunc(f.found, func(a, b repeat) int {
		return cmp.Or(b.count-a.count, len(a.text)-len(b.text), bytes.Compare(a.text, b.text))
	})
	return f.found[:countFitting(f.found)]
}

// countFitting is how many there is room for. Those in as many texts stay together, as
// one of them may be around another.
func countFitting(all []repeat) int {
	text, sets := 0, 0
	for _, r := range all {
		text, sets = text+len(r.text)+1, sets+len(r.set)
		if text > maxRepeatBytes || sets > maxSetBytes {
			return slices.IndexFunc(all, func(other repeat) bool { return other.count == r.count })
		}
	}
	return len(all)
}

// repeat is a text that is in many.
type repeat struct {
	text  []byte
	set   []byte // encoded
	count int    // of texts
}

// occurrence is where a text is in the body, and whose it is.
type occurrence struct {
	at    uint32
	place uint16
}

// repeatFinder is the search for what texts have in common: where a text occurs is split
// by the byte that follows, again and again, for as long as there are many.
type repeatFinder struct {
	texts []SegmentText
	body  []byte // all texts; a line's end before the first and behind each
	spare []occurrence
	steps int
	found []repeat
}

func newRepeatFinder(texts []SegmentText) *repeatFinder {
	size := 1
	for _, t := range texts {
		size += len(t.Text) + 1
	}
	f := &repeatFinder{texts: texts, body: append(make([]byte, 0, size), '\n')}
	for _, t := range texts {
		f.body = append(append(f.body, t.Text...), '\n')
	}
	return f
}

// starts goes through all places of four bytes of a line.
func (f *repeatFinder) starts(yield func(occurrence)) {
	at := 1
	for _, t := range f.texts {
		next := at + len(t.Text) + 1
		for ; at+bloomGramSize < next; at++ {
			if bytes.IndexByte(f.body[at:at+bloomGramSize], '\n') < 0 {
				yield(occurrence{uint32(at), t.Place})
			}
		}
		at = next
	}
}

// groups gathers what begins alike, and is common. Something else may be in a group.
func (f *repeatFinder) groups() (groups [][]occurrence) {
	const bits = 16
	hash := func(o occurrence) uint32 {
		return binary.LittleEndian.Uint32(f.body[o.at:]) * 2654435761 >> (32 - bits)
	}
	counts := make([]int, 1<<bits)
	f.starts(func(o occurrence) { counts[hash(o)]++ })
	all, most := 0, 0
	for _, n := range counts {
		if n >= minOccurrences {
			all, most = all+n, max(most, n)
		}
	}
	f.spare = make([]occurrence, most)
	room, gathered := make([]occurrence, all), make([][]occurrence, 1<<bits)
	for h, n := range counts {
		if n >= minOccurrences {
			gathered[h], room = room[:0:n], room[n:]
		}
	}
	f.starts(func(o occurrence) {
		if h := hash(o); counts[h] >= minOccurrences {
			gathered[h] = append(gathered[h], o)
		}
	})
	return slices.DeleteFunc(gathered, func(group []occurrence) bool { return group == nil })
}

// refine finds what is common in a group, whose members are alike for a number of
// bytes.
func (f *repeatFinder) refine(group []occurrence, alike int) {
	if f.steps += len(group); f.steps > maxSteps || countPlaces(group) < minOccurrences || f.extendsLeft(group) {
		return
	}
	for f.extendsRight(group, alike) {
		f.steps += len(group)
		alike++
	}
	if alike >= bloomGramSize {
		f.keep(group, alike)
	}
	for _, next := range f.split(group, alike) {
		f.refine(next, alike+1)
	}
}

// extendsLeft reports whether the same byte comes before each.
func (f *repeatFinder) extendsLeft(group []occurrence) bool {
	first := f.body[group[0].at-1]
	return first != '\n' && !slices.ContainsFunc(group, func(o occurrence) bool { return f.body[o.at-1] != first })
}

// extendsRight reports whether the same byte comes next.
func (f *repeatFinder) extendsRight(group []occurrence, alike int) bool {
	next := f.body[group[0].at+uint32(alike)]
	return next != '\n' && !slices.ContainsFunc(group, func(o occurrence) bool { return f.body[o.at+uint32(alike)] != next })
}

// split sorts a group by the byte that comes next. Those that end are left out.
func (f *repeatFinder) split(group []occurrence, alike int) (groups [][]occurrence) {
	var ends [257]int
	for _, o := range group {
		ends[int(f.body[o.at+uint32(alike)])+1]++
	}
	for i := range 256 {
		ends[i+1] += ends[i]
	}
	begins, spare := ends, f.spare[:len(group)]
	copy(spare, group)
	for _, o := range spare {
		next := f.body[o.at+uint32(alike)]
		group[begins[next]] = o
		begins[next]++
	}
	for i := range 256 {
		if part := group[ends[i]:ends[i+1]]; i != '\n' && len(part) >= minOccurrences {
			groups = append(groups, part)
		}
	}
	return groups
}

// keep keeps what the members of a group have in common.
func (f *repeatFinder) keep(group []occurrence, alike int) {
	var held Bitset
	for _, o := range group {
		held.Add(o.place)
	}
	at := group[0].at
	f.found = append(f.found, repeat{f.body[at : at+uint32(alike)], held.Encode(), held.Len()})
}

// countPlaces counts the texts of a group.
func countPlaces(group []occurrence) (n int) {
	for i, o := range group {
		if i == 0 || o.place != group[i-1].place {
			n++
		}
	}
	return n
}
