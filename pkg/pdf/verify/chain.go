package verify

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf/cms"
)

// maxChain is how many certificates a chain may have.
const maxChain = 10

// clockSlack is how far a signer's clock may be ahead of ours.
const clockSlack = 24 * time.Hour

// checkCertificate checks that the signer's certificate can have made the signature, and
// who vouches for it.
func (d *document) checkCertificate(c *candidate) {
	s := &c.result
	if !s.Intact || c.certificate == nil {
		return
	}
	cert, at := c.certificate, s.SignedAt
	switch {
	case !d.options.Now.IsZero() && at.After(d.options.Now.Add(clockSlack)):
		s.fail(OutsideValidity, "the signature is of a time that has not come yet")
	case !at.IsZero() && (at.Before(cert.NotBefore) || at.After(cert.NotAfter)):
		s.fail(OutsideValidity, fmt.Sprintf("the signer's certificate was not valid at the time of signing: it is valid from %s to %s",
			formatDay(cert.NotBefore), formatDay(cert.NotAfter)))
	case at.IsZero() && !d.options.Now.IsZero() && d.options.Now.After(cert.NotAfter):
		s.fail(OutsideValidity, fmt.Sprintf("the signature does not say when it was made, and the signer's certificate is not valid any more: it was until %s", formatDay(cert.NotAfter)))
	case s.IsTimestamp && !isTimeStamper(cert, at):
		s.fail(KeyUsage, "the time stamp server's certificate is not for time stamps")
	case !s.IsTimestamp && !MaySign(cert):
		s.fail(KeyUsage, "the signer's certificate is not for signing documents")
	}
	pool := slices.Concat(c.others, d.store.certificates)
	chain, broken := buildChain(cert, pool, d.options.Issuances)
	if broken {
		s.fail(BrokenChain, fmt.Sprintf("the signer's certificate was not made by %q, which came with it and is named as its issuer", s.Issuer))
	}
	if why := d.store.revoked(chain, d.provenTime(c)); why != "" {
		s.fail(Revoked, why)
	}
	s.Trusted = d.trusts(cert, pool, at, s.IsTimestamp)
}

// provenTime is when a time stamp says that the signature was there. It is zero where none
// does: what the signer says of the time does not help once the certificate was revoked.
func (d *document) provenTime(c *candidate) time.Time {
	if c.token != nil {
		return c.result.SignedAt
	}
	stamps := d.stampsAfter(slices.Index(d.signatures, c))
	if len(stamps) == 0 {
		return time.Time{}
	}
	return stamps[0].result.SignedAt
}

// trusts reports whether a trusted certificate vouches for one at a time.
func (d *document) trusts(cert *x509.Certificate, pool []*x509.Certificate, at time.Time, timestamp bool) bool {
	if d.options.Trust == nil {
		return false
	}
	between := x509.NewCertPool()
	for _, other := range pool {
		between.AddCert(other)
	}
	if at.IsZero() {
		at = d.options.Now
	}
	usage := x509.ExtKeyUsageAny
	if timestamp {
		usage = x509.ExtKeyUsageTimeStamping
	}
	leaf := *cert
	leaf.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(leaf.UnhandledCriticalExtensions), func(id asn1.ObjectIdentifier) bool {
		return id.Equal(oidExtKeyUsage)
	})
	_, err := leaf.Verify(x509.VerifyOptions{Roots: d.options.Trust, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage}})
	return err == nil
}

var oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

// buildChain finds the certificates that vouch for one, as far as they are at hand. broken
// is true where what calls itself an issuer did not make the certificate.
func buildChain(cert *x509.Certificate, pool []*x509.Certificate, made *cms.Issuances) (chain []*x509.Certificate, broken bool) {
	chain = []*x509.Certificate{cert}
	for len(chain) < maxChain && !bytes.Equal(cert.RawIssuer, cert.RawSubject) {
		issuer, claimed := findIssuer(cert, pool, made)
		if issuer == nil {
			return chain, claimed
		}
		chain, cert = append(chain, issuer), issuer
	}
	if bytes.Equal(cert.RawIssuer, cert.RawSubject) && !made.MadeBy(cert, cert) {
		return chain, true
	}
	return chain, false
}

// findIssuer finds the certificate that made another one. claimed is true where there is one
// that says to be it and is not.
func findIssuer(cert *x509.Certificate, pool []*x509.Certificate, made *cms.Issuances) (issuer *x509.Certificate, claimed bool) {
	for _, p := range pool {
		if !bytes.Equal(p.RawSubject, cert.RawIssuer) {
			continue
		}
		if made.MadeBy(cert, p) {
			return p, false
		}
		claimed = claimed || cms.MayBeIssuer(cert, p)
	}
	return nil, claimed
}

// notForDocuments are extended usages that have nothing to do with documents.
var notForDocuments = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageOCSPSigning,
	x509.ExtKeyUsageIPSECEndSystem, x509.ExtKeyUsageIPSECTunnel, x509.ExtKeyUsageIPSECUser,
	x509.ExtKeyUsageMicrosoftServerGatedCrypto, x509.ExtKeyUsageNetscapeServerGatedCrypto}

// MaySign reports whether a certificate's usages allow it to sign documents. One that
// names no usage may.
func MaySign(c *x509.Certificate) bool {
	if c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return false
	}
	if len(c.ExtKeyUsage) == 0 || len(c.UnknownExtKeyUsage) > 0 {
		return true
	}
	return slices.ContainsFunc(c.ExtKeyUsage, func(u x509.ExtKeyUsage) bool { return !slices.Contains(notForDocuments, u) })
}

// isTimeStamper reports whether a certificate is one of a time stamp server at a time.
func isTimeStamper(c *x509.Certificate, at time.Time) bool {
	return slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageTimeStamping) && !at.Before(c.NotBefore) && !at.After(c.NotAfter)
}
