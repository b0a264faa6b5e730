package hashchain_test

import (
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/hashchain"
)

type note struct{ Text, Before, Hash string }

func TestCheck(t *testing.T) {
	t.Parallel()
	// echo -n '{"Text":"b","Before":"aa","Hash":""}' | sha256sum
	const hash = "609602562e6db62c925ca52d7067be31953e667f42b205eaf86eae347133de9f"
	before, whole := hashchain.Entry{Seq: 1, Hash: "aa"}, hashchain.Entry{Seq: 2, PrevHash: "aa", Hash: hash}
	for _, test := range []struct {
		name   string
		before hashchain.Entry
		entry  hashchain.Entry
		text   string
		want   string
	}{
		{"whole", before, whole, "b", ""},
		{"changed", before, whole, "c", "entry 2 of the list was changed after it was written"},
		{"missing", hashchain.Entry{}, whole, "b", "entry 0 of the list is followed by 2; entries are missing"},
		{"another before", hashchain.Entry{Seq: 1, Hash: "ab"}, whole, "b", "entry 2 of the list does not follow from entry 1; one of them was changed"},
	} {
		err := hashchain.Verify("the list", test.before, test.entry, note{Text: test.text, Before: "aa"})
		message, _ := fault.Message(err)
		if message != test.want || (err != nil) != fault.Is(err, fault.Damaged) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if _, err := hashchain.Hash(func() {}); err == nil {
		t.Error("what has no JSON has a hash")
	}
}
