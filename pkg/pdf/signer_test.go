package pdf

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

// certificate makes a certificate that issuer vouches for, or itself where
// there is none.
func certificate(t *testing.T, name string, key crypto.Signer, issuer *x509.Certificate, issuerKey crypto.Signer) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x1234_5678), Subject: pkix.Name{CommonName: name, Organization: []string{"Spring College"}},
		NotBefore: testTime.AddDate(-1, 0, 0), NotAfter: testTime.AddDate(1, 0, 0), BasicConstraintsValid: true, IsCA: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	if issuer == nil {
		issuer, issuerKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), issuerKey)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestKeysAndChains(t *testing.T) {
	ec := func(c elliptic.Curve) crypto.Signer {
		return must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(c, rand.Reader))
	}
	rootKey, middleKey := ec(elliptic.P256()), ec(elliptic.P384())
	root := certificate(t, "Root", rootKey, nil, nil)
	middle := certificate(t, "Middle", middleKey, root, rootKey)
	for name, key := range map[string]crypto.Signer{
		"P-256": ec(elliptic.P256()), "P-384": ec(elliptic.P384()), "P-521": ec(elliptic.P521()),
		"RSA 2048": must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048)),
		"RSA 4096": must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 4096)),
	} {
		t.Run(name, func(t *testing.T) {
			leaf := certificate(t, "Registrar of "+name, key, middle, middleKey)
			pkcs8 := must[[]byte](t)(x509.MarshalPKCS8PrivateKey(key))
			keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
			var chainPEM []byte
			for _, c := range []*x509.Certificate{root, leaf, middle} { // in no order
				chainPEM = append(chainPEM, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
			}
			p12 := must[[]byte](t)(pkcs12.Modern.Encode(key, leaf, []*x509.Certificate{middle, root}, "secret"))
			old := must[[]byte](t)(pkcs12.LegacyDES.Encode(key, leaf, []*x509.Certificate{middle, root}, "secret"))
			for kind, signer := range map[string]*Signer{
				"PEM":            must[*Signer](t)(LoadSigner(keyPEM, chainPEM)),
				"PEM in one":     must[*Signer](t)(LoadSigner(append(chainPEM, keyPEM...), append(chainPEM, keyPEM...))),
				"PKCS#12":        must[*Signer](t)(LoadPKCS12(p12, "secret")),
				"PKCS#12 of old": must[*Signer](t)(LoadPKCS12(old, "secret")),
			} {
				if got := signer.Certificate().Subject.CommonName; got != leaf.Subject.CommonName {
					t.Errorf("%s: the signer is %q", kind, got)
				}
				original := plainObjects().table("")
				for range 3 { // an ECDSA signature's length differs
					tail, err := NewStamper(signer).Stamp(source(original), testMark())
					if err != nil {
						t.Fatal(err)
					}
					file := slices.Concat(original, tail.Bytes)
					v := mustVerify(t, file)
					s := v.Signatures[0]
					if !v.Valid || s.SignedBy != leaf.Subject.CommonName || s.Issuer != "Middle" || s.SelfSigned || s.Problem != "" {
						t.Errorf("%s: %+v", kind, v)
					}
					if kind == "PEM" {
						pdfsig(t, file, 1)
						opensslVerifies(t, file, root)
					}
				}
			}
		})
	}
}

