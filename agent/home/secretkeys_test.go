package home_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/fault"
)

var made = time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)

func TestSecrets(t *testing.T) {
	t.Parallel()
	dir := home.Dir(filepath.Join(t.TempDir(), "home"))
	if err := dir.Make(); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.LoadSecretKeys(rand.Reader, made, false); !fault.Is(err, fault.Damaged) {
		t.Error("a key that is missing although it was needed:", err)
	}
	one, err := dir.LoadSecretKeys(rand.Reader, made, true)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := one.Seal("place", "whsec_x")
	if err != nil || bytes.Contains(sealed, []byte("whsec")) {
		t.Fatal(sealed, err)
	}
	again, err := dir.LoadSecretKeys(rand.Reader, made, false)
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
	if _, err := dir.LoadSecretKeys(rand.Reader, made, true); !fault.Is(err, fault.Damaged) {
		t.Error("a damaged key:", err)
	}
}

// A rotation invalidates nothing: what was encrypted before is opened still, after
// a restart too, and can be encrypted anew.
func TestRotatedSecrets(t *testing.T) {
	t.Parallel()
	dir := home.Dir(filepath.Join(t.TempDir(), "home"))
	if err := dir.Make(); err != nil {
		t.Fatal(err)
	}
	// A home that was made before keys had their moments.
	old := strings.Repeat("ab", 32) + "\n"
	if err := os.WriteFile(filepath.Join(dir.Keys(), "secrets.key"), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	first, err := dir.LoadSecretKeys(rand.Reader, made, false)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := first.Seal("place", "whsec_x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Rotate(dir, made); err != nil {
		t.Fatal(err)
	}
	again, err := dir.LoadSecretKeys(rand.Reader, made, false)
	if err != nil {
		t.Fatal(err)
	}
	keys := again.Keys()
	if len(keys) != 2 || !keys[0].Made.Equal(made) || !keys[1].Made.IsZero() || keys[0].ID == keys[1].ID {
		t.Errorf("%+v", keys)
	}
	if got, err := again.Open("place", sealed); err != nil || got != "whsec_x" {
		t.Error(got, err)
	}
	anew, err := again.Reseal("place", sealed)
	if err != nil || bytes.Equal(anew, sealed) {
		t.Fatal("not encrypted anew:", err)
	}
	if _, err := first.Open("place", anew); err == nil {
		t.Error("it is still encrypted with the old key")
	}
	if same, err := again.Reseal("place", anew); err != nil || !bytes.Equal(anew, same) {
		t.Error("encrypted again although it need not be:", err)
	}
	if _, err := again.Reseal("another place", sealed); !fault.Is(err, fault.Damaged) {
		t.Error(err)
	}
}
