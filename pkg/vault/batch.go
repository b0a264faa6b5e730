package vault

import "time"

// Batch is what one manifest, one bulk request or one drop brought in.
type Batch struct {
	ID          string    `json:"id"` // UUID
	Institution uint32    `json:"institution"`
	Name        string    `json:"name"`             // DATE-MANIFEST, the outcome folder's name
	Digest      string    `json:"digest,omitempty"` // SHA-256 of the manifest, hexadecimal
	Trigger     Trigger   `json:"trigger"`
	Total       int       `json:"total"` // rows of the manifest
	CreatedAt   time.Time `json:"created_at"`
	Counts      Counts    `json:"-"` // kept by the store
}

// Counts is how many certificates are in each state.
type Counts struct {
	Processing int `json:"processing"`
	Approved   int `json:"approved"`
	Failed     int `json:"failed"`
	Revoked    int `json:"revoked"`
}

// Add changes the count of one state.
func (c *Counts) Add(s Status, n int) {
	switch s {
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

// Sum is the number of certificates in any state.
func (c Counts) Sum() int { return c.Processing + c.Approved + c.Failed + c.Revoked }
