package pdf

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf/cms"
	"github.com/vecctl/vecctl/pkg/pdf/verify"
)

// endsSoon is how long before its end a key is worth a warning.
const endsSoon = 90 * 24 * time.Hour

// Rehearse signs a throw-away document and has the verifier judge it, so that a key that
// makes no valid signatures is refused before it signs anything. The warnings are sentences
// about what is worth knowing.
func (s *Signer) Rehearse(now time.Time) (warnings []string, err error) {
	if err := s.checkCertificate(now); err != nil {
		return nil, err
	}
	if warnings, err = s.checkChain(now); err != nil {
		return nil, err
	}
	leaf := s.Certificate()
	if left := leaf.NotAfter.Sub(now); left < endsSoon {
		warnings = append(warnings, fmt.Sprintf("The certificate ends on %s, in %d days.", formatDate(leaf.NotAfter), int(left.Hours()/24)))
	}
	var page bytes.Buffer
	if err := WritePage(&page, 210, 297, nil); err != nil {
		return nil, fmt.Errorf("make a document to sign: %w", err)
	}
	src := Source{R: bytes.NewReader(page.Bytes()), Size: int64(page.Len())}
	update, err := NewStamper(s).Stamp(src, Stamp{URL: "https://example.org/v/REHEARSAL", Caption: "REHEARSAL", SignedAt: now})
	if fault.Is(err, fault.Unavailable) {
		return nil, err // the key lies elsewhere, and the error says what is wrong there
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "The key cannot sign a document: use another one.")
	}
	whole := joined{src, update.Bytes}
	v, err := Verify(whole, src.Size+int64(len(update.Bytes)), WithTime(now))
	if err != nil {
		return nil, err
	}
	if !v.Valid {
		return nil, fault.Newf(fault.Invalid, "What this key signs would not be valid, so it was not taken. A document signed for a test was judged: %s", v.Sentence)
	}
	return warnings, nil
}

// Rehearse is Signer.Rehearse of the key that the stamper signs with.
func (s *Stamper) Rehearse(now time.Time) (warnings []string, err error) {
	return s.signer.Rehearse(now)
}

// checkCertificate checks that the signer's certificate may sign documents now.
func (s *Signer) checkCertificate(now time.Time) error {
	c := s.Certificate()
	switch {
	case now.After(c.NotAfter) || now.Before(c.NotBefore):
		return fault.Newf(fault.Invalid, "The certificate of this key is valid from %s to %s; use one that is valid now.",
			formatDate(c.NotBefore), formatDate(c.NotAfter))
	case !verify.MaySign(c):
		return fault.Newf(fault.Invalid, "The certificate is not for signing documents: it allows %s. Ask its issuer for one that allows digital signatures or content commitment.",
			usages(c))
	}
	if k, ok := c.PublicKey.(*ecdsa.PublicKey); ok && k.Curve == elliptic.P224() {
		return fault.New(fault.Invalid, "The key is on the elliptic curve P-224, which PDF viewers do not know: use a key on P-256, P-384 or P-521, or an RSA key.")
	}
	return nil
}

