package seats

import (
	"net/http"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf"
)

// timestampTime is how long a time stamp server may take; without its answer a
// document is signed all the same.
const timestampTime = 10 * time.Second

// Signing is how documents are signed, as the settings say.
type Signing struct {
	Timestamps string // address of an RFC 3161 server, "" for none
	Visible    bool   // the code is the signature's appearance
	Restricted bool   // documents whose author forbids changes are stamped too
}

// seal makes the seal of a signer.
func (s *Seats) seal(signer *pdf.Signer) *pdf.Stamper {
	var options []pdf.StamperOption
	if s.Signing.Visible {
		options = append(options, pdf.WithVisibleSignature())
	}
	if s.Signing.Restricted {
		options = append(options, pdf.WithRestricted())
	}
	if s.Signing.Timestamps != "" {
		options = append(options, pdf.WithTimestamps(&http.Client{Timeout: timestampTime}, s.Signing.Timestamps))
	}
	return pdf.NewStamper(signer, options...)
}
