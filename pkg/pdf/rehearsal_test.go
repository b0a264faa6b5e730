package pdf

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/vecctl/vecctl/pkg/fault"
)

func pemOf(t testing.TB, key crypto.Signer, certs ...*x509.Certificate) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	out := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	for _, c := range certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// TestRehearsal takes keys as they come out of authorities and browsers: what is signed with
// one that is taken is valid.
func TestRehearsal(t *testing.T) {
	rootKey, root := issued(t, "Uni CA", nil, nil, authority)
	oldKey, old := issued(t, "Uni CA", nil, nil, authority)
	middleKey, middle := issued(t, "Uni CA 2", root, rootKey, authority)
	wrongKey, wrong := issued(t, "Mallory", root, rootKey, nil)
	lowestKey, lowest := issued(t, "Uni CA 3", root, rootKey, func(c *x509.Certificate) { authority(c); c.MaxPathLenZero = true })
	belowKey, below := issued(t, "Uni CA 4", lowest, lowestKey, authority)
	namedKey, named := issued(t, "Uni CA 5", root, rootKey, func(c *x509.Certificate) { authority(c); c.PermittedDNSDomains = []string{"uni.example"} })
	for _, tt := range []struct {
		name   string
		issuer *x509.Certificate
		key    *ecdsa.PrivateKey
		change func(*x509.Certificate)
		others []*x509.Certificate
		fails  string // part of the error; none: it is taken
		warns  string // part of a warning
	}{
		{"with its authority", root, rootKey, nil, []*x509.Certificate{root}, "", ""},
		{"with a chain", middle, middleKey, nil, []*x509.Certificate{middle, root}, "", ""},
		{"with a chain in no order", middle, middleKey, nil, []*x509.Certificate{root, middle}, "", ""},
		{"with the authority's old certificate first", root, rootKey, nil, []*x509.Certificate{old, root}, "", "is left out of signatures"},
		{"with the authority's old certificate last", root, rootKey, nil, []*x509.Certificate{root, old}, "", "is left out of signatures"},
		{"without its authority", root, rootKey, nil, nil, "", `names "Uni CA" as its issuer, whose certificate is not in the file`},
		{"without the one between", middle, middleKey, nil, []*x509.Certificate{root}, "", `names "Uni CA 2" as its issuer, whose certificate is not in the file`},
		{"with the old authority alone", root, rootKey, nil, []*x509.Certificate{old}, "", "whose certificate is not in the file"},
		{"self-made", nil, nil, nil, nil, "", "self-made"},
		{"soon over", root, rootKey, func(c *x509.Certificate) { c.NotAfter = testTime.AddDate(0, 0, 10) }, []*x509.Certificate{root}, "", "in 10 days"},
		{"over", root, rootKey, func(c *x509.Certificate) { c.NotAfter = testTime.AddDate(0, 0, -1) }, []*x509.Certificate{root}, "is valid from", ""},
		{"not yet valid", root, rootKey, func(c *x509.Certificate) { c.NotBefore = testTime.AddDate(0, 0, 1) }, []*x509.Certificate{root}, "is valid from", ""},
		{"for enciphering keys", root, rootKey, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }, []*x509.Certificate{root}, "not for signing documents: it allows key encipherment", ""},
		{"of a web server", root, rootKey, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, []*x509.Certificate{root}, "it allows web servers", ""},
		{"with an extension that nobody knows", root, rootKey, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
		}, []*x509.Certificate{root}, "", "critical extension that they need not know"},
		{"below too many authorities", below, belowKey, nil, []*x509.Certificate{below, lowest, root}, "", "may not have authorities below it"},
		{"for a name that its authority may not use", named, namedKey, func(c *x509.Certificate) { c.DNSNames = []string{"elsewhere.example"} },
			[]*x509.Certificate{named, root}, "", "may not issue certificates for this name"},
		{"by one who may not issue", wrong, wrongKey, nil, []*x509.Certificate{wrong, root}, "may not issue others", ""},
		{"by another of that name", root, rootKey, func(c *x509.Certificate) { c.AuthorityKeyId = nil }, []*x509.Certificate{withoutID(t, old, oldKey)}, "did not make it", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			issuer := tt.issuer
			if tt.name == "by another of that name" {
				issuer = withoutID(t, root, rootKey)
			}
			key, leaf := issued(t, "Universitaet Wien", issuer, tt.key, tt.change)
			s, err := LoadSigner(pemOf(t, key, append([]*x509.Certificate{leaf}, tt.others...)...), pemOf(t, key, append([]*x509.Certificate{leaf}, tt.others...)...))
			if err != nil {
				t.Fatal(err)
			}
			warnings, err := s.Rehearse(testTime)
			if tt.fails != "" {
				if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.fails) {
					t.Fatalf("%v\nwant: %s", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if tt.warns == "" && len(warnings) > 0 || tt.warns != "" && !strings.Contains(strings.Join(warnings, " "), tt.warns) {
				t.Errorf("%q\nwant: %s", warnings, tt.warns)
			}
			original := plainObjects().table("")
			update, err := NewStamper(s).Stamp(source(original), testMark())
			if err != nil {
				t.Fatal(err)
			}
			if v := verifyBytes(t, slices.Concat(original, update.Bytes)); !v.Valid {
				t.Error(v.Sentence)
			}
		})
	}
}

