package bolt_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(dir string) (store.Store, error) { return bolt.Open(filepath.Join(dir, "vault.db"), time.Second) })
}

// open opens a store and closes it when the test ends.
func open(t testing.TB, path string) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
