package verify

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/vecctl/vecctl/pkg/pdf/cms"
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
	signedLists  map[signedList]bool // what is known of signatures of lists
}

// signedList is a list and the certificate that may have signed it.
type signedList struct {
	list   *x509.RevocationList
	issuer string
}

// isSigned reports whether an issuer signed a list.
func (s *store) isSigned(l *x509.RevocationList, issuer *x509.Certificate) bool {
	if !bytes.Equal(l.RawIssuer, issuer.RawSubject) {
		return false
	}
	key := signedList{l, string(issuer.Raw)}
	signed, known := s.signedLists[key]
	if !known {
		if signed = l.CheckSignatureFrom(issuer) == nil; s.signedLists == nil {
			s.signedLists = map[signedList]bool{}
		}
		s.signedLists[key] = signed
	}
	return signed
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
			if !s.isSigned(l, issuer) {
				continue
			}
			for _, e := range l.RevokedCertificateEntries {
				if e.SerialNumber.Cmp(cert.SerialNumber) == 0 && (at.IsZero() || !e.RevocationTime.After(at)) {
					return revokedText(cert, e.RevocationTime)
				}
			}
		}
		for _, a := range s.answers {
			if a.Status == ocsp.Revoked && cms.Answers(a, cert, issuer) && (at.IsZero() || !a.RevokedAt.After(at)) {
				return revokedText(cert, a.RevokedAt)
			}
		}
	}
	return ""
}

func revokedText(cert *x509.Certificate, when time.Time) string {
	return fmt.Sprintf("the certificate of %q was revoked on %s", commonName(cert), formatDay(when))
}

// lacks names what the store lacks for the validation of a chain: certificates up to its root,
// and for each certificate below that a list or an answer. A certificate that nobody but its
// owner vouches for needs none.
func (s *store) lacks(chain []*x509.Certificate) (what []string) {
	for i := range len(chain) - 1 {
		if !s.hasStatus(chain[i], chain[i+1]) {
			what = append(what, fmt.Sprintf("proof that the certificate of %q was not revoked", commonName(chain[i])))
		}
	}
	if top := chain[len(chain)-1]; string(top.RawIssuer) != string(top.RawSubject) {
		what = append(what, fmt.Sprintf("the certificate of the issuer of %q", commonName(top)))
	}
	return what
}

func (s *store) hasStatus(cert, issuer *x509.Certificate) bool {
	for _, l := range s.lists {
		if s.isSigned(l, issuer) {
			return true
		}
	}
	for _, a := range s.answers {
		if a.Status != ocsp.Unknown && cms.Answers(a, cert, issuer) {
			return true
		}
	}
	return false
}
