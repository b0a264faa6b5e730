package vault

import (
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Batch is what one manifest, one bulk request or one drop brought in.
type Batch struct {
	ID          string    `json:"id"` // UUID
	Institution uint32    `json:"institution"`
	Name        string    `json:"name"`               // DATE-MANIFEST, the outcome folder's name
	Digest      string    `json:"digest,omitempty"`   // SHA-256 of the manifest, hexadecimal
	Template    string    `json:"template,omitempty"` // of the rows that brought no document, as far as one was named for all
	Trigger     Trigger   `json:"trigger"`
	Total       int       `json:"total"`              // rows of the manifest
	Rejected    int       `json:"rejected,omitempty"` // rows that were refused and not issued since
	CreatedAt   time.Time `json:"created_at"`
	PausedAt    time.Time `json:"paused_at,omitzero"`
	CancelledAt time.Time `json:"cancelled_at,omitzero"`
	Counts      Counts    `json:"-"` // kept by the store
}

// Pause lets nothing more of the batch begin. What is being worked on is finished.
func (b Batch) Pause(now time.Time) (Batch, error) {
	if b.Paused() {
		return b, fault.Newf(fault.Illegal, "batch %s is paused already", b.Name)
	}
	b.PausedAt = now
	return b, nil
}

// Resume lets a paused batch go on.
func (b Batch) Resume() (Batch, error) {
	if !b.Paused() {
		return b, fault.Newf(fault.Illegal, "batch %s is not paused", b.Name)
	}
	b.PausedAt = time.Time{}
	return b, nil
}

// Cancel ends a batch: nothing more is accepted into it, and what has not begun
// fails. Submitting the manifest again opens it again.
func (b Batch) Cancel(now time.Time) (Batch, error) {
	if b.Cancelled() {
		return b, fault.Newf(fault.Illegal, "batch %s is cancelled already", b.Name)
	}
	b.CancelledAt, b.PausedAt = now, time.Time{}
	return b, nil
}

// Reopen takes a cancellation back.
func (b Batch) Reopen() Batch {
	b.CancelledAt = time.Time{}
	return b
}

// Paused reports whether nothing of the batch may begin.
func (b Batch) Paused() bool { return !b.PausedAt.IsZero() }

// Cancelled reports whether the batch was ended before its time.
func (b Batch) Cancelled() bool { return !b.CancelledAt.IsZero() }

// BatchState is a batch in a word.
type BatchState string

// The states of a batch.
const (
	BatchProcessing BatchState = "processing"
	BatchPaused     BatchState = "paused"
	BatchCancelled  BatchState = "cancelled"
	BatchDone       BatchState = "done"
)

// State is the batch in a word.
func (b Batch) State() BatchState {
	switch {
	case b.Paused():
		return BatchPaused
	case b.Cancelled():
		return BatchCancelled
	case b.Counts.Processing > 0:
		return BatchProcessing
	}
	return BatchDone
}

// The outcomes of a batch that is done, in the words of VEC.digital's reference.
const (
	BatchCompleted BatchState = "completed"
	BatchPartly    BatchState = "partially_completed"
	BatchFailed    BatchState = "failed"
)

// Outcome is the batch's state, or what came of it where it is done.
func (b Batch) Outcome() BatchState {
	state, good := b.State(), b.Counts.Approved+b.Counts.Revoked
	switch {
	case state != BatchDone:
		return state
	case b.Counts.Failed == 0:
		return BatchCompleted
	case good > 0:
		return BatchPartly
	}
	return BatchFailed
}

// CancelledFailure is why a certificate of a cancelled batch failed.
func CancelledFailure() Failure {
	return Failure{Code: CodeCancelled, Reason: "the batch was cancelled before this document's turn"}
}

// Counts is how many certificates are in each state.
type Counts struct {
	Pending    int `json:"pending,omitempty"`
	InReview   int `json:"in_review,omitempty"`
	Processing int `json:"processing"`
	Approved   int `json:"approved"`
	Failed     int `json:"failed"`
	Rejected   int `json:"rejected,omitempty"`
	Revoked    int `json:"revoked"`
}

// Add changes the count of one state.
func (c *Counts) Add(s Status, n int) {
	switch s {
	case Pending:
		c.Pending += n
	case InReview:
		c.InReview += n
	case Rejected:
		c.Rejected += n
	case Processing:
		c.Processing += n
	case Approved:
		c.Approved += n
	case Failed:
		c.Failed += n
	case Revoked:
		c.Revoked += n
	}
}

// Of returns the count of one state.
func (c Counts) Of(s Status) int {
	switch s {
	case Pending:
		return c.Pending
	case InReview:
		return c.InReview
	case Rejected:
		return c.Rejected
	case Processing:
		return c.Processing
	case Approved:
		return c.Approved
	case Failed:
		return c.Failed
	case Revoked:
		return c.Revoked
	}
	return 0
}

// Sum is the number of certificates in any state, applications included.
func (c Counts) Sum() int {
	return c.Pending + c.InReview + c.Processing + c.Approved + c.Failed + c.Rejected + c.Revoked
}
