package search_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/store/bolt/search"
)

// kept is an indexed segment with what a store does for it.
type kept struct {
	sets    map[string]*search.Bitset
	columns []search.Column
}

func index(t *testing.T, texts []search.SegmentText) kept {
	t.Helper()
	k := kept{map[string]*search.Bitset{}, search.NewColumns(texts)}
	var before []byte
	for key, places := range search.IndexNgrams(texts) {
		if bytes.Compare(before, key) >= 0 {
			t.Fatalf("key %x comes after %x", key, before)
		}
		before = key
		k.sets[string(key)] = &search.Bitset{}
		k.sets[string(key)].Decode(places)
	}
	return k
}

func (k kept) column(n int) (search.Column, error) {
	if n < len(k.columns) {
		return k.columns[n], nil
	}
	return nil, nil
}

// find returns the texts that hold a term.
func (k kept) find(t *testing.T, owner uint32, term string) (found *search.Bitset) {
	t.Helper()
	for _, key := range search.TermNgrams(owner, term) {
		held := k.sets[string(key)]
		if held == nil {
			held = &search.Bitset{}
		}
		if found == nil {
			found = held
			continue
		}
		cut := *found
		cut.And(held)
		found = &cut
	}
	if search.IsNgram(term) {
		return found
	}
	certain := *found
	if err := search.NewFinder(term).Filter(&certain, k.column); err != nil {
		t.Fatal(err)
	}
	return &certain
}

// TestSearch compares with a look at every text.
func TestSearch(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	texts := make([]search.SegmentText, 0, search.SegmentSize)
	for place := range search.SegmentSize {
		letters := make([]byte, random.IntN(14))
		for i := range letters {
			letters[i] = "aab\nc\x00\xff"[random.IntN(7)]
		}
		if random.IntN(50) > 0 { // some places stay empty
			texts = append(texts, search.SegmentText{Owner: 1 + uint32(random.IntN(5)/4), Place: uint16(place), Text: string(letters)})
		}
	}
	k := index(t, texts)
	for range 400 {
		term := make([]byte, 1+random.IntN(6))
		for i := range term {
			term[i] = "aabc\x00\xff"[random.IntN(6)]
		}
		for owner := range uint32(4) {
			found := k.find(t, owner, string(term))
			want := search.Bitset{}
			for _, one := range texts {
				if one.Owner == owner && strings.Contains(one.Text, string(term)) {
					want.Add(one.Place)
				}
			}
			if *found != want {
				t.Fatalf("%q of owner %d: %d found, want %d", term, owner, found.Len(), want.Len())
			}
		}
	}
}

func TestAColumnThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	broken := errors.New("damaged")
	f := search.NewFinder("abcd")
	if err := f.Filter(search.NewBitset(1), func(int) (search.Column, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// TestRepeatsNameTheVerySets asks for all that can be cut out of texts, and of some that
// lost a line.
func TestRepeatsNameTheVerySets(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 8))
		parts := []string{"ab", "aab", "abcabcab", "\n", "c", "\xc5\x82", "a long part that is the same ", "the same"}
		texts := make([]search.SegmentText, 700)
		for i := range texts {
			var text strings.Builder
			for range random.IntN(6) {
				text.WriteString(parts[random.IntN(len(parts))])
			}
			texts[i] = search.SegmentText{Place: uint16(3 * i), Text: text.String()}
		}
		summary, sets := search.NewSummary(texts)
		for i := range texts { // as erasure does
			if random.IntN(10) > 0 {
				continue
			}
			lines := strings.Split(texts[i].Text, "\n")
			lines[random.IntN(len(lines))] = ""
			left := strings.Join(lines, "\n")
			for n := range summary.LostRepeats(texts[i].Text, left) {
				var held search.Bitset
				held.Decode(sets[n])
				held.Remove(texts[i].Place)
				sets[n] = held.Encode()
			}
			texts[i].Text = left
		}
		repeatsAreExact(t, random, texts, summary, sets)
	}
}

func repeatsAreExact(t *testing.T, random *rand.Rand, texts []search.SegmentText, summary search.Summary, sets [][]byte) {
	t.Helper()
	known := 0
	for range 400 {
		term := texts[random.IntN(len(texts))].Text
		from := random.IntN(len(term) + 1)
		term, _, _ = strings.Cut(term[from:min(len(term), from+random.IntN(30))], "\n")
		if search.IsNgram(term) {
			continue
		}
		n, found := summary.RepeatWith([]byte(term))
		if !found {
			continue
		}
		known++
		if summary.Lacks([]byte(term)) {
			t.Fatalf("%q is said to be in no text", term)
		}
		var held, want search.Bitset
		held.Decode(sets[n])
		for _, one := range texts {
			if strings.Contains(one.Text, term) {
				want.Add(one.Place)
			}
		}
		if held != want {
			t.Fatalf("%q: %d places, want %d", term, held.Len(), want.Len())
		}
	}
	if known < 50 {
		t.Errorf("only %d terms were known", known)
	}
}
