package bolt_test

import (
	"path/filepath"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
)

// A part of the program cannot reach into the store's own buckets through its rows.
func TestTablesOfTheStoreItself(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "vault.db"))
	for _, table := range []string{"certificates", "meta", "acts", "by_key"} {
		if _, err := s.Rows("free", table); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", table, err)
		}
	}
}
