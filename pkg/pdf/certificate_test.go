package pdf

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// issued makes a certificate that differs from an ordinary one in what change does.
func issued(t testing.TB, name string, issuer *x509.Certificate, issuerKey crypto.Signer, change func(*x509.Certificate)) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: testTime.AddDate(-1, 0, 0), NotAfter: testTime.AddDate(1, 0, 0), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature}
	if change != nil {
		change(template)
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
	return key, c
}

func authority(c *x509.Certificate) {
	c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
}

// TestCertificatesCount judges signatures by certificates that cannot have made them.
func TestCertificatesCount(t *testing.T) {
	rootKey, root := issued(t, "Root", nil, nil, authority)
	otherKey, other := issued(t, "Root", nil, nil, authority)
	middleKey, middle := issued(t, "Middle", root, rootKey, authority)
	for _, tt := range []struct {
		name   string
		issuer *x509.Certificate
		key    crypto.Signer
		others []*x509.Certificate
		change func(*x509.Certificate)
		reason string // none: it is valid
	}{
		{"ordinary", root, rootKey, []*x509.Certificate{root}, nil, ""},
		{"with a chain", middle, middleKey, []*x509.Certificate{middle, root}, nil, ""},
		{"with a chain in no order", middle, middleKey, []*x509.Certificate{root, middle}, nil, ""},
		{"without its issuer", root, rootKey, nil, nil, ""},
		{"with two authorities of one name, the other first", root, rootKey, []*x509.Certificate{other, root}, nil, ""},
		{"with the other authority of that name alone", root, rootKey, []*x509.Certificate{other}, nil, ""},
		{"for what is signed for good", root, rootKey, nil, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageContentCommitment }, ""},
		{"for nothing in particular", root, rootKey, nil, func(c *x509.Certificate) { c.KeyUsage = 0 }, ""},
		{"for mails", root, rootKey, nil, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} }, ""},
		{"expired", root, rootKey, nil, func(c *x509.Certificate) { c.NotAfter = testTime.Add(-time.Second) }, "certificate_expired"},
		{"not yet valid", root, rootKey, nil, func(c *x509.Certificate) { c.NotBefore = testTime.Add(time.Second) }, "certificate_expired"},
		{"for keys", root, rootKey, nil, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }, "key_usage"},
		{"of an authority that signs certificates alone", root, rootKey, nil, authority, "key_usage"},
		{"of a web server", root, rootKey, nil, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, "key_usage"},
		{"made by another authority of that name", other, otherKey, []*x509.Certificate{withoutID(t, root, rootKey)}, func(c *x509.Certificate) { c.AuthorityKeyId = nil }, "chain_broken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			key, leaf := issued(t, "Registrar", tt.issuer, tt.key, tt.change)
			s, err := NewSigner(key, append([]*x509.Certificate{leaf}, tt.others...))
			if err != nil {
				t.Fatal(err)
			}
			d := newRevised(formObjects(), false).sign(t, s, 40, "", objects{30: signedObject(0, 30), 6: signedObject(0, 6)})
			v := verifyBytes(t, d.bytes)
			want := VerdictValid
			if tt.reason != "" {
				want = VerdictForged
			}
			if v.Code != want || string(v.Signatures[0].Reason) != tt.reason || strings.Contains(v.Sentence, "certified by") {
				t.Fatalf("%s, %s: %s", v.Code, v.Signatures[0].Reason, v.Sentence)
			}
			// It is said to be certified by somebody only where that was checked.
			pool := x509.NewCertPool()
			pool.AddCert(root)
			trusted := verifyBytes(t, d.bytes, WithTrust(pool))
			vouched := slices.Contains(tt.others, root) || tt.issuer == root && tt.others == nil || tt.issuer == root
			if tt.reason == "" && (trusted.Code == VerdictTrusted) != vouched {
				t.Errorf("trusting the root: %s: %s", trusted.Code, trusted.Sentence)
			}
			if tt.reason != "" && trusted.Valid {
				t.Errorf("trusting the root: %s: %s", trusted.Code, trusted.Sentence)
			}
			if trusted.Code == VerdictTrusted && !strings.Contains(trusted.Sentence, "It is certified by") {
				t.Error(trusted.Sentence)
			}
		})
	}
}

// withoutID is a certificate of the same key and name that says nothing of its key.
func withoutID(t *testing.T, c *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	template := *c
	template.SubjectKeyId, template.AuthorityKeyId, template.IsCA, template.MaxPathLen = nil, nil, false, -1
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTrustNeedsEverySigner shows that one trusted signature does not lend its trust to
// another one over it.
func TestTrustNeedsEverySigner(t *testing.T) {
	pool := x509.NewCertPool()
	pool.AddCert(testSigner().Certificate())
	d := firstSigned(t, false, 2, "", nil)
	if v := verifyBytes(t, d.bytes, WithTrust(pool)); v.Code != VerdictTrusted || !v.Signatures[0].Trusted {
		t.Errorf("%s: %s", v.Code, v.Sentence)
	}
	if v := verifyBytes(t, d.bytes); v.Code != VerdictValid || v.Reason != "unknown_issuer" {
		t.Errorf("%s: %s", v.Code, v.Sentence)
	}
	over := d.signOver(t, mallory(), 2, "", "", "", nil)
	if v := verifyBytes(t, over.bytes, WithTrust(pool)); v.Code != VerdictValid || !strings.Contains(v.Sentence, `"Mallory"`) {
		t.Errorf("%s: %s", v.Code, v.Sentence)
	}
	pool.AddCert(mallory().Certificate())
	if v := verifyBytes(t, over.bytes, WithTrust(pool)); v.Code != VerdictTrusted {
		t.Errorf("%s: %s", v.Code, v.Sentence)
	}
}

// TestTimeCounts judges a signature of a time that has not come.
func TestTimeCounts(t *testing.T) {
	d := firstSigned(t, false, 2, "", nil)
	for now, valid := range map[time.Time]bool{testTime.Add(-48 * time.Hour): false, testTime.Add(-time.Hour): true, testTime.AddDate(30, 0, 0): true} {
		if v := verifyBytes(t, d.bytes, WithTime(now)); v.Valid != valid {
			t.Errorf("on %v: %s", now, v.Sentence)
		}
	}
}
