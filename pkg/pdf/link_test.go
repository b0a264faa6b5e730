package pdf

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf/refusal"
	"github.com/vecctl/vecctl/pkg/pdf/scan"
)

func TestLink(t *testing.T) {
	for address, want := range map[string]string{
		"https://certificates.example.edu/v/VEC-1": "https://certificates.example.edu/v/VEC-1",
		"HTTPS://EXAMPLE.EDU/V/A%20B":              "HTTPS://EXAMPLE.EDU/V/A%20B",
		"https://zürich.example/v/1":               "https://xn--zrich-kva.example/v/1",
		"https://ZÜRICH.example:8443/Prüfung/1":    "https://xn--zrich-kva.example:8443/Pr%C3%BCfung/1",
		"https://例え.テスト/証明 書?a=é#ß":                "https://xn--r8jz45g.xn--zckzah/%E8%A8%BC%E6%98%8E%20%E6%9B%B8?a=%C3%A9#%C3%9F",
		"https://example.edu/شهادة":                "https://example.edu/%D8%B4%D9%87%D8%A7%D8%AF%D8%A9",
		"Prüfung 7":                                "Pr%C3%BCfung%207",
	} {
		got, err := Link(address)
		if err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", address, got, err, want)
		}
	}
	if _, err := Link("https://a\u2028b.example/"); err == nil {
		t.Error("a host with a line separator in it is taken")
	}
}

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
