package institutions

import (
	"cmp"
	"crypto/x509"

	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/signer"
)

// SigningOptions is how documents are signed, as the settings say.
type SigningOptions struct {
	Timestamper *pdf.Timestamper // nil: no time stamps
	Visible     bool             // the code is the signature's appearance
	Restricted  bool             // documents whose author forbids changes are stamped too
	Signers     signer.Opener    // opens keys that lie in no file of the home
	Algorithm   pdf.KeyAlgorithm // of keys that are made; "" is the default
}

// kind is the kind of keys that are made.
func (o SigningOptions) kind() pdf.KeyAlgorithm { return cmp.Or(o.Algorithm, pdf.DefaultKeyAlgorithm) }

// sameKind is the kind of a certificate's key, where such keys can be made.
func sameKind(c *x509.Certificate, otherwise pdf.KeyAlgorithm) pdf.KeyAlgorithm {
	if c == nil {
		return otherwise
	}
	if kind, err := pdf.ParseKeyAlgorithm(pdf.AlgorithmName(c.PublicKey)); err == nil {
		return kind
	}
	return otherwise
}

// newStamper makes the seal of a signer.
func (s *Registry) newStamper(signer *pdf.Signer) *pdf.Stamper {
	var options []pdf.StamperOption
	if s.Signing.Visible {
		options = append(options, pdf.WithVisibleSignature())
	}
	if s.Signing.Restricted {
		options = append(options, pdf.WithRestricted())
	}
	if s.Signing.Timestamper != nil {
		options = append(options, pdf.WithTimestamps(s.Signing.Timestamper))
	}
	return pdf.NewStamper(signer, options...)
}
