package home_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/fault"
)

func TestSecrets(t *testing.T) {
	t.Parallel()
	dir := home.Dir(filepath.Join(t.TempDir(), "home"))
	if err := dir.Make(); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Secrets(rand.Reader, false); !fault.Is(err, fault.Damaged) {
		t.Error("a key that is missing although it was needed:", err)
	}
	one, err := dir.Secrets(rand.Reader, true)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := one.Seal("place", "whsec_x")
	if err != nil || bytes.Contains(sealed, []byte("whsec")) {
		t.Fatal(sealed, err)
	}
	again, err := dir.Secrets(rand.Reader, false)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open("place", sealed); err != nil || got != "whsec_x" {
		t.Error(got, err)
	}
	if _, err := again.Open("another place", sealed); !fault.Is(err, fault.Damaged) {
		t.Error("opened in another's place:", err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := again.Open("place", bad); !fault.Is(err, fault.Damaged) {
			t.Fatal("a damaged secret was opened:", err)
		}
	}
	for _, cut := range [][]byte{nil, sealed[:5]} {
		if _, err := again.Open("place", cut); !fault.Is(err, fault.Damaged) {
			t.Error(err)
		}
	}
	key := filepath.Join(dir.Keys(), "secrets.key")
	if info, err := os.Stat(key); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	if err := os.WriteFile(key, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Secrets(rand.Reader, true); !fault.Is(err, fault.Damaged) {
		t.Error("a damaged key:", err)
	}
}