// TestOtherKeys says what is wrong with keys that this program cannot use.
func TestOtherKeys(t *testing.T) {
	dir := t.TempDir()
	for curve, says := range map[string]string{"brainpoolP256r1": "brainpoolP256r1", "secp256k1": "secp256k1"} {
		if out, err := tool(t, nil, "openssl", "req", "-x509", "-nodes", "-days", "3650", "-subj", "/CN=Registrar", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:"+curve,
			"-keyout", dir+"/key", "-out", dir+"/crt"); err != nil {
			t.Skipf("openssl does not know the curve: %s", out)
		}
		mustTool(t, nil, "openssl", "pkcs12", "-export", "-inkey", dir+"/key", "-in", dir+"/crt", "-passout", "pass:secret", "-out", dir+"/p12")
		key, crt, p12 := read(t, dir+"/key"), read(t, dir+"/crt"), read(t, dir+"/p12")
		if _, err := LoadSigner(key, crt); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", curve, err)
		}
		if _, err := LoadPKCS12(p12, "secret"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "elliptic curve") || strings.Contains(err.Error(), "no PKCS#12 file") {
			t.Errorf("%s in PKCS#12: %v", curve, err)
		}
	}
	for name, args := range map[string][]string{
		"of a kind": {"genpkey", "-algorithm", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"},
		"P-224":     {"ecparam", "-name", "secp224r1", "-genkey", "-noout"},
	} {
		mustTool(t, nil, "openssl", append(args, "-out", dir+"/key")...)
		mustTool(t, nil, "openssl", "req", "-x509", "-days", "3650", "-subj", "/CN=Registrar", "-key", dir+"/key", "-out", dir+"/crt")
		s, err := LoadSigner(read(t, dir+"/key"), read(t, dir+"/crt"))
		if err == nil {
			_, err = s.Rehearse(time.Now())
		}
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("want an error with %q: %v", name, err)
		}
	}
	key, cert := issued(t, "Registrar", nil, nil, nil)
	text := append([]byte("\uFEFF"), bytes.ReplaceAll(pemOf(t, key, cert), []byte("\n"), []byte("\r\n"))...)
	if _, err := LoadSigner(text, text); err != nil {
		t.Errorf("as a Windows editor writes it: %v", err)
	}
	if _, err := LoadPKCS12([]byte("Dear Sir or Madam"), "secret"); !strings.Contains(err.Error(), "is not a PKCS#12 file") {
		t.Errorf("a letter: %v", err)
	}
	key, cert = issued(t, "Registrar", nil, nil, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })
	p12, err := pkcs12.Modern.Encode(key, cert, nil, "secret")
	if err != nil {
		t.Fatal(err)
	}
	s, err := LoadPKCS12(p12, "secret")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rehearse(testTime); !strings.Contains(err.Error(), "not for signing documents") {
		t.Errorf("a key that may not sign: %v", err)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSharedKeys takes keys that were taken, or refused with the wrong words.
func TestSharedKeys(t *testing.T) {
	dir := shared(t, "cases", "keys")
	now := testTime.AddDate(0, 1, 0)
	rollover := read(t, filepath.Join(dir, "rollover_oldfirst.pem"))
	s, err := LoadSigner(rollover, rollover)
	if err != nil {
		t.Fatal(err)
	}
	warnings, err := s.Rehearse(now)
	if err != nil || !strings.Contains(strings.Join(warnings, " "), "is left out of signatures") {
		t.Errorf("%q, %v", warnings, err)
	}
	bogus := read(t, filepath.Join(dir, "bogusissuer.pem"))
	if s, err = LoadSigner(bogus, bogus); err != nil {
		t.Fatal(err)
	}
	if warnings, err = s.Rehearse(now); err != nil || !strings.Contains(strings.Join(warnings, " "), "readers cannot check who issued it") {
		t.Errorf("%q, %v", warnings, err)
	}
	original := plainObjects().table("")
	mark := testMark()
	mark.SignedAt = now
	update, err := NewStamper(s).Stamp(source(original), mark)
	if err != nil {
		t.Fatal(err)
	}
	v := verifyBytes(t, slices.Concat(original, update.Bytes))
	if v.Code != VerdictValid || strings.Contains(v.Sentence, "certified by") || !strings.Contains(v.Sentence, "D-TRUST") {
		t.Errorf("%s: %s", v.Code, v.Sentence)
	}
	for _, name := range []string{"bp256.p12", "nods.p12"} {
		if _, err := LoadPKCS12(read(t, filepath.Join(dir, name)), ""); err == nil || strings.Contains(err.Error(), "is not a PKCS#12 file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
