package adminclient

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// CorrectionRequest is a visitor's request to correct a certificate.
type CorrectionRequest struct {
	ID          uint64     `json:"id"`
	UUID        string     `json:"uuid"` // the certificate's
	ReferenceID string     `json:"reference_id"`
	Text        string     `json:"text"`
	AskedAt     time.Time  `json:"asked_at"`
	DoneAt      *time.Time `json:"done_at"`
}

// Corrections lists the wishes that wait for staff, or all.
func (c *Client) Corrections(ctx context.Context, all bool) ([]CorrectionRequest, error) {
	path := "/panel/corrections"
	if all {
		path += "?all=1"
	}
	var found []CorrectionRequest
	err := c.Call(ctx, http.MethodGet, path, nil, &found)
	return found, err
}

// FinishCorrection notes that staff have seen to a wish.
func (c *Client) FinishCorrection(ctx context.Context, id uint64) (CorrectionRequest, error) {
	var done CorrectionRequest
	err := c.Post(ctx, "/panel/corrections/"+strconv.FormatUint(id, 10)+"/done", struct{}{}, &done)
	return done, err
}
