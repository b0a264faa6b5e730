package signing

import (
	"errors"
	"fmt"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// errKeyEnded says that a certificate has ended, so that nothing is signed with its key.
var errKeyEnded = errors.New("the signing certificate has ended")

// keyEndedDelay is how long a document waits before its key is looked at again.
const keyEndedDelay = 10 * time.Second

// checkKey refuses a stamper whose certificate has ended: its signatures would not be
// valid. The document is not at fault, and waits for another key.
func checkKey(s *pdf.Stamper, now time.Time) error {
	c := s.Certificate()
	if !now.After(c.NotAfter) {
		return nil
	}
	return fault.Wrap(fault.Illegal, errKeyEnded, fmt.Sprintf("the signing key of %s ended on %s; documents wait until it is replaced with \"vecctl key rotate\" or \"vecctl key import\"",
		c.Subject.CommonName, c.NotAfter.UTC().Format(time.DateOnly)))
}
