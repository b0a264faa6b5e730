package pdf

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"io"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf/pkitest"
)

// newAuthority starts a certificate authority for a test.
func newAuthority(t testing.TB) *pkitest.Authority {
	t.Helper()
	a, err := pkitest.New(nil, 365*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// authoritySigner is a signer whose certificate an authority made.
func authoritySigner(t testing.TB, a *pkitest.Authority, rsaKey bool) *Signer {
	t.Helper()
	s, err := a.Issue("Registrar", rsaKey)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := NewSigner(s.Key, []*x509.Certificate{s.Certificate, a.Middle})
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func call(t testing.TB, method, url string, body []byte) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	return b
}

// validationData asks for all that the chains of a file need.
func validationData(t testing.TB, a *pkitest.Authority, p Preservation) []ValidationData {
	t.Helper()
	var all []ValidationData
	for _, c := range p.Chains {
		d := ValidationData{Key: c.Key, Certificates: c.Certificates}
		for i, cert := range c.Certificates[:len(c.Certificates)-1] {
			issuer := c.Certificates[i+1]
			if !slices.ContainsFunc(slices.Concat(cert.OCSPServer, cert.CRLDistributionPoints), func(u string) bool { return strings.HasPrefix(u, a.URL) }) {
				continue // of a document that somebody else signed before
			}
			if len(cert.OCSPServer) > 0 {
				nonce := make([]byte, 16)
				_, _ = rand.Read(nonce)
				q, err := OCSPRequest(cert, issuer, nonce)
				if err != nil {
					t.Fatal(err)
				}
				answer := call(t, http.MethodPost, cert.OCSPServer[0], q)
				if _, _, err := CheckOCSP(answer, cert, issuer, nonce, time.Now()); err != nil {
					t.Fatal(err)
				}
				d.OCSPs = append(d.OCSPs, answer)
				continue
			}
			list := call(t, http.MethodGet, cert.CRLDistributionPoints[0], nil)
			if _, err := CheckCRL(list, cert, issuer, time.Now()); err != nil {
				t.Fatal(err)
			}
			d.CRLs = append(d.CRLs, list)
		}
		all = append(all, d)
	}
	return all
}

// extended adds validation data, and with stamp a document time stamp, to a file.
func extended(t testing.TB, p *Preserver, a *pkitest.Authority, file []byte, stamp bool) []byte {
	t.Helper()
	has, err := NewVerifier().Preserved(bytes.NewReader(file), int64(len(file)), a.Root, a.Middle)
	if err != nil {
		t.Fatal(err)
	}
	x, err := p.Extend(bytes.NewReader(file), int64(len(file)), validationData(t, a, has), stamp)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(file, x.Bytes)
}

// TestPreservation takes documents of many forms to each level.
func TestPreservation(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	clock := NewTimestamper(http.DefaultClient, time.Now, nil, a.TimestampURL())
	seal := NewStamper(authoritySigner(t, a, false), WithTimestamps(clock))
	p := NewPreserver(clock)
	for name, original := range map[string][]byte{
		"table": plainObjects().table(""), "streams": plainObjects().streamed(1, 2, 3), "form": formObjects().table(""),
		"encrypted": encrypted(t, "generate", append([]string{"", "owner"}, ciphers["AES 256"]...)...), "accessible": accessibleFile(t),
	} {
		t.Run(name, func(t *testing.T) {
			u, err := seal.Stamp(source(original), testMarkNow())
			if err != nil || u.TimestampError != nil {
				t.Fatal(err, u.TimestampError)
			}
			stamped := slices.Concat(original, u.Bytes)
			lt := extended(t, p, a, stamped, false)
			lta := extended(t, p, a, stamped, true)
			renewed := extended(t, p, a, lta, true)
			for want, file := range map[Level][]byte{LevelT: stamped, LevelLT: lt, LevelLTA: lta} {
				if v := mustVerify(t, file); !v.Valid || v.Level != want {
					t.Errorf("level %q, want %q: %s", v.Level, want, v.Sentence)
				}
			}
			if name == "accessible" {
				checkAccessible(t, renewed, 0)
			}
			if name != "encrypted" { // qpdf reads it with a password alone
				written := filepath.Join(t.TempDir(), "renewed.pdf")
				write(t, written, renewed)
				mustTool(t, nil, "qpdf", "--check", written)
			}
			if v := mustVerify(t, stamped); len(v.Missing) != 4 || v.Missing[0] != "a security store with the certificates" || v.Level.Next() != LevelLT {
				t.Errorf("missing of B-T: %q", v.Missing)
			}
			if v := mustVerify(t, lt); !slices.Equal(v.Missing, []string{"a time stamp of the document over its validation data"}) {
				t.Errorf("missing of B-LT: %q", v.Missing)
			}
			v := mustVerify(t, renewed)
			if !v.Valid || v.Level != LevelLTA || len(v.Signatures) != 3 {
				t.Errorf("renewed: level %q, %d signatures: %s", v.Level, len(v.Signatures), v.Sentence)
			}
			has, err := NewVerifier().Preserved(bytes.NewReader(renewed), int64(len(renewed)))
			if err != nil || has.Until.Before(time.Now().AddDate(0, 11, 0)) || len(has.Chains) != 4 {
				t.Errorf("%+v, %v", has, err)
			}
		})
	}
}

func testMarkNow() Stamp {
	m := testMark()
	m.SignedAt = time.Now()
	return m
}

// accessibleFile is a certificate that says that it is PDF/UA.
func accessibleFile(t testing.TB) []byte {
	t.Helper()
	var blank bytes.Buffer
	if err := WritePage(&blank, 297, 210, nil); err != nil {
		t.Fatal(err)
	}
	sheet, err := NewBackground(blank.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	file, err := sheet.Render(Label{Title: "Degree - Ada", Language: "en"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// Each document of the corpus that can be stamped can be taken to the highest level. With
// VECCTL_LONG that is asked of all of them.
func TestPreservationCorpus(t *testing.T) {
	files := corpus(t)
	a := newAuthority(t)
	clock := NewTimestamper(http.DefaultClient, time.Now, nil, a.TimestampURL())
	seal := NewStamper(authoritySigner(t, a, false), WithTimestamps(clock))
	p := NewPreserver(clock)
	n := 0
	for i, name := range slices.Sorted(maps.Keys(files)) {
		if os.Getenv("VECCTL_LONG") == "" && i%8 != 0 {
			continue
		}
		u, err := seal.Stamp(source(files[name]), testMarkNow())
		if err != nil {
			continue
		}
		stamped := slices.Concat(files[name], u.Bytes)
		if odd := path.Base(name); odd == "test_pdfs_bug1770750.pdf" || odd == "qpdf_qtest_qpdf_issue-99.pdf" {
			// A field has an entry twice, a page has rubbish in it: nobody can say that they did not change.
			if _, err := p.Extend(bytes.NewReader(stamped), int64(len(stamped)), nil, true); err == nil || !strings.Contains(err.Error(), "would not be valid") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		v := mustVerify(t, extended(t, p, a, stamped, true))
		if last := v.Signatures[len(v.Signatures)-1]; !v.Valid || !last.IsTimestamp || !last.CoversWholeFile {
			t.Errorf("%s: %s", name, v.Sentence)
		}
		n++
	}
	t.Logf("%d documents", n)
}
