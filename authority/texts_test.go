package authority

import "testing"

// TestUnseenCharacters refuses characters in public texts that cannot be seen and let them
// read as others.
func TestUnseenCharacters(t *testing.T) {
	t.Parallel()
	for _, hidden := range []string{"\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2069", "\u200e", "\u200f", "\u061c", "\n", "\x00"} {
		text := "Shop " + hidden + "evil"
		if _, err := (Claim{Domain: "example.com", Project: text}).check("1.0.0"); err == nil {
			t.Errorf("%q is taken for a project's name", text)
		}
		if err := checkReason(text); err == nil {
			t.Errorf("%q is taken for a reason", text)
		}
	}
	if err := checkReason("Zażółć gęślą jaźń"); err != nil {
		t.Error(err)
	}
}
