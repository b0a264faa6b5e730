package adminclient

import (
	"context"
	"net/http"
)

// Verification is what a reading of a whole home found.
type Verification struct {
	Records   int      `json:"records"`   // of the database that were read
	Documents int      `json:"documents"` // whose hash was compared
	Damage    []Damage `json:"damage"`    // the first of it
	More      int      `json:"more"`      // damage that is not listed
}

// Damage is something in a home that is not what was written.
type Damage struct {
	Kind    string `json:"kind"` // of the record, or "document"
	Key     string `json:"key"`  // of the record, in hexadecimal
	UUID    string `json:"uuid"` // of the certificate or upload, where that is known
	File    string `json:"file"`
	Message string `json:"message"`
}

// VerifyHome reads every record of the database and every document.
func (c *Client) VerifyHome(ctx context.Context) (Verification, error) {
	var v Verification
	err := c.Call(ctx, http.MethodGet, "/panel/verification", nil, &v)
	return v, err
}
