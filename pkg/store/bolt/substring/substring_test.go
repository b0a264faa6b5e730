package substring_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/store/bolt/substring"
)

// kept is an index with what a store does for it.
type kept map[string][]byte

func (k kept) add(t *testing.T, texts map[uint64]string) {
	t.Helper()
	var p substring.Postings
	for id, text := range texts {
		p.Add(1, id, text)
	}
	var before []byte
	for key, list := range p.Lists() {
		if bytes.Compare(before, key) >= 0 {
			t.Fatalf("key %x comes after %x", key, before)
		}
		before = key
		k[string(key)] = append(k[string(key)], list...)
	}
}

func (k kept) find(owner uint32, term string, last uint64) []uint64 {
	ids, _ := substring.Candidates(owner, term, last, func(key []byte) ([]byte, error) { return k[string(key)], nil })
	return ids
}

// TestCandidates compares with a look at every text, over borders of segments
// and over several additions.
func TestCandidates(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	const last = 5000
	texts, index := map[uint64]string{}, kept{}
	for first := uint64(0); first <= last; first += 250 {
		group := map[uint64]string{}
		for id := first; id < min(first+250, last+1); id++ {
			letters := make([]byte, 1+random.IntN(14))
			for i := range letters {
				letters[i] = "aab\nc"[random.IntN(5)]
			}
			group[id], texts[id] = string(letters), string(letters)
		}
		index.add(t, group)
	}
	for range 300 {
		term := make([]byte, 3+random.IntN(4))
		for i := range term {
			term[i] = "aabc"[random.IntN(4)]
		}
		found := index.find(1, string(term), last)
		if !slices.IsSorted(found) || len(slices.Compact(slices.Clone(found))) != len(found) {
			t.Fatalf("%q: not ascending", term)
		}
		for id, text := range texts {
			_, candidate := slices.BinarySearch(found, id)
			holds := strings.Contains(text, string(term))
			if holds && !candidate {
				t.Fatalf("%q is in %q, number %d, and is not found", term, text, id)
			}
			if len(term) == 3 && candidate && !holds {
				t.Fatalf("%q is found in %q, number %d", term, text, id)
			}
		}
	}
	if found := index.find(2, "aab", last); len(found) != 0 {
		t.Errorf("another owner finds %v", found)
	}
	if found := index.find(1, "xyz", last); len(found) != 0 {
		t.Errorf("what occurs nowhere is found in %v", found)
	}
}

func TestAnErrorOfTheKeeperIsReturned(t *testing.T) {
	broken := errors.New("damaged")
	if ids, err := substring.Candidates(1, "abc", 10, func([]byte) ([]byte, error) { return nil, broken }); !errors.Is(err, broken) || ids != nil {
		t.Errorf("%v, %v", ids, err)
	}
}
