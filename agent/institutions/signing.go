package institutions

import (
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/signer"
)

// SigningOptions is how documents are signed, as the settings say.
type SigningOptions struct {
	Timestamper *pdf.Timestamper // nil: no time stamps
	Visible     bool             // the code is the signature's appearance
	Restricted  bool             // documents whose author forbids changes are stamped too
	Signers     signer.Opener    // opens keys that lie in no file of the home
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
