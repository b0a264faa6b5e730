package signing

import (
	"fmt"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// keyLost holds the work of an institution whose key cannot be used. The document is not at
// fault, and waits until the key is put back or replaced.
func keyLost(err error) error {
	reason := err.Error()
	if message, ok := fault.Message(err); ok {
		reason = message
	}
	return &HeldError{reason}
}

// checkKey holds the work of a stamper whose certificate has ended: its signatures would not be
// valid. The document is not at fault, and waits for another key.
func checkKey(s *pdf.Stamper, now time.Time) error {
	c := s.Certificate()
	if !now.After(c.NotAfter) {
		return nil
	}
	return &HeldError{fmt.Sprintf("the signing key of %s ended on %s; replace it with \"vecctl key rotate\" or \"vecctl key import\"",
		c.Subject.CommonName, c.NotAfter.UTC().Format(time.DateOnly))}
}
