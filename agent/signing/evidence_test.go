package signing

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/vecctl/vecctl/pkg/pdf/pkitest"
	"github.com/vecctl/vecctl/pkg/ssrf"
)

// must is for what a test makes of sound parts.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// answering answers with bytes.
type answering []byte

func (b answering) ServeHTTP(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b) }

// stalling does not answer before its caller goes.
type stalling struct{}

func (stalling) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // or the caller's end is not seen
	<-r.Context().Done()
}

// newEvidence asks servers of this machine, which may take a second.
func newEvidence() *Evidence {
	return NewEvidence(ssrf.New(ssrf.Policy{AllowPlain: true, AllowPrivate: true, Timeout: time.Second, MaxBody: MaxEvidence}))
}

// issuerOf is an authority with a certificate whose status only one kind of server tells.
func issuerOf(t testing.TB, crl bool) (*pkitest.Authority, *x509.Certificate) {
	t.Helper()
	a := must(pkitest.New(nil, time.Hour))
	t.Cleanup(a.Close)
	now := time.Now()
	template := x509.Certificate{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature}
	if crl {
		template.CRLDistributionPoints = []string{a.URL + "/middle.crl"}
	} else {
		template.OCSPServer = []string{a.URL + "/ocsp"}
	}
	return a, must(a.Issue("Registrar", false, template)).Certificate
}

