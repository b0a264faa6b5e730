package transparency_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/vecctl/vecctl/pkg/transparency"
)

// stored keeps hashes as a store does.
type stored struct{ hashes []transparency.Hash }

func (s *stored) ReadHashes(indexes []int64) ([]transparency.Hash, error) {
	out := make([]transparency.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s.hashes)) {
			return nil, fmt.Errorf("hash %d is not stored", index)
		}
		out[i] = s.hashes[index]
	}
	return out, nil
}

func (s *stored) grow(t *testing.T, size int64, entries ...[]byte) *transparency.Growth {
	t.Helper()
	g, err := transparency.Grow(size, entries, s)
	if err != nil {
		t.Fatal(err)
	}
	first, hashes := g.New()
	if first != int64(len(s.hashes)) {
		t.Fatalf("the new hashes of size %d begin at %d, %d are stored", size, first, len(s.hashes))
	}
	s.hashes = append(s.hashes, hashes...)
	return g
}

func random() *rand.ChaCha8 { return rand.NewChaCha8([32]byte{1}) }

func newKey(t *testing.T, institution string) *transparency.Key {
	t.Helper()
	k, err := transparency.NewKey(random(), institution)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A tree that grows in groups is the tree that grows at once, and every entry is proven at
// every size.
func TestGrowth(t *testing.T) {
	var entries [][]byte
	for i := range 70 {
		entries = append(entries, []byte{byte(i)})
	}
	var whole stored
	want := whole.grow(t, 0, entries...).Root
	var s stored
	size := int64(0)
	for _, n := range []int{1, 0, 2, 5, 31, 1, 30} {
		g := s.grow(t, size, entries[size:size+int64(n)]...)
		size += int64(n)
		if g.Size != size {
			t.Fatalf("size %d, want %d", g.Size, size)
		}
		for i := range size {
			proof, err := transparency.Prove(size, i, g)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckRecord(proof, size, g.Root, i, tlog.RecordHash(entries[i])); err != nil {
				t.Errorf("entry %d of %d: %v", i, size, err)
			}
		}
		if size == 70 && g.Root != want {
			t.Error("the roots differ")
		}
	}
}

func TestKey(t *testing.T) {
	k := newKey(t, "  Université d'Été + Sciences ")
	if !strings.HasPrefix(k.Origin(), "université-d-été-sciences/log/") || strings.ContainsAny(k.Origin(), " +") {
		t.Errorf("the origin is %q", k.Origin())
	}
	again, err := transparency.ParseKey(k.String() + "\n")
	if err != nil || again.Public() != k.Public() {
		t.Errorf("the key does not survive: %v", err)
	}
	for _, bad := range []string{"", "x", "PRIVATE+KEY+a+b+c", k.Public(), k.String()[:len(k.String())-2]} {
		if _, err := transparency.ParseKey(bad); err == nil {
			t.Errorf("%q is taken for a key", bad)
		}
	}
	for _, name := range []string{"", "+++", strings.Repeat("very long name ", 20)} {
		if origin := newKey(t, name).Origin(); len(origin) > 80 || strings.HasPrefix(origin, "/") {
			t.Errorf("the origin of %q is %q", name, origin)
		}
	}
}

func TestProof(t *testing.T) {
	k := newKey(t, "University")
	signed := sha256.Sum256([]byte("a document"))
	salt := transparency.Salt{7}
	entry := transparency.CertificateEntry(salt, signed)
	var s stored
	g := s.grow(t, 0, []byte("another"), entry, []byte("a third"))
	hashes, err := transparency.Prove(g.Size, 1, g)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err := k.Sign(g.Size, g.Root)
	if err != nil {
		t.Fatal(err)
	}
	text := transparency.FormatProof(1, salt, hashes, checkpoint)
	proof, err := transparency.CheckProof(text, k.Public(), signed)
	if err != nil || proof.Index != 1 || proof.Checkpoint.Size != 3 || proof.Checkpoint.Origin != k.Origin() {
		t.Fatalf("%+v, %v", proof, err)
	}
	if c, err := transparency.OpenCheckpoint(checkpoint, k.Public()); err != nil || c != proof.Checkpoint {
		t.Errorf("checkpoint %+v, %v", c, err)
	}
	other, err := transparency.NewKey(rand.NewChaCha8([32]byte{2}), "University")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text   []byte
		public string
		signed [32]byte
		want   error
	}{
		"another document": {text, k.Public(), sha256.Sum256([]byte("forged")), transparency.ErrProofObject},
		"another log":      {text, other.Public(), signed, transparency.ErrProofKey},
		"another salt":     {transparency.FormatProof(1, transparency.Salt{8}, hashes, checkpoint), k.Public(), signed, transparency.ErrProofObject},
		"another index":    {transparency.FormatProof(0, salt, hashes, checkpoint), k.Public(), signed, transparency.ErrProofObject},
		"no hashes":        {transparency.FormatProof(1, salt, nil, checkpoint), k.Public(), signed, transparency.ErrProofObject},
		"no proof":         {nil, k.Public(), signed, transparency.ErrProofForm},
		"cut":              {text[:60], k.Public(), signed, transparency.ErrProofForm},
		"no checkpoint":    {transparency.FormatProof(1, salt, hashes, nil), k.Public(), signed, transparency.ErrProofKey},
	} {
		if _, err := transparency.CheckProof(c.text, c.public, c.signed); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := transparency.CheckProof(text, "nonsense", signed); err == nil {
		t.Error("a proof holds under a key that cannot be read")
	}
}

func FuzzProof(f *testing.F) {
	k, err := transparency.NewKey(random(), "University")
	if err != nil {
		f.Fatal(err)
	}
	signed := sha256.Sum256([]byte("a document"))
	entry := transparency.CertificateEntry(transparency.Salt{1}, signed)
	checkpoint, err := k.Sign(1, tlog.RecordHash(entry))
	if err != nil {
		f.Fatal(err)
	}
	good := transparency.FormatProof(0, transparency.Salt{1}, nil, checkpoint)
	f.Add(good)
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := transparency.CheckProof(text, k.Public(), signed)
		if err == nil && (p.Index != 0 || p.Checkpoint.Size != 1) {
			t.Fatalf("%q proves entry %d of %d", text, p.Index, p.Checkpoint.Size)
		}
	})
}
