package pdf

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf/cms"
)

// TestNoTime judges a signature that does not say when it was made.
func TestNoTime(t *testing.T) {
	now := time.Now()
	for left, want := range map[time.Duration]string{-time.Hour: "certificate_expired", time.Hour: "unknown_issuer"} {
		key, cert := issued(t, "Registrar", nil, nil, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(-2, 0, 0), now.Add(left) })
		signer, err := NewSigner(key, []*x509.Certificate{cert})
		if err != nil {
			t.Fatal(err)
		}
		o := formObjects()
		o = o.with(40, strings.Replace(signatureBody(""), "/M(", "/N(", 1)).with(30, strings.Replace(o[30], "/FT/Sig", "/FT/Sig/V 40 0 R", 1))
		d := newRevised(o, false)
		fillSignature(t, signer, d.bytes)
		if v := verifyBytes(t, d.bytes, WithTime(now)); v.Valid != (left > 0) || string(v.Reason) != want {
			t.Errorf("%v: %s, %s: %s", left, v.Code, v.Reason, v.Sentence)
		}
	}
}

// stampTime appends a document time stamp in a new field that nobody sees.
func (d revised) stampTime(t testing.TB, clock *cms.TimestampClient) revised {
	t.Helper()
	field, sig := d.size, d.size+1
	body := strings.NewReplacer("/Type/Sig/", "/Type/DocTimeStamp/", "ETSI.CAdES.detached", "ETSI.RFC3161").Replace(signatureBody(""))
	d = d.add(objects{sig: body, field: fmt.Sprintf("<</Type/Annot/Subtype/Widget/P 3 0 R/F 132/FT/Sig/T(time %d)/Rect[0 0 0 0]/V %d 0 R>>", field, sig),
		3: altered(t, 0, 3, "/Annots[", fmt.Sprintf("/Annots[%d 0 R ", field)), 6: altered(t, 0, 6, "/Fields[", fmt.Sprintf("/Fields[%d 0 R ", field))})
	b := d.bytes
	gap := bytes.Index(b, []byte("/ByteRange[0 AAAAAAAAAA"))
	at := gap + bytes.Index(b[gap:], []byte("/Contents<")) + len("/Contents")
	behind := at + signatureRoom + 2
	for i, n := range [3]int{at, behind, len(b) - behind} {
		mark := bytes.Repeat([]byte{byte('A' + i)}, 10)
		copy(b[gap+bytes.Index(b[gap:], mark):], fmt.Appendf(nil, "%-10d", n))
	}
	token, err := clock.Request(sha256.Sum256(slices.Concat(b[:at], b[behind:])), time.Now())
	if err != nil || len(token)*2 > signatureRoom {
		t.Fatalf("a time stamp of %d bytes, %v", len(token), err)
	}
	copy(b[at+1:], fmt.Appendf(nil, "%x", token))
	return d
}

// store appends a security store with certificates, and with revocation lists.
func (d revised) store(t testing.TB, certificates []*x509.Certificate, lists ...[]byte) revised {
	t.Helper()
	o, certs, crls, num := objects{}, "", "", 110
	add := func(der []byte) string {
		num++
		o[num] = stream("", string(der))
		return fmt.Sprintf("%d 0 R ", num)
	}
	for _, c := range certificates {
		certs += add(c.Raw)
	}
	for _, l := range lists {
		crls += add(l)
	}
	o[1] = altered(t, 0, 1, "/Catalog", "/Catalog/DSS<</Type/DSS/Certs["+certs+"]/CRLs["+crls+"]>>")
	return d.add(o)
}

