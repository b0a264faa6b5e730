package vault

import (
	"strings"
	"testing"
)

func TestSlugOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Northgate Institute":                 "northgate-institute",
		"  École d'Ingénieurs — Lyon 3 ":      "ecole-dingenieurs-lyon-3",
		"Hochschule für Straßenbau":           "hochschule-fur-strassenbau",
		"Łódź":                                "lodz",
		"北京大学":                                "institution-7",
		"2024":                                "institution-7",
		strings.Repeat("very long name ", 10): "very-long-name-very-long-name-very-long",
	} {
		if got := SlugOf(name, 7); got != want || !ValidSlug(got) {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
	for _, bad := range []string{"", "1", "A", "a--b", "-a", "a-", "a/b", "..", strings.Repeat("a", 41)} {
		if ValidSlug(bad) {
			t.Errorf("%q is taken for a slug", bad)
		}
	}
}

func TestFreeSlug(t *testing.T) {
	t.Parallel()
	taken := map[string]bool{"law": true, "law-2": true, strings.Repeat("a", 40): true}
	is := func(s string) bool { return taken[s] }
	if got := FreeSlug("law", is); got != "law-3" {
		t.Errorf("got %q", got)
	}
	if got := FreeSlug(strings.Repeat("a", 40), is); got != strings.Repeat("a", 38)+"-2" || !ValidSlug(got) {
		t.Errorf("got %q", got)
	}
}

func TestSameName(t *testing.T) {
	t.Parallel()
	if !SameName("School  of\u00a0Law ", "school of LAW") || SameName("School of Law", "School of Laws") {
		t.Error("names are compared otherwise than without space and case")
	}
}
