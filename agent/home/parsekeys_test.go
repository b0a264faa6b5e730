package home

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
)

// FuzzSecretsKey holds that what is read of the file of keys is what it says.
func FuzzSecretsKey(f *testing.F) {
	dir := Dir(f.TempDir())
	f.Add(strings.Repeat("ab", secretKeyLength) + " 2026-05-02T12:00:00Z\n" + strings.Repeat("cd", secretKeyLength) + "\n")
	f.Add("\n")
	f.Add(strings.Repeat("AB", secretKeyLength) + "  2026-05-02T12:00:00Z")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := dir.parseSecretKeys(rand.Reader, text)
		if err != nil {
			if !fault.Is(err, fault.Damaged) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		sealed, err := s.Seal("place", "whsec_x")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Open("place", sealed); err != nil || got != "whsec_x" {
			t.Errorf("%q: %q, %v", text, got, err)
		}
		if lines := strings.Count(strings.TrimSpace(text), "\n") + 1; len(s.Keys()) != lines {
			t.Errorf("%d keys in %d lines", len(s.Keys()), lines)
		}
	})
}
