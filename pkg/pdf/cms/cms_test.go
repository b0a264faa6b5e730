package cms

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"
	"time"
)

// registrar is a signer with a key of its own.
func registrar(t testing.TB) *Signer {
	t.Helper()
	key, cert, err := SelfSigned(rand.Reader, P256, "Registrar", time.Now(), 1)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Load(key, cert)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func signed(t testing.TB) (der []byte, digest [32]byte) {
	t.Helper()
	s := registrar(t)
	digest = sha256.Sum256([]byte("content"))
	der, _, err := s.Sign(rand.Reader, digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	if most := s.MaxSize(0); len(der) > most || len(der) < most-4 {
		t.Errorf("%d bytes, announced were %d", len(der), most)
	}
	return der, digest
}

func TestSignAndCheck(t *testing.T) {
	der, digest := signed(t)
	s, rest, err := Parse(append(slices.Clip(der), 0, 0))
	if err != nil || len(rest) != 2 || s.Certificate.Subject.CommonName != "Registrar" || !s.NamesCertificate() {
		t.Fatalf("%+v, %d bytes behind, %v", s, len(rest), err)
	}
	if err := errors.Join(s.Verify(digest[:]), s.CheckEnvelope(nil)); err != nil {
		t.Error(err)
	}
	digest[0] ^= 1
	if err := s.Verify(digest[:]); !errors.Is(err, ErrAltered) {
		t.Errorf("other content: %v", err)
	}
}

// TestEveryBit shows that no bit of an envelope can change.
func TestEveryBit(t *testing.T) {
	der, digest := signed(t)
	b := bytes.Clone(der)
	for i := range 8 * len(b) {
		b[i/8] ^= 1 << (i % 8)
		if s, rest, err := Parse(b); err == nil && len(rest) == 0 && s.Verify(digest[:]) == nil && s.CheckEnvelope(nil) == nil {
			t.Errorf("bit %d of byte %d changes nothing", i%8, i/8)
		}
		b[i/8] = der[i/8]
	}
}

func FuzzParse(f *testing.F) {
	der, digest := signed(f)
	f.Add(der)
	f.Add([]byte("\x30\x80\x06\x00\x24\x80\x04\x01a\x00\x00\x00\x00"))
	f.Add(bytes.Repeat([]byte{0x30, 0x80}, 100))
	f.Fuzz(func(t *testing.T, b []byte) {
		if out, _, err := toDER(b, 0); err == nil {
			if again, rest, err := toDER(out, 0); err != nil || len(rest) != 0 || !bytes.Equal(again, out) {
				t.Fatalf("%x is not in DER: %x, %v", out, again, err)
			}
		}
		if _, _, err := ParseToken(b); err == nil {
			t.Fatal("a time stamp without a server's key")
		}
		s, _, err := Parse(b)
		if err != nil {
			return
		}
		if s.Certificate == nil || s.Hash == 0 {
			t.Fatalf("%+v is no signature that can be judged", s)
		}
		s.Verify(digest[:]) // neither they nor the rest panic
		s.CheckEnvelope(nil)
		s.Token()
	})
}
