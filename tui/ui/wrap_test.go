package ui

import "testing"

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text        string
		width, hang int
		want        string
	}{
		{"one two three", 0, 0, "one two three"},
		{"one two three", 13, 0, "one two three"},
		{"one two three", 12, 0, "one two\nthree"},
		{"wrong  it cannot be reached\n       mend: see to it", 20, 7, "wrong  it cannot be\n       reached\n       mend: see to\n       it"},
		// What is copied stays whole, and nothing is left alone before it.
		{"wrong  https://certificates.example.edu is not there", 20, 7, "wrong  https://certificates.example.edu\n       is not there"},
		{"Łódź ążę óśł", 8, 2, "Łódź ążę\n  óśł"},
		{"김서 연이", 6, 0, "김서\n연이"},
		{"a\n\nb", 1, 0, "a\n\nb"},
	} {
		if got := WrapText(c.text, c.width, c.hang); got != c.want {
			t.Errorf("%q at %d: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}
