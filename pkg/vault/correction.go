package vault

import (
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Correction is somebody's wish that something about a certificate be mended.
// Staff read it; reissuing is up to them.
type Correction struct {
	ID          uint64    `json:"id"` // given by the store
	Institution uint32    `json:"institution"`
	Certificate string    `json:"certificate"` // UUID
	Reference   string    `json:"reference"`
	Text        string    `json:"text"`
	At          time.Time `json:"at"`
	DoneAt      time.Time `json:"done_at,omitzero"`
}

// MaxOpenCorrections is how many wishes about one certificate may wait.
const MaxOpenCorrections = 5

// NewCorrection takes a wish down.
func NewCorrection(c Certificate, text string, now time.Time) (Correction, error) {
	text = Clean(text)
	if msg := checkText("correction", text, true, MaxDetails, Forbidden); msg != "" {
		return Correction{}, fault.InvalidFields([]fault.Field{{Name: "correction", Message: msg}})
	}
	return Correction{Institution: c.Institution, Certificate: c.UUID, Reference: c.Reference, Text: text, At: now}, nil
}

// Done tells whether staff have seen to it.
func (c Correction) Done() bool { return !c.DoneAt.IsZero() }

// Finish notes that staff have seen to it.
func (c Correction) Finish(now time.Time) (Correction, error) {
	if c.Done() {
		return c, fault.Newf(fault.Illegal, "correction %d is done already", c.ID)
	}
	c.DoneAt = now
	return c, nil
}
