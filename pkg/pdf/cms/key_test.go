package cms

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/vecctl/vecctl/pkg/fault"
)

// sound refuses a signer with which nothing can be signed that is then accepted.
func sound(t *testing.T, s *Signer, err error) {
	t.Helper()
	if err != nil {
		if message, ok := fault.Message(err); !ok || message == "" {
			t.Errorf("nobody is told what is wrong: %v", err)
		}
		return
	}
	digest := sha256.Sum256([]byte("content"))
	der, _, err := s.Sign(rand.Reader, digest, nil)
	if err != nil {
		t.Fatalf("a key that was taken does not sign: %v", err)
	}
	if len(der) > s.MaxSize(0) {
		t.Errorf("%d bytes, announced were %d", len(der), s.MaxSize(0))
	}
	envelope, rest, err := Parse(der)
	if err != nil || len(rest) != 0 {
		t.Fatalf("a signature that is not understood: %v", err)
	}
	if err := envelope.Verify(digest[:]); err != nil {
		t.Errorf("a key that was taken signs what is not valid: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	key, cert, err := SelfSigned(rand.Reader, P256, "Registrar", time.Now(), 1)
	if err != nil {
		f.Fatal(err)
	}
	otherKey, otherCert, err := SelfSigned(rand.Reader, P256, "Another", time.Now(), 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(bytes.Clone(key), cert...))
	f.Add(append(append(bytes.Clone(cert), otherCert...), otherKey...))
	f.Add(append(bytes.Clone(otherKey), cert...))
	f.Add([]byte("-----BEGIN RSA PRIVATE KEY-----\nDEK-Info: x\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := Load(file, file)
		sound(t, s, err)
	})
}

// FuzzLoadDER tries keys and certificates without their clothes, which the fuzzer
// rarely finds its way through.
func FuzzLoadDER(f *testing.F) {
	key, cert, err := SelfSigned(rand.Reader, P256, "Registrar", time.Now(), 1)
	if err != nil {
		f.Fatal(err)
	}
	naked := func(text []byte) []byte {
		block, _ := pem.Decode(text)
		return block.Bytes
	}
	f.Add(naked(key), naked(cert))
	f.Fuzz(func(t *testing.T, key, cert []byte) {
		s, err := Load(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
			pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
		sound(t, s, err)
	})
}

func FuzzLoadPKCS12(f *testing.F) {
	key, cert, err := SelfSigned(rand.Reader, P256, "Registrar", time.Now(), 1)
	if err != nil {
		f.Fatal(err)
	}
	block, _ := pem.Decode(key)
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		f.Fatal(err)
	}
	block, _ = pem.Decode(cert)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		f.Fatal(err)
	}
	if _, ok := private.(crypto.Signer); !ok {
		f.Fatalf("%T cannot sign", private)
	}
	for _, form := range []*pkcs12.Encoder{pkcs12.Modern, pkcs12.LegacyDES, pkcs12.Passwordless} {
		password := "word"
		if form == pkcs12.Passwordless {
			password = ""
		}
		file, err := form.WithIterations(1).Encode(private, leaf, nil, password)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file, password)
	}
	f.Add([]byte{0x30, 0x80}, "")
	f.Fuzz(func(t *testing.T, file []byte, password string) {
		s, err := LoadPKCS12(file, password)
		sound(t, s, err)
	})
}

// What is wrong with a PKCS#12 file is told apart: a password is mended in another way
// than a file.
func TestWhatIsWrongWithPKCS12(t *testing.T) {
	t.Parallel()
	s := registrar(t)
	whole, err := pkcs12.Modern.WithIterations(1).Encode(s.key, s.Chain()[0], nil, "word")
	if err != nil {
		t.Fatal(err)
	}
	keyless, err := pkcs12.Modern.WithIterations(1).EncodeTrustStore(s.Chain(), "word")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		file           []byte
		password, says string
	}{
		"a wrong password": {whole, "other", "check its password"},
		"none":             {whole, "", "check its password"},
		"without a key":    {keyless, "word", "export both together"},
		"another file":     {[]byte("%PDF-1.7"), "word", "export both together"},
		"cut off":          {whole[:len(whole)/2], "word", "export both together"},
	} {
		if _, err := LoadPKCS12(test.file, test.password); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	digest, nonce := sha256.Sum256([]byte("content")), []byte{1, 2, 3}
	f.Add([]byte("\x30\x05\x30\x03\x02\x01\x02"))
	f.Add([]byte("\x30\x0a\x30\x03\x02\x01\x00\x30\x03\x02\x01\x00"))
	der, _ := signed(f)
	granted := append([]byte{0x30, 0x03, 0x02, 0x01, 0x00}, der...)
	f.Add(append([]byte{0x30, 0x82, byte(len(granted) >> 8), byte(len(granted))}, granted...))
	f.Fuzz(func(t *testing.T, answer []byte) {
		if token, _, err := parseResponse(answer, digest[:], nonce); err == nil {
			t.Errorf("a time stamp without a server's key: %x", token)
		}
	})
}
