package pdf

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf/cms"
	"github.com/vecctl/vecctl/pkg/transparency"
)

func testLogKey(t testing.TB, seed byte) *transparency.Key {
	t.Helper()
	k, err := transparency.NewKey(rand.NewChaCha8([32]byte{seed}), "University")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// prove makes the proof of an update as the only entry of a log.
func prove(t testing.TB, k *transparency.Key, u Update) []byte {
	t.Helper()
	salt := transparency.Salt{1, 2, 3}
	g, err := transparency.Grow(0, [][]byte{transparency.CertificateEntry(salt, u.SignedBytes)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err := k.Sign(g.Size, g.Root)
	if err != nil {
		t.Fatal(err)
	}
	return transparency.FormatProof(0, salt, nil, checkpoint)
}

func logged(t testing.TB, k *transparency.Key, original []byte) Update {
	t.Helper()
	m := testMark()
	m.Log = k.Public()
	u, err := NewStamper(testSigner()).Stamp(source(original), m)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func withProof(t testing.TB, u Update, proof []byte) Update {
	t.Helper()
	with, err := u.WithLogProof(proof)
	if err != nil {
		t.Fatal(err)
	}
	return with
}

func verdictOf(t testing.TB, original []byte, u Update) Verdict {
	t.Helper()
	file := slices.Concat(original, u.Bytes)
	v, err := Verify(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestLogProofInSignature(t *testing.T) {
	original := plainObjects().table("")
	k := testLogKey(t, 1)
	u := logged(t, k, original)
	with := withProof(t, u, prove(t, k, u))
	if len(with.Bytes) != len(u.Bytes) {
		t.Errorf("the proof changed the length from %d to %d", len(u.Bytes), len(with.Bytes))
	}
	if with.SHA256 == u.SHA256 || with.SignedBytes != u.SignedBytes {
		t.Error("the file's hash did not change, or what is signed did")
	}
	v := verdictOf(t, original, with)
	if !v.Valid || v.Signatures[0].Log.Proof == nil || !strings.Contains(v.Sentence, "entry 0 of the log") {
		t.Errorf("the verdict is %s %s", v.Code, v.Sentence)
	}
	again := withProof(t, with, prove(t, k, u)) // in place of the first one
	if !bytes.Equal(again.Bytes, with.Bytes) {
		t.Error("a proof that is set again is another one")
	}
	bare := verdictOf(t, original, u)
	if !bare.Valid || !strings.Contains(bare.Sentence, "carries no log proof, although") {
		t.Errorf("without its proof the verdict is %s %s", bare.Code, bare.Sentence)
	}
	if v := verdictOf(t, original, withProof(t, with, prove(t, k, with))); !v.Valid {
		t.Errorf("a renewed proof makes it %s", v.Sentence)
	}
}

func TestForeignLogProof(t *testing.T) {
	original := plainObjects().table("")
	k := testLogKey(t, 1)
	u := logged(t, k, original)
	other := logged(t, k, append(bytes.Clone(original), "\n"...))
	for name, c := range map[string]struct {
		proof []byte
		want  string
	}{
		"of another document": {prove(t, k, other), "of another document"},
		"of another log":      {prove(t, testLogKey(t, 2), u), "not signed by the log that the signature names"},
		"nonsense":            {[]byte("nonsense"), "cannot be read"},
		"empty":               {nil, "cannot be read"},
	} {
		if v := verdictOf(t, original, withProof(t, u, c.proof)); v.Valid || !strings.Contains(v.Sentence, c.want) {
			t.Errorf("%s: the verdict is %s %s, want %q", name, v.Code, v.Sentence, c.want)
		}
	}
	plain, err := NewStamper(testSigner()).Stamp(source(original), testMark())
	if err != nil {
		t.Fatal(err)
	}
	if v := verdictOf(t, original, withProof(t, plain, prove(t, k, plain))); v.Valid || !strings.Contains(v.Sentence, "names no log") {
		t.Errorf("a proof beside a signature that names no log: %s", v.Sentence)
	}
}

// A proof that is longer than the room that was kept is refused, not written over the file.
func TestLogProofFits(t *testing.T) {
	u := logged(t, testLogKey(t, 1), plainObjects().table(""))
	if _, err := u.WithLogProof(make([]byte, cms.ProofRoom+1000)); err == nil {
		t.Error("a proof that is too long was taken")
	}
	if _, err := u.WithLogProof(make([]byte, cms.ProofRoom-64)); err != nil {
		t.Errorf("a proof of the announced length was refused: %v", err)
	}
}
