package service

import (
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/pkg/fault"
)

func at() time.Time { return time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC) }

func TestSecretsLast(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "authority.json")
	ring, err := OpenKeyring(path, rand.Reader, at)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a secret is made before one is needed")
	}
	var work sync.WaitGroup
	drawn := make([]authority.Secret, 8)
	for i := range drawn {
		work.Go(func() { drawn[i], _ = ring.Current() })
	}
	work.Wait()
	first := drawn[0]
	for _, s := range drawn {
		if s.ID != first.ID || len(s.Key) != 32 {
			t.Errorf("two first secrets: %s and %s", first.ID, s.ID)
		}
	}
	second, err := ring.Rotate()
	if err != nil || second == first.ID {
		t.Fatalf("%s, %v", second, err)
	}
	again, err := OpenKeyring(path, rand.Reader, at)
	if err != nil {
		t.Fatal(err)
	}
	now, err := again.Current()
	old, oldErr := again.ByID(first.ID)
	if err != nil || oldErr != nil || now.ID != second || string(old.Key) != string(first.Key) {
		t.Errorf("after a restart: %s %v, %v", now.ID, err, oldErr)
	}
	if keys := again.Keys(); len(keys) != 2 || keys[0] != (KeyInfo{second, at(), true}) || keys[1] != (KeyInfo{first.ID, at(), false}) {
		t.Errorf("%+v", keys)
	}
	if _, err := again.ByID("nothing"); !fault.Is(err, fault.Damaged) {
		t.Errorf("a secret that is missing: %v", err)
	}
}

func TestDamagedSecretsAreNotReplaced(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{", "{}", `{"current":"a","secrets":{}}`, `{"current":"a","secrets":{"a":"%%%"}}`, `{"current":"a","secrets":{"a":"c2hvcnQ="}}`} {
		path := filepath.Join(t.TempDir(), "authority.json")
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := OpenKeyring(path, rand.Reader, at)
		if !fault.Is(err, fault.Damaged) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// FuzzOpen holds that a damaged file is refused, and that every secret of one that is
// taken is long enough.
func FuzzOpen(f *testing.F) {
	path := filepath.Join(f.TempDir(), "authority.json")
	long := base64.StdEncoding.EncodeToString(make([]byte, secretLength))
	f.Add(`{"current":"a","secrets":{"a":"` + long + `"},"made":{"a":"2026-05-02T12:00:00Z"}}`)
	f.Add(`{"current":"","secrets":{"":"` + long + `","b":null}}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, body string) {
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		ring, err := OpenKeyring(path, rand.Reader, at)
		if err != nil {
			if !fault.Is(err, fault.Damaged) || !strings.Contains(err.Error(), path) {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		now, err := ring.Current()
		if err != nil || len(now.Key) < secretLength {
			t.Errorf("%q: %d bytes, %v", body, len(now.Key), err)
		}
		for _, k := range ring.Keys() {
			if s, err := ring.ByID(k.ID); err != nil || len(s.Key) < secretLength {
				t.Errorf("%q: %s has %d bytes, %v", body, k.ID, len(s.Key), err)
			}
		}
	})
}
