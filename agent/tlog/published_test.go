package tlog

import (
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
)

func TestForksAreKept(t *testing.T) {
	f := NewForks(false)
	if found := f.Find(t.Context(), "a"); found != "" {
		t.Errorf("of a log that nobody knows %q is said", found)
	}
	if err := f.note("a", "it was copied"); !fault.Is(err, fault.Conflict) {
		t.Errorf("a fork is %v", err)
	}
	if found := f.Find(t.Context(), "a"); found != "it was copied" {
		t.Errorf("of a forked log %q is said", found)
	}
	if f.Forget("a"); f.Find(t.Context(), "a") != "" {
		t.Error("what staff decided is not forgotten")
	}
	waiting := NewForks(true)
	go waiting.Done()
	if found := waiting.Find(t.Context(), "a"); found != "" {
		t.Errorf("after the comparison %q is said", found)
	}
}
