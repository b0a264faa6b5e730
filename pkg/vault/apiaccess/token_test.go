package apiaccess

import (
	"crypto/rand"
	"testing"
	"time"
)

// TestTokenNames refuses names that read as others.
func TestTokenNames(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{"lms": true, "Żółw": true, "": false, "l\u202ems": false, "l\u2066ms": false, "l\u200fms": false, "l\x00ms": false} {
		_, _, err := NewToken(rand.Reader, Token{Institution: 1, Name: name, Permissions: []Permission{MayList}}, time.Now())
		if (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}