// An OCSP answer is taken where it is sound alone.
func TestOCSPAnswers(t *testing.T) {
	t.Parallel()
	a, cert := issuerOf(t, false)
	now := time.Now()
	other := must(a.Issue("Somebody Else", false)).Certificate
	answer := func(change func(*ocsp.Response), by pkitest.Signer, embed bool) answering {
		r := ocsp.Response{Status: ocsp.Good, SerialNumber: cert.SerialNumber, ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(time.Hour)}
		if embed {
			r.Certificate = by.Certificate
		}
		if change != nil {
			change(&r)
		}
		return must(ocsp.CreateResponse(a.Middle, by.Certificate, r, by.Key))
	}
	middle := pkitest.Signer{Key: a.MiddleKey(), Certificate: a.Middle}
	responder := func(usage ...x509.ExtKeyUsage) pkitest.Signer {
		return must(a.Issue("Responder", false, x509.Certificate{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: usage}))
	}
	ended := must(a.Issue("Responder", false, x509.Certificate{NotBefore: now.Add(-3 * time.Hour), NotAfter: now.Add(-time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}}))
	stranger := must(pkitest.New(nil, time.Hour))
	defer stranger.Close()
	strange := must(stranger.Issue("Responder", false, x509.Certificate{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}}))
	altered := append(answering{}, answer(nil, middle, false)...)
	altered[len(altered)-3] ^= 1
	for name, c := range map[string]struct {
		server http.Handler
		want   string // "" where it is taken
	}{
		"the issuer's":                    {nil, ""},
		"an authorised responder's":       {answer(nil, responder(x509.ExtKeyUsageOCSPSigning), true), ""},
		"about another certificate":       {answer(func(r *ocsp.Response) { r.SerialNumber = other.SerialNumber }, middle, false), "about another certificate"},
		"of an earlier time":              {answer(func(r *ocsp.Response) { r.ThisUpdate, r.NextUpdate = now.Add(-3*time.Hour), now.Add(-time.Hour) }, middle, false), "has ended"},
		"without an end, and not of now":  {answer(func(r *ocsp.Response) { r.ThisUpdate, r.NextUpdate = now.Add(-3*time.Hour), time.Time{} }, middle, false), "has ended"},
		"of a time to come":               {answer(func(r *ocsp.Response) { r.ThisUpdate, r.NextUpdate = now.Add(time.Hour), now.Add(2*time.Hour) }, middle, false), "not come yet"},
		"revoked":                         {answer(func(r *ocsp.Response) { r.Status, r.RevokedAt = ocsp.Revoked, now.Add(-time.Hour) }, middle, false), "was revoked on"},
		"unknown":                         {answer(func(r *ocsp.Response) { r.Status = ocsp.Unknown }, middle, false), "does not know"},
		"a responder without the right":   {answer(nil, responder(x509.ExtKeyUsageClientAuth), true), "nor by a responder whom that authorised"},
		"a responder without any usage":   {answer(nil, responder(), true), "nor by a responder whom that authorised"},
		"a responder that ended":          {answer(nil, ended, true), "certificate is not valid now"},
		"a stranger's responder":          {answer(nil, strange, true), "nor by a responder whom that authorised"},
		"a stranger's key":                {answer(nil, strange, false), "nor by a responder whom that authorised"},
		"altered":                         {altered, "nor by a responder whom that authorised"},
		"garbage":                         {answering("garbage"), "cannot be read"},
		"nothing":                         {answering(nil), "cannot be read"},
		"a refusal":                       {answering(ocsp.TryLaterErrorResponse), "refused"},
		"too large":                       {answering(bytes.Repeat([]byte{0x30}, MaxEvidence+1)), "larger than 1024 KB"},
		"an error":                        {pkitest.Status(http.StatusInternalServerError), "status 500"},
		"somewhere else":                  {http.RedirectHandler("/middle.crl", http.StatusFound), "status 302"},
		"too slow":                        {stalling{}, "Timeout"},
		"of a certificate of another one": {answering(must(ocsp.CreateResponse(a.Root, a.Root, ocsp.Response{Status: ocsp.Good, SerialNumber: cert.SerialNumber, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}, a.RootKey()))), "of another issuer"},
	} {
		a.Handle("/ocsp", c.server)
		p, err := newEvidence().findStatus(t.Context(), cert, a.Middle, now)
		switch {
		case c.want == "" && (err != nil || p.ocsp == nil):
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// A revocation list is taken where it is sound alone.
func TestRevocationLists(t *testing.T) {
	t.Parallel()
	a, cert := issuerOf(t, true)
	now := time.Now()
	stranger := must(pkitest.New(nil, time.Hour))
	defer stranger.Close()
	list := func(issuer *x509.Certificate, by pkitest.Signer, change func(*x509.RevocationList)) answering {
		l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(time.Hour)}
		if change != nil {
			change(l)
		}
		return must(x509.CreateRevocationList(rand.Reader, l, issuer, by.Key))
	}
	middle := pkitest.Signer{Key: a.MiddleKey(), Certificate: a.Middle}
	extension := func(last byte, value ...byte) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{{Id: []int{2, 5, 29, int(last)}, Critical: true, Value: value}}
		}
	}
	altered := append(answering{}, list(a.Middle, middle, nil)...)
	altered[len(altered)-3] ^= 1
	for name, c := range map[string]struct {
		server http.Handler
		want   string
	}{
		"the issuer's":            {nil, ""},
		"of users alone":          {list(a.Middle, middle, extension(28, 0x30, 3, 0x81, 1, 0xFF)), ""},
		"another authority's":     {answering(must(stranger.CRL(stranger.Middle, stranger.MiddleKey()))), "is not signed by"},
		"the root's":              {answering(must(a.CRL(a.Root, a.RootKey()))), "is not signed by"},
		"of an earlier time":      {list(a.Middle, middle, func(l *x509.RevocationList) { l.ThisUpdate, l.NextUpdate = now.Add(-3*time.Hour), now.Add(-time.Hour) }), "has ended"},
		"of a time to come":       {list(a.Middle, middle, func(l *x509.RevocationList) { l.ThisUpdate, l.NextUpdate = now.Add(time.Hour), now.Add(2*time.Hour) }), "not come yet"},
		"of authorities alone":    {list(a.Middle, middle, extension(28, 0x30, 3, 0x82, 1, 0xFF)), "is not about"},
		"of others' certificates": {list(a.Middle, middle, extension(28, 0x30, 3, 0x84, 1, 0xFF)), "is not about"},
		"changes alone":           {list(a.Middle, middle, extension(27, 2, 1, 1)), "changes alone"},
		"an unknown extension":    {list(a.Middle, middle, extension(99, 5, 0)), "critical extension"},
		"revoked": {list(a.Middle, middle, func(l *x509.RevocationList) {
			l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: cert.SerialNumber, RevocationTime: now.Add(-time.Hour)}}
		}), "was revoked on"},
		"altered":   {altered, "is not signed by"},
		"garbage":   {answering("garbage"), "cannot be read"},
		"too large": {answering(bytes.Repeat([]byte{0x30}, MaxEvidence+1)), "larger than 1024 KB"},
		"an error":  {pkitest.Status(http.StatusNotFound), "status 404"},
		"too slow":  {stalling{}, "Timeout"},
	} {
		a.Handle("/middle.crl", c.server)
		p, err := newEvidence().findStatus(t.Context(), cert, a.Middle, now)
		switch {
		case c.want == "" && (err != nil || p.crl == nil):
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// What was asked serves for all that ask in an hour; a failure for half a minute.
func TestEvidenceIsAskedForOnce(t *testing.T) {
	t.Parallel()
	a, cert := issuerOf(t, false)
	now := time.Now()
	e := newEvidence()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := e.findStatus(t.Context(), cert, a.Middle, now); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := a.Calls("/ocsp"); n != 1 {
		t.Errorf("the responder was asked %d times", n)
	}
	if _, err := e.findStatus(t.Context(), cert, a.Middle, now.Add(2*time.Hour)); err != nil || a.Calls("/ocsp") != 2 {
		t.Errorf("after two hours: asked %d times, %v", a.Calls("/ocsp"), err)
	}
	e = newEvidence()
	a.Handle("/ocsp", pkitest.Status(http.StatusServiceUnavailable))
	for _, after := range []time.Duration{0, time.Second, time.Minute} {
		if _, err := e.findStatus(t.Context(), cert, a.Middle, now.Add(after)); err == nil {
			t.Error("a server without an answer was believed")
		}
	}
	if n := a.Calls("/ocsp"); n != 4 {
		t.Errorf("the responder was asked %d times", n)
	}
}

// Certificates name addresses that somebody else chose: only public ones are asked.
func TestEvidenceStaysOutside(t *testing.T) {
	t.Parallel()
	a, cert := issuerOf(t, false)
	e := NewEvidence(ssrf.New(ssrf.Policy{AllowPlain: true, Timeout: time.Second}))
	_, err := e.findStatus(t.Context(), cert, a.Middle, time.Now())
	if err == nil || !strings.Contains(err.Error(), "not a public address") || a.Calls("/ocsp") != 0 {
		t.Errorf("%v, asked %d times", err, a.Calls("/ocsp"))
	}
}

// The certificate of an issuer is taken where it made the certificate alone.
func TestIssuersAreAskedFor(t *testing.T) {
	t.Parallel()
	a, _ := issuerOf(t, false)
	cert := must(a.Issue("Registrar", false)).Certificate
	stranger := must(pkitest.New(nil, time.Hour))
	defer stranger.Close()
	for name, c := range map[string]struct {
		server http.Handler
		want   string
	}{
		"the issuer's": {nil, ""}, "a stranger's of the same name": {answering(stranger.Middle.Raw), "another certificate"},
		"the root's": {answering(a.Root.Raw), "another certificate"}, "garbage": {answering("garbage"), "no certificate"},
	} {
		a.Handle("/middle.cer", c.server)
		got, err := newEvidence().Issuer(t.Context(), cert, time.Now())
		if c.want == "" && (err != nil || !got.Equal(a.Middle)) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	alone := must(a.Issue("Registrar", false, x509.Certificate{NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)})).Certificate
	if _, err := newEvidence().Issuer(t.Context(), alone, time.Now()); err == nil || !strings.Contains(err.Error(), "whole chain") {
		t.Errorf("without an address: %v", err)
	}
	_, err := newEvidence().findStatus(t.Context(), alone, a.Middle, time.Now())
	if err == nil || !strings.Contains(err.Error(), "neither an OCSP responder nor a revocation list") {
		t.Errorf("without an address: %v", err)
	}
}