// A key of each kind that can be made signs.
func TestKindsOfKeys(t *testing.T) {
	for _, name := range []string{"P-256", "p384", "rsa-3072"} {
		kind := must[KeyAlgorithm](t)(ParseKeyAlgorithm(name))
		key, cert, err := NewKey(rand.Reader, kind, "Spring College", testTime, 10)
		if err != nil {
			t.Fatal(err)
		}
		signer := must[*Signer](t)(LoadSigner(key, cert))
		if got := AlgorithmName(signer.Certificate().PublicKey); got != string(kind) {
			t.Errorf("%s is %s", name, got)
		}
		if _, err := signer.Rehearse(testTime); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseKeyAlgorithm("P-521"); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

// TestTwoSigners shows that the verdict tells of both, and that nobody covers what
// somebody else certified.
func TestTwoSigners(t *testing.T) {
	key := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	other := must[*Signer](t)(NewSigner(key, []*x509.Certificate{certificate(t, "Mallory", key, nil, nil)}))
	first := sealed(t, plainObjects().table(""))
	m := testMark()
	_, err := NewStamper(other).Stamp(source(first), m)
	if r, ok := errors.AsType[*Rejection](err); !ok || r.Reason != reject.ChangesForbidden || !strings.Contains(r.Message, "covers what stands on the page") {
		t.Errorf("a code over that of another: %v", err)
	}
	m.Corner = BottomLeft
	tail, err := NewStamper(other).Stamp(source(first), m)
	if err != nil {
		t.Fatal(err)
	}
	v := mustVerify(t, slices.Concat(first, tail.Bytes))
	for _, says := range []string{`since "Mallory" signed it`, `An earlier version of it was signed by "Spring College" on 1 April 2026`} {
		if !v.Valid || !strings.Contains(v.Sentence, says) {
			t.Errorf("%s\nwant: %s", v.Sentence, says)
		}
	}
}

// opensslVerifies has openssl check the signature with its chain.
func opensslVerifies(t *testing.T, file []byte, root *x509.Certificate) {
	t.Helper()
	from := bytes.Index(file, []byte("/Contents<")) + len("/Contents<")
	to := from + bytes.IndexByte(file[from:], '>')
	der := make([]byte, 0, (to-from)/2)
	for i := from; i < to; i += 2 {
		der = append(der, unhex(file[i])<<4|unhex(file[i+1]))
	}
	dir := t.TempDir()
	write(t, dir+"/cms", der)
	write(t, dir+"/content", append(append([]byte{}, file[:from-1]...), file[to+1:]...))
	write(t, dir+"/root", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}))
	mustTool(t, nil, "openssl", "cms", "-verify", "-binary", "-cades", "-inform", "DER", "-in", dir+"/cms", "-content", dir+"/content",
		"-CAfile", dir+"/root", "-purpose", "any", "-attime", "1775044800", "-out", dir+"/out")
}

func TestKeysThatDoNotSign(t *testing.T) {
	ec := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	own := certificate(t, "Own", ec, nil, nil)
	encode := func(kind string, b []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}) }
	ecPEM := encode("PRIVATE KEY", must[[]byte](t)(x509.MarshalPKCS8PrivateKey(ec)))
	ownPEM := encode("CERTIFICATE", own.Raw)
	other := encode("PRIVATE KEY", must[[]byte](t)(x509.MarshalPKCS8PrivateKey(
		must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)))))
	for _, tt := range []struct {
		name      string
		key, cert []byte
		says      string
	}{
		{"no key", ownPEM, ownPEM, "no private key"},
		{"no certificate", ecPEM, ecPEM, "no certificate"},
		{"another's certificate", other, ownPEM, "does not belong"},
		{"a key with a password", encode("ENCRYPTED PRIVATE KEY", []byte("x")), ownPEM, "protected by a password"},
		{"a broken certificate", ecPEM, encode("CERTIFICATE", []byte("x")), "cannot be read"},
		{"Ed25519", encode("PRIVATE KEY", must[[]byte](t)(x509.MarshalPKCS8PrivateKey(ed))),
			encode("CERTIFICATE", certificate(t, "Ed", ed, nil, nil).Raw), "neither ECDSA nor RSA"},
	} {
		if _, err := LoadSigner(tt.key, tt.cert); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	p12 := must[[]byte](t)(pkcs12.Modern.Encode(ec, own, nil, "secret"))
	if _, err := LoadPKCS12(p12, "Secret"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "check its password") {
		t.Errorf("a wrong password: %v", err)
	}
}
