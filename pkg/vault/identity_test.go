package vault_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"

	"github.com/vecctl/vecctl/pkg/vault"
)

func TestIdentityHasItsForm(t *testing.T) {
	moment := time.UnixMilli(0x0123456789ab).UTC()
	id, err := vault.NewIdentity(bytes.NewReader(bytes.Repeat([]byte{0xff}, 37)), moment, 2026)
	if err != nil {
		t.Fatal(err)
	}
	if want := "01234567-89ab-7fff-bfff-ffffffffffff"; id.UUID != want {
		t.Errorf("UUID %s, want %s", id.UUID, want)
	}
	if want := "VEC-IC-2026FFFFFFFFFFFFF"; id.Reference != want {
		t.Errorf("reference %s, want %s", id.Reference, want)
	}
	if want := strings.Repeat("7", 32); id.ShareToken != want {
		t.Errorf("share token %s, want %s", id.ShareToken, want)
	}
	id, err = vault.NewIdentity(bytes.NewReader(make([]byte, 37)), moment, 987)
	if err != nil || id.UUID != "01234567-89ab-7000-8000-000000000000" || id.Reference != "VEC-IC-09870000000000000" {
		t.Errorf("of zeros: %+v, %v", id, err)
	}
}

func TestIdentitiesDiffer(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	form := regexp.MustCompile(`^VEC-IC-2026[0-9A-F]{13}$`)
	share := regexp.MustCompile(`^[a-z2-7]{32}$`)
	seen := map[string]bool{}
	for range 5000 {
		id, err := vault.NewIdentity(random, born, 2026)
		if err != nil {
			t.Fatal(err)
		}
		if seen[id.UUID] || seen[id.Reference] || seen[id.ShareToken] {
			t.Fatalf("%+v was drawn twice", id)
		}
		seen[id.UUID], seen[id.Reference], seen[id.ShareToken] = true, true, true
		parsed, err := uuid.Parse(id.UUID)
		if err != nil || parsed.Version() != 7 || parsed.Variant() != uuid.RFC4122 {
			t.Fatalf("%s is no UUID of version 7: %v", id.UUID, err)
		}
		if sec, nsec := parsed.Time().UnixTime(); !time.Unix(sec, nsec).Equal(born) {
			t.Fatalf("%s tells the time %s", id.UUID, time.Unix(sec, nsec))
		}
		if !form.MatchString(id.Reference) || !share.MatchString(id.ShareToken) || !vault.IsReference(id.Reference) {
			t.Fatalf("%s or %s has not its form", id.Reference, id.ShareToken)
		}
	}
}

func TestNoRandomnessIsAnError(t *testing.T) {
	broken := errors.New("no entropy")
	for _, n := range []int64{0, 5, 10, 16, 17, 36} {
		source := io.MultiReader(io.LimitReader(rand.NewChaCha8([32]byte{}), n), iotest.ErrReader(broken))
		if id, err := vault.NewIdentity(source, born, 2026); !errors.Is(err, broken) || id != (vault.Identity{}) {
			t.Errorf("after %d bytes: %+v, %v", n, id, err)
		}
	}
}

func TestIsReference(t *testing.T) {
	const good = "VEC-IC-20260123456789ABC"
	for _, s := range []string{good, strings.ToLower(good), "vec-IC-2026FFFFFFFFFFFFF"} {
		if !vault.IsReference(s) {
			t.Errorf("%q is none", s)
		}
	}
	for _, s := range []string{"", "VEC-IC-", good[:23], good + "0", " " + good[1:], "VEC-ID-20260123456789ABC", "VEC-IC-20260123456789ABG",
		"VEC_IC-20260123456789ABC", "VEC-IC-2026 123456789ABC", "VEC-IC-20260123456789A\u00e9"} {
		if vault.IsReference(s) {
			t.Errorf("%q is one", s)
		}
	}
}
