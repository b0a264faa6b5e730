package verify

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxEvidence     = 500     // certificates, lists and answers that are read
	maxEvidenceSize = 8 << 20 // bytes of one of them
)

// store is what a document keeps for its own validation (ISO 32000-2, 12.8.4.3).
type store struct {
	present      bool
	certificates []*x509.Certificate
	lists        []*x509.RevocationList
	answers      []*ocsp.Response
}

// readStore reads the document's security store.
func (d *document) readStore() {
	dss := d.f.Get(d.f.Root, "DSS")
	if dss.IsNull() {
		return
	}
	s := &d.store
	left := maxEvidence
	s.read(d.f, dss, "Certs", "CRLs", "OCSPs", &left)
	vri := d.f.Get(dss, "VRI")
	for _, entry := range vri.Pairs() {
		s.read(d.f, d.f.Resolve(vri.Part(entry)), "Cert", "CRL", "OCSP", &left)
	}
	s.present = true
}

func (s *store) read(f *xref.File, v xref.Value, certs, lists, answers string, left *int) {
	each := func(key string, parse func([]byte)) {
		for e := range f.Elems(f.Get(v, key)) {
			if *left--; *left < 0 || !e.IsStream() {
				return
			}
			if data, err := f.Inflate(e, maxEvidenceSize); err == nil {
				parse(data)
			}
		}
	}
	// What cannot be read proves nothing.
	each(certs, func(b []byte) {
		if c, err := x509.ParseCertificate(b); err == nil {
			s.certificates = append(s.certificates, c)
		}
	})
	each(lists, func(b []byte) {
		if l, err := x509.ParseRevocationList(b); err == nil {
			s.lists = append(s.lists, l)
		}
	})
	each(answers, func(b []byte) {
		if a, err := ocsp.ParseResponse(b, nil); err == nil {
			s.answers = append(s.answers, a)
		}
	})
}

// revoked says why a chain does not hold at a time: one of its certificates was revoked
// before. The zero time is one that is not known, and every revocation counts. It is empty
// where the store says nothing of the kind.
func (s *store) revoked(chain []*x509.Certificate, at time.Time) string {
	for i := range len(chain) - 1 {
		cert, issuer := chain[i], chain[i+1]
		for _, l := range s.lists {
			if l.CheckSignatureFrom(issuer) != nil {
				continue
			}
			for _, e := range l.RevokedCertificateEntries {
				if e.SerialNumber.Cmp(cert.SerialNumber) == 0 && (at.IsZero() || !e.RevocationTime.After(at)) {
					return revokedText(cert, e.RevocationTime)
				}
			}
		}
		for _, a := range s.answers {
			if a.Status == ocsp.Revoked && answersFor(a, cert, issuer) && (at.IsZero() || !a.RevokedAt.After(at)) {
				return revokedText(cert, a.RevokedAt)
			}
		}
	}
	return ""
}

func revokedText(cert *x509.Certificate, when time.Time) string {
	return fmt.Sprintf("the certificate of %q was revoked on %s", commonName(cert), formatDay(when))
}

// answersFor reports whether an answer is about a certificate, by its issuer or by one that
// the issuer gave the right to.
func answersFor(a *ocsp.Response, cert, issuer *x509.Certificate) bool {
	if a.SerialNumber == nil || a.SerialNumber.Cmp(cert.SerialNumber) != 0 {
		return false
	}
	if a.Certificate == nil {
		return a.CheckSignatureFrom(issuer) == nil
	}
	if a.Certificate.Equal(issuer) {
		return a.CheckSignatureFrom(issuer) == nil
	}
	return slices.Contains(a.Certificate.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) && a.Certificate.CheckSignatureFrom(issuer) == nil &&
		a.CheckSignatureFrom(a.Certificate) == nil
}

// covers reports whether the store has what the validation of a chain needs: the chain
// up to its root, and for each certificate below it a list or an answer. A certificate
// that nobody but its owner vouches for needs none.
func (s *store) covers(chain []*x509.Certificate) bool {
	root := chain[len(chain)-1]
	if !s.present || string(root.RawIssuer) != string(root.RawSubject) {
		return false
	}
	for i := range len(chain) - 1 {
		if !s.hasStatus(chain[i], chain[i+1]) {
			return false
		}
	}
	return true
}

func (s *store) hasStatus(cert, issuer *x509.Certificate) bool {
	for _, l := range s.lists {
		if l.CheckSignatureFrom(issuer) == nil {
			return true
		}
	}
	for _, a := range s.answers {
		if a.Status != ocsp.Unknown && answersFor(a, cert, issuer) {
			return true
		}
	}
	return false
}