// TestLevels finds out how far signatures are made to last (ETSI EN 319 142-1).
func TestLevels(t *testing.T) {
	t.Parallel()
	server := timestampServer(t)
	clock := &cms.TimestampClient{Client: server.Client(), URL: server.URL, Rand: rand.Reader}
	now := time.Now()
	current := func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(-2, 0, 0), now.AddDate(2, 0, 0) }
	rootKey, root := issued(t, "Root", nil, nil, func(c *x509.Certificate) { authority(c); current(c) })
	otherKey, other := issued(t, "Other Root", nil, nil, func(c *x509.Certificate) { authority(c); current(c) })
	key, cert := issued(t, "Registrar", root, rootKey, current)
	signer, err := NewSigner(key, []*x509.Certificate{cert})
	if err != nil {
		t.Fatal(err)
	}
	list := func(issuer *x509.Certificate, by crypto.Signer, revoked ...x509.RevocationListEntry) []byte {
		der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.AddDate(0, 1, 0),
			RevokedCertificateEntries: revoked}, issuer, by)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	chain, good := []*x509.Certificate{root}, list(root, rootKey)
	revokedAt := func(at time.Time) []byte {
		return list(root, rootKey, x509.RevocationListEntry{SerialNumber: cert.SerialNumber, RevocationTime: at})
	}
	o := formObjects()
	signed := newRevised(o, false).sign(t, signer, 40, "", objects{30: strings.Replace(o[30], "/FT/Sig", "/FT/Sig/V 40 0 R", 1), 6: strings.Replace(o[6], "/SigFlags 1", "/SigFlags 3", 1)})
	for name, test := range map[string]struct {
		file  revised
		level string // "" where it is not valid
	}{
		"signed":                                {signed, "B-B"},
		"a time stamp":                          {signed.stampTime(t, clock), "B-T"},
		"validation data":                       {signed.store(t, chain, good), "B-B"},
		"a time stamp, then validation data":    {signed.stampTime(t, clock).store(t, chain, good), "B-LT"},
		"validation data, then a time stamp":    {signed.store(t, chain, good).stampTime(t, clock), "B-LTA"},
		"no list":                               {signed.store(t, chain).stampTime(t, clock), "B-T"},
		"no certificate of the authority":       {signed.store(t, nil, good).stampTime(t, clock), "B-T"},
		"another authority's list":              {signed.store(t, append(chain, other), list(other, otherKey)).stampTime(t, clock), "B-T"},
		"a list that is none":                   {signed.store(t, chain, []byte("a list")).stampTime(t, clock), "B-T"},
		"revoked before it signed":              {signed.store(t, chain, revokedAt(now.AddDate(-1, 0, 0))).stampTime(t, clock), ""},
		"revoked after the time stamp was made": {signed.stampTime(t, clock).store(t, chain, revokedAt(now.Add(24*time.Hour))), "B-LT"},
		"revoked later, and no time stamp":      {signed.store(t, chain, revokedAt(now.Add(24*time.Hour))), ""},
		"revoked, says a list of somebody else's": {signed.store(t, append(chain, other), good,
			list(other, otherKey, x509.RevocationListEntry{SerialNumber: cert.SerialNumber, RevocationTime: now.AddDate(-1, 0, 0)})).stampTime(t, clock), "B-LTA"},
	} {
		t.Run(name, func(t *testing.T) {
			v := verifyBytes(t, test.file.bytes)
			if test.level == "" {
				if v.Valid || v.Reason != "revoked" {
					t.Errorf("%s: %s", v.Code, v.Sentence)
				}
				return
			}
			if v.Code != VerdictValid || string(v.Level) != test.level {
				t.Errorf("%s, level %q, want %q: %s", v.Code, v.Level, test.level, v.Sentence)
			}
		})
	}
	// Content that is replaced behind all that is no longer what was signed.
	d := signed.store(t, chain, good).stampTime(t, clock).add(objects{4: stream("", "BT /F1 24 Tf 72 760 Td (Certificate of Eve) Tj ET")})
	if v := verifyBytes(t, d.bytes); v.Valid || v.Code != VerdictChanged {
		t.Errorf("changed behind a time stamp: %s", v.Sentence)
	}
	if v := verifyBytes(t, d.stampTime(t, clock).bytes); v.Valid {
		t.Errorf("changed, and stamped again: %s", v.Sentence)
	}
	// A time stamp alone says when, and a server that nobody vouches for makes it trusted by nobody.
	alone := newRevised(formObjects(), false).stampTime(t, clock)
	if v := verifyBytes(t, alone.bytes); v.Code != VerdictValid || v.Reason != "unknown_issuer" {
		t.Errorf("a time stamp alone: %s, %s: %s", v.Code, v.Reason, v.Sentence)
	}
	// The level is the lowest of all signatures: the second one here has no time stamp.
	both := firstSigned(t, false, 0, "", nil).stampTime(t, clock)
	field := fmt.Sprintf("%d 0 R ", both.size-2)
	both = both.signOver(t, dean(), 0, altered(t, 0, 3, "/Annots[", "/Annots["+field), altered(t, 0, 6, "/Fields[", "/Fields["+field), "", nil)
	if v := verifyBytes(t, both.bytes); v.Code != VerdictValid || v.Level != "B-B" || len(v.Signatures) != 3 || v.Signatures[0].Level != "B-T" {
		t.Errorf("two levels: %s, level %q: %s", v.Code, v.Level, v.Sentence)
	}
	// A time stamp in the signature counts as one behind it.
	seal := NewStamper(testSigner(), WithTimestamps(NewTimestamper(server.Client(), time.Now, nil, server.URL)))
	u, err := seal.Stamp(source(plainObjects().table("")), testMark())
	if err != nil || u.TimestampError != nil {
		t.Fatal(err, u.TimestampError)
	}
	if v := mustVerify(t, slices.Concat(plainObjects().table(""), u.Bytes)); string(v.Level) != "B-T" {
		t.Errorf("level %q: %s", v.Level, v.Sentence)
	}
}
