// Package pkitest has the servers of a certificate authority for tests: a root, an intermediate,
// time stamps (RFC 3161), OCSP (RFC 6960) and revocation lists, all in one process.
package pkitest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Authority is a certificate authority with its servers.
type Authority struct {
	Root, Middle *x509.Certificate
	// Clock is the time of all that it makes.
	Clock Clock
	// URL is where its servers are.
	URL string

	server             *httptest.Server
	rootKey, middleKey crypto.Signer
	clockKey           crypto.Signer
	clock              *x509.Certificate // of the time stamp server
	serial             atomic.Int64

	mu        sync.Mutex
	revoked   map[string]time.Time // by serial number
	handlers  map[string]http.Handler
	responder *Signer // of OCSP answers; nil: the issuer itself
	counts    map[string]int
}

// Clock says what time it is.
type Clock interface{ Now() time.Time }

// Fixed is a clock that stands still, apart from what is added to it.
type Fixed struct {
	mu sync.Mutex
	at time.Time
}

// NewFixed makes a clock that stands at a time.
func NewFixed(at time.Time) *Fixed { return &Fixed{at: at} }

// Now implements Clock.
func (f *Fixed) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

// Add moves the clock on.
func (f *Fixed) Add(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = f.at.Add(d)
}

type system struct{}

func (system) Now() time.Time { return time.Now() }

// Signer is a key with its certificate.
type Signer struct {
	Key         crypto.Signer
	Certificate *x509.Certificate
}

// New starts an authority; Close ends it. A nil clock is the system's. The certificate of its
// time stamp server is valid for a time.
func New(clock Clock, timestampsFor time.Duration) (*Authority, error) {
	if clock == nil {
		clock = system{}
	}
	a := &Authority{Clock: clock, revoked: map[string]time.Time{}, handlers: map[string]http.Handler{}, counts: map[string]int{}}
	a.server = httptest.NewServer(http.HandlerFunc(a.serve))
	a.URL = a.server.URL
	if err := a.makeCertificates(timestampsFor); err != nil {
		a.server.Close()
		return nil, err
	}
	return a, nil
}

// Close ends the servers.
func (a *Authority) Close() { a.server.Close() }

// TimestampURL is the address of the time stamp server.
func (a *Authority) TimestampURL() string { return a.URL + "/tsa" }

func (a *Authority) makeCertificates(timestampsFor time.Duration) error {
	const years = 20
	now := a.Clock.Now()
	ca := func(name string) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(years, 0, 0),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature}
	}
	root, middle := ca("Test Root"), ca("Test Intermediate")
	var err error
	if a.rootKey, a.middleKey, err = twoKeys(); err != nil {
		return err
	}
	if a.Root, err = a.sign(root, root, a.rootKey.Public(), a.rootKey); err != nil {
		return err
	}
	middle.CRLDistributionPoints = []string{a.URL + "/root.crl"}
	middle.IssuingCertificateURL = []string{a.URL + "/root.cer"}
	if a.Middle, err = a.sign(middle, a.Root, a.middleKey.Public(), a.rootKey); err != nil {
		return err
	}
	return a.RenewTimestampKey(timestampsFor)
}

func twoKeys() (a, b crypto.Signer, err error) {
	if a, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, nil, err
	}
	b, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return a, b, err
}

func (a *Authority) sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	template.SerialNumber = big.NewInt(a.Clock.Now().UnixNano() + a.serial.Add(1))
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// RenewTimestampKey gives the time stamp server a new key, whose certificate is valid for a time.
func (a *Authority) RenewTimestampKey(valid time.Duration) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := a.Clock.Now()
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		return err
	}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "Test Clock"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(valid),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}},
		CRLDistributionPoints: []string{a.URL + "/middle.crl"}, IssuingCertificateURL: []string{a.URL + "/middle.cer"}}
	clock, err := a.sign(template, a.Middle, key.Public(), a.middleKey)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.clockKey, a.clock = key, clock
	return nil
}

