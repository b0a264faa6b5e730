package audit

import (
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

func TestWhatWasChangedIsFound(t *testing.T) {
	t.Parallel()
	var list []Entry
	var last Entry
	for _, what := range []string{"POST /a", "POST /b", "POST /c"} {
		next, err := last.Next(Action{Actor: "staff", Request: what, RemoteAddr: "local"}, time.Date(2026, 5, 2, 10, 0, 0, 123, time.FixedZone("", 3600)))
		if err != nil {
			t.Fatal(err)
		}
		list, last = append(list, next), next
	}
	// Lists that are kept stay valid: the layout of an entry's JSON is part of them.
	if got := last.Hash; got != "372b540bb12e68f7a94076f45063a500609f73d46f1ebc0c090a70277ced126a" {
		t.Errorf("the last hash is %s", got)
	}
	judge := func(list []Entry) error {
		var before Entry
		for _, e := range list {
			if err := e.VerifyAfter(before); err != nil {
				return err
			}
			before = e
		}
		return nil
	}
	if err := judge(list); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func([]Entry) []Entry{
		"who":       func(l []Entry) []Entry { l[1].Actor = "x"; return l },
		"what":      func(l []Entry) []Entry { l[0].Request = "x"; return l },
		"when":      func(l []Entry) []Entry { l[2].At = l[2].At.Add(1); return l },
		"from":      func(l []Entry) []Entry { l[2].RemoteAddr = "x"; return l },
		"which":     func(l []Entry) []Entry { l[2].Object = "x"; return l },
		"whom":      func(l []Entry) []Entry { l[0].Person = "x"; return l },
		"hash":      func(l []Entry) []Entry { l[0].Hash = l[1].Hash; return l },
		"removed":   func(l []Entry) []Entry { return append(l[:1], l[2:]...) },
		"beheaded":  func(l []Entry) []Entry { return l[1:] },
		"exchanged": func(l []Entry) []Entry { l[1], l[2] = l[2], l[1]; return l },
	} {
		if err := judge(change(append([]Entry{}, list...))); !fault.Is(err, fault.Damaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
