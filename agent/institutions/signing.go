package institutions

import (
	"net/http"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf"
)

// timestampTimeout is how long a time stamp server may take; without its answer a
// document is signed all the same.
const timestampTimeout = 10 * time.Second

// SigningOptions is how documents are signed, as the settings say.
type SigningOptions struct {
	TimestampServer string // address of an RFC 3161 server, "" for none
	Visible         bool   // the code is the signature's appearance
	Restricted      bool   // documents whose author forbids changes are stamped too
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
	if s.Signing.TimestampServer != "" {
		options = append(options, pdf.WithTimestamps(&http.Client{Timeout: timestampTimeout}, s.Signing.TimestampServer))
	}
	return pdf.NewStamper(signer, options...)
}
