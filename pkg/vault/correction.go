package vault

import (
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// CorrectionRequest is somebody's request that something about a certificate be corrected.
// Staff read it; reissuing is up to them.
type CorrectionRequest struct {
	ID          uint64    `json:"id"` // given by the store
	Institution uint32    `json:"institution"`
	Certificate string    `json:"certificate"` // UUID
	Reference   string    `json:"reference"`
	Text        string    `json:"text"`
	At          time.Time `json:"at"`
	DoneAt      time.Time `json:"done_at,omitzero"`
}

// MaxOpenCorrectionRequests is how many wishes about one certificate may wait.
const MaxOpenCorrectionRequests = 5

// NewCorrectionRequest takes a wish down.
func NewCorrectionRequest(c Certificate, text string, now time.Time) (CorrectionRequest, error) {
	text = Clean(text)
	if msg := checkText("correction", text, true, MaxDetails, ForbiddenRune); msg != "" {
		return CorrectionRequest{}, fault.InvalidFields([]fault.Field{{Name: "correction", Message: msg}})
	}
	return CorrectionRequest{Institution: c.Institution, Certificate: c.UUID, Reference: c.Reference, Text: text, At: now}, nil
}

// Done reports whether staff have seen to it.
func (c CorrectionRequest) Done() bool { return !c.DoneAt.IsZero() }

// Finish notes that staff have seen to it.
func (c CorrectionRequest) Finish(now time.Time) (CorrectionRequest, error) {
	if c.Done() {
		return c, fault.Newf(fault.Illegal, "correction %d is done already", c.ID)
	}
	c.DoneAt = now
	return c, nil
}