// checkChain checks the certificates that vouch for the signer's.
func (s *Signer) checkChain(now time.Time) (warnings []string, err error) {
	chain := s.cms.Chain()
	last := chain[len(chain)-1]
	selfMade := bytes.Equal(last.RawIssuer, last.RawSubject)
	if selfMade && !cms.MadeBy(last, last) {
		return nil, fault.Newf(fault.Invalid, "The certificate of %q says that it is its own issuer, and its signature is another's: export the chain anew.", nameOf(last))
	}
	for _, c := range chain[1:] {
		switch {
		case c.BasicConstraintsValid && !c.IsCA, c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
			return nil, fault.Newf(fault.Invalid, "The certificate of %q may not issue others, and it issued one of the chain: ask for a certificate by an authority.", nameOf(c))
		case now.After(c.NotAfter) || now.Before(c.NotBefore):
			warnings = append(warnings, fmt.Sprintf("The certificate of %q, which vouches for this key, is valid from %s to %s only.",
				nameOf(c), formatDate(c.NotBefore), formatDate(c.NotAfter)))
		}
	}
	if why := chainFault(chain, now); why != "" {
		warnings = append(warnings, fmt.Sprintf("Readers that check the chain of certificates will not accept it: %s. Ask the issuer for another certificate.", why))
	}
	namesake := -1
	if !selfMade {
		namesake = slices.IndexFunc(s.cms.LeftOut(), func(o *x509.Certificate) bool { return bytes.Equal(o.RawSubject, last.RawIssuer) })
	}
	switch {
	case selfMade:
	case namesake >= 0 && cms.MayBeIssuer(last, s.cms.LeftOut()[namesake]):
		return nil, fault.Newf(fault.Invalid, "The certificate of %q names %q as its issuer, and the certificate of that name in the file did not make it: export the chain anew, with the right one.",
			nameOf(last), last.Issuer.CommonName)
	default:
		warnings = append(warnings, fmt.Sprintf("The certificate of %q names %q as its issuer, whose certificate is not in the file: readers cannot check who issued it. Add it, best with the whole chain.",
			nameOf(last), issuerName(last)))
	}
	for _, c := range s.cms.LeftOut() {
		warnings = append(warnings, fmt.Sprintf("The certificate of %q with the serial number %x vouches for none of the others and is left out of signatures.", nameOf(c), c.SerialNumber))
	}
	if len(chain) == 1 && selfMade {
		warnings = append(warnings, "The certificate is self-made: nobody vouches for the name in it.")
	}
	return warnings, nil
}

// chainFault returns why readers that trust the last certificate of a chain do not accept
// the first one, or "". What Rehearse says of the certificates one by one is left out.
func chainFault(chain []*x509.Certificate, now time.Time) string {
	last := len(chain) - 1
	for _, c := range chain[:last] {
		if slices.Contains([]x509.SignatureAlgorithm{x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1, x509.MD5WithRSA}, c.SignatureAlgorithm) {
			return fmt.Sprintf("the certificate of %q is signed with %s, which is not safe any more", nameOf(c), c.SignatureAlgorithm)
		}
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(chain[last])
	for _, c := range chain[:last] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	var invalid x509.CertificateInvalidError
	var critical x509.UnhandledCriticalExtension
	switch {
	case err == nil || errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return ""
	case errors.As(err, &critical):
		return "one of its certificates has a critical extension that they need not know"
	case errors.As(err, &invalid) && invalid.Reason == x509.TooManyIntermediates:
		return "one of its authorities may not have authorities below it"
	case errors.As(err, &invalid) && invalid.Reason == x509.CANotAuthorizedForThisName:
		return "one of its authorities may not issue certificates for this name"
	}
	return strings.TrimPrefix(err.Error(), "x509: ")
}

func nameOf(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	return c.Subject.String()
}

func issuerName(c *x509.Certificate) string {
	if c.Issuer.CommonName != "" {
		return c.Issuer.CommonName
	}
	return c.Issuer.String()
}

func formatDate(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// usages names what a certificate allows.
func usages(c *x509.Certificate) string {
	var names []string
	for i, name := range []string{"digital signatures", "content commitment", "key encipherment", "data encipherment", "key agreement",
		"signing certificates", "signing revocation lists", "enciphering", "deciphering"} {
		if c.KeyUsage&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	if len(names) > 0 && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) != 0 {
		names = nil // its extended usages are what is wrong
	}
	for _, u := range c.ExtKeyUsage {
		if name, ok := extendedUsages[u]; ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "other things"
	}
	return strings.Join(names, ", ")
}

var extendedUsages = map[x509.ExtKeyUsage]string{x509.ExtKeyUsageServerAuth: "web servers", x509.ExtKeyUsageTimeStamping: "time stamps",
	x509.ExtKeyUsageOCSPSigning: "answers about revocation"}
