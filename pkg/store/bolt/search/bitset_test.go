package search_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vecctl/vecctl/pkg/store/bolt/search"
)

// TestSet compares with a map, with few places and with many.
func TestSet(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 5, 300, 511, 512, 513, 4000, search.SegmentSize} {
		var s, half search.Bitset
		truth := map[uint16]bool{}
		for _, p := range random.Perm(search.SegmentSize)[:n] {
			s.Add(uint16(p))
			truth[uint16(p)] = true
			if p%2 == 0 {
				half.Add(uint16(p))
			}
		}
		var places []uint16
		for p := range s.Descending() {
			if !truth[p] || len(places) > 0 && places[len(places)-1] <= p {
				t.Fatalf("%d of %d places: %d after %v", len(places), n, p, places)
			}
			places = append(places, p)
		}
		if len(places) != n || s.Len() != n {
			t.Errorf("%d places, %d long, want %d", len(places), s.Len(), n)
		}
		var back search.Bitset
		back.Add(7)
		back.Decode(s.Encode())
		slices.Reverse(places)
		if back != s || !slices.Equal(search.EncodePlaces(places), s.Encode()) {
			t.Errorf("%d places do not come back", n)
		}
		if len(s.Encode()) > search.SegmentSize/8 {
			t.Errorf("%d places take %d bytes", n, len(s.Encode()))
		}
		odd := s
		for p := range half.Descending() {
			odd.Remove(p)
		}
		both := half
		both.Or(&odd)
		if both != s {
			t.Errorf("%d places: the halves together are another set", n)
		}
		cut := s
		if cut.AndEncoded(half.Encode()); cut != half {
			t.Errorf("%d places: cut with the bytes of a half, not that half", n)
		}
		if both.And(&half); both != half {
			t.Errorf("%d places: cut with a half, not that half", n)
		}
	}
}
