package chain_test

import (
	"testing"

	"github.com/vecctl/vecctl/pkg/chain"
	"github.com/vecctl/vecctl/pkg/fault"
)

type note struct{ Text, Before, Hash string }

func TestCheck(t *testing.T) {
	t.Parallel()
	// echo -n '{"Text":"b","Before":"aa","Hash":""}' | sha256sum
	const hash = "609602562e6db62c925ca52d7067be31953e667f42b205eaf86eae347133de9f"
	before, whole := chain.Link{Seq: 1, Hash: "aa"}, chain.Link{Seq: 2, Before: "aa", Hash: hash}
	for _, test := range []struct {
		name   string
		before chain.Link
		entry  chain.Link
		text   string
		want   string
	}{
		{"whole", before, whole, "b", ""},
		{"changed", before, whole, "c", "entry 2 of the list was changed after it was written"},
		{"missing", chain.Link{}, whole, "b", "entry 0 of the list is followed by 2; entries are missing"},
		{"another before", chain.Link{Seq: 1, Hash: "ab"}, whole, "b", "entry 2 of the list does not follow from entry 1; one of them was changed"},
	} {
		err := chain.Check("the list", test.before, test.entry, note{Text: test.text, Before: "aa"})
		message, _ := fault.Message(err)
		if message != test.want || (err != nil) != fault.Is(err, fault.Damaged) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if _, err := chain.Hash(func() {}); err == nil {
		t.Error("what has no JSON has a hash")
	}
}
