package pdf

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf/refusal"
	"github.com/vecctl/vecctl/pkg/pdf/scan"
)

// TestLinkOfOtherScripts reads the code of a link that is not ASCII back.
func TestLinkOfOtherScripts(t *testing.T) {
	original := plainObjects().table("")
	m := testMark()
	m.URL = "https://zürich.example/Prüfung/VEC-1"
	const want = "https://xn--zrich-kva.example/Pr%C3%BCfung/VEC-1"
	tail, err := NewSeal(testSigner()).Tail(source(original), m)
	if err != nil {
		t.Fatal(err)
	}
	whole := slices.Concat(original, tail.Bytes)
	if v := verify(t, whole); v.URL != want {
		t.Errorf("the signature names %s", v.URL)
	}
	if err := scan.Matrix(bytes.NewReader(whole), int64(len(whole)), scan.Place(tail.Place), want); err != nil {
		t.Error(err)
	}
	if _, err := ScanBack(t.Context(), bytes.NewReader(whole), int64(len(whole)), tail.Place, m.URL); err != nil {
		t.Error(err)
	}
	m.URL = "https://\u2028.example/"
	_, err = NewSeal(testSigner()).Tail(source(original), m)
	if r, ok := errors.AsType[*Refusal](err); !ok || r.Reason != refusal.BadMark {
		t.Errorf("%v", err)
	}
}