// Issue makes a certificate of the intermediate for a new key. Change, where it is given, alters
// what it says. Its status is told by OCSP and by a revocation list.
func (a *Authority) Issue(name string, rsaKey bool, change ...x509.Certificate) (Signer, error) {
	var key crypto.Signer
	var err error
	const bits = 2048
	if rsaKey {
		key, err = rsa.GenerateKey(rand.Reader, bits)
	} else {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		return Signer{}, err
	}
	now := a.Clock.Now()
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(3, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment, OCSPServer: []string{a.URL + "/ocsp"},
		CRLDistributionPoints: []string{a.URL + "/middle.crl"}, IssuingCertificateURL: []string{a.URL + "/middle.cer"}}
	for _, c := range change {
		name := template.Subject
		*template = c
		template.Subject = name
	}
	cert, err := a.sign(template, a.Middle, key.Public(), a.middleKey)
	return Signer{key, cert}, err
}

// PEM is a signer's key with its chain.
func (a *Authority) PEM(s Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(s.Key)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	blocks := []*pem.Block{{Type: "PRIVATE KEY", Bytes: der}}
	for _, c := range []*x509.Certificate{s.Certificate, a.Middle, a.Root} {
		blocks = append(blocks, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	for _, block := range blocks {
		if err := pem.Encode(&b, block); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// Revoke revokes a certificate.
func (a *Authority) Revoke(c *x509.Certificate) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.revoked[c.SerialNumber.String()] = a.Clock.Now().Add(-time.Minute)
}

// Handle has another handler answer at a path, such as /ocsp; nil takes that back.
func (a *Authority) Handle(path string, h http.Handler) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.handlers[path] = h
}

// Delegate has another key sign OCSP answers; nil takes that back.
func (a *Authority) Delegate(s *Signer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.responder = s
}

// Calls is how often a path was asked for.
func (a *Authority) Calls(path string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.counts[path]
}

func (a *Authority) serve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.counts[r.URL.Path]++
	other := a.handlers[r.URL.Path]
	a.mu.Unlock()
	if other != nil {
		other.ServeHTTP(w, r)
		return
	}
	a.Answer(w, r)
}

// Answer answers as the servers do that no handler was set for.
func (a *Authority) Answer(w http.ResponseWriter, r *http.Request) {
	const most = 64 << 10
	body, err := io.ReadAll(io.LimitReader(r.Body, most))
	var answer []byte
	kind := "application/pkix-cert"
	switch r.URL.Path {
	case "/root.cer":
		answer = a.Root.Raw
	case "/middle.cer":
		answer = a.Middle.Raw
	case "/root.crl":
		kind = "application/pkix-crl"
		answer, err = a.CRL(a.Root, a.rootKey)
	case "/middle.crl":
		kind = "application/pkix-crl"
		answer, err = a.CRL(a.Middle, a.middleKey)
	case "/ocsp":
		kind = "application/ocsp-response"
		answer, err = a.ocsp(body)
	case "/tsa":
		kind = "application/timestamp-reply"
		answer, err = a.timestamp(body)
	default:
		http.NotFound(w, r)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(answer) // the caller sees what is missing
}

// Lifetime is how long answers and lists are current.
const Lifetime = 24 * time.Hour

// CRL makes the revocation list of an issuer.
func (a *Authority) CRL(issuer *x509.Certificate, key crypto.Signer) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.Clock.Now()
	list := &x509.RevocationList{Number: big.NewInt(now.Unix()), ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(Lifetime)}
	for serial, at := range a.revoked {
		number, _ := new(big.Int).SetString(serial, 10)
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: number, RevocationTime: at})
	}
	return x509.CreateRevocationList(rand.Reader, list, issuer, key)
}

// MiddleKey is the key of the intermediate.
func (a *Authority) MiddleKey() crypto.Signer { return a.middleKey }

// RootKey is the key of the root.
func (a *Authority) RootKey() crypto.Signer { return a.rootKey }

func (a *Authority) ocsp(request []byte) ([]byte, error) {
	q, err := ocsp.ParseRequest(request)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.Clock.Now()
	answer := ocsp.Response{Status: ocsp.Good, SerialNumber: q.SerialNumber, ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(Lifetime)}
	if at, ok := a.revoked[q.SerialNumber.String()]; ok {
		answer.Status, answer.RevokedAt = ocsp.Revoked, at
	}
	responder, key := a.Middle, a.middleKey
	if a.responder != nil {
		responder, key = a.responder.Certificate, a.responder.Key
		answer.Certificate = responder
	}
	return ocsp.CreateResponse(a.Middle, responder, answer, key)
}

// Status answers with a status and nothing else.
type Status int

// ServeHTTP implements http.Handler.
func (s Status) ServeHTTP(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(s)) }
