package open_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/open"
	"github.com/vecctl/vecctl/pkg/vault"
)

// However a file is named, it is the same store.
func TestTheEmbeddedStore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a folder: 100%25", "vault.db")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	urls := []string{path, open.File(path), "file://" + path, "bolt:" + path, "BOLT:" + path}
	for i, url := range urls {
		s, err := open.Store(url, time.Second)
		if err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		if _, err := s.AddInstitution(t.Context(), vault.Institution{Name: "University", TimeZone: "UTC", CreatedAt: time.Now()}); err != nil {
			t.Error(err)
		}
		all, err := s.Institutions(t.Context())
		if err != nil || len(all) != i+1 {
			t.Errorf("%s has %d institutions, %v", url, len(all), err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAHeldStore(t *testing.T) {
	t.Parallel()
	url := open.File(filepath.Join(t.TempDir(), "vault.db"))
	s, err := open.Store(url, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if again, err := open.Store(url, time.Millisecond); !fault.Is(err, fault.Locked) || again != nil {
		t.Errorf("%v, %v", again, err)
	}
}

// An unknown kind is refused without a word of what may be a password.
func TestOtherKindsAreRefused(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"postgres://vault:secret@db/vecctl", "s3://bucket", "", "file:", "bolt://"} {
		s, err := open.Store(url, time.Second)
		message, _ := fault.Message(err)
		if s != nil || !fault.Is(err, fault.Invalid) || !strings.Contains(message, "file:") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, %v", url, s, err)
		}
	}
}
