package pdf

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf/readback"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

// TestLinkOfOtherScripts reads the code of a link that is not ASCII back.
func TestLinkOfOtherScripts(t *testing.T) {
	original := plainObjects().table("")
	m := testMark()
	m.URL = "https://zürich.example/Prüfung/VEC-1"
	const want = "https://xn--zrich-kva.example/Pr%C3%BCfung/VEC-1"
	tail, err := NewStamper(testSigner()).Stamp(source(original), m)
	if err != nil {
		t.Fatal(err)
	}
	whole := slices.Concat(original, tail.Bytes)
	if v := mustVerify(t, whole); v.URL != want {
		t.Errorf("the signature names %s", v.URL)
	}
	if err := readback.CheckContent(bytes.NewReader(whole), int64(len(whole)), readback.Place(tail.Place), want); err != nil {
		t.Error(err)
	}
	if _, err := ReadBack(t.Context(), bytes.NewReader(whole), int64(len(whole)), tail.Place, m.URL); err != nil {
		t.Error(err)
	}
	m.URL = "https://\u2028.example/"
	_, err = NewStamper(testSigner()).Stamp(source(original), m)
	if r, ok := errors.AsType[*Rejection](err); !ok || r.Reason != reject.BadMark {
		t.Errorf("%v", err)
	}
}
