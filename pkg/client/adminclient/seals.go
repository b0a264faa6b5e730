package adminclient

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
)

// SealFilter selects the verified PDFs whose time stamps are to be renewed: those of which the
// certificate of the newest time stamp ends within a time, or the one of a certificate.
type SealFilter struct {
	Within      time.Duration
	Certificate string // UUID or reference ID; "": all that end within the time
}

func (f SealFilter) query() url.Values {
	q := url.Values{}
	if f.Certificate != "" {
		q.Set("certificate", f.Certificate)
	} else {
		q.Set("within", f.Within.String())
	}
	return q
}

// SealStatus says what became of a verified PDF that is to be renewed.
type SealStatus string

// What can become of one.
const (
	SealDue     SealStatus = "due"     // its time stamp ends within the time
	SealRenewed SealStatus = "renewed" // it has a new time stamp over all that validation needs
	SealOwed    SealStatus = "owed"    // it waits; an agent goes on by itself
)

// Seal is a verified PDF whose time stamp is to be renewed.
type Seal struct {
	UUID           string     `json:"uuid"`
	ReferenceID    string     `json:"reference_id"`
	Status         SealStatus `json:"status"`
	Level          string     `json:"level,omitempty"`
	TimestampUntil *time.Time `json:"timestamp_until,omitempty"`
	Problem        string     `json:"problem,omitempty"` // why it is not renewed yet
}

// SealReport is what became of a renewal.
type SealReport struct {
	Examined int    `json:"examined"` // verified PDFs that were looked at
	Due      int    `json:"due"`
	Renewed  int    `json:"renewed"`
	Owed     int    `json:"owed"`
	Seals    []Seal `json:"seals"` // those that are or were due
}

// Add appends a seal and counts it.
func (r *SealReport) Add(s Seal) {
	r.Seals = append(r.Seals, s)
	r.Due++
	switch s.Status {
	case SealRenewed:
		r.Renewed++
	case SealOwed:
		r.Owed++
	case SealDue:
	}
}

// SealsDue lists the verified PDFs that are to be renewed.
func (c *Client) SealsDue(ctx context.Context, f SealFilter) (r SealReport, err error) {
	err = c.Call(ctx, http.MethodGet, "/panel/seals?"+f.query().Encode(), nil, &r)
	return r, err
}

// RenewSeals renews them. Progress is told as it comes.
func (c *Client) RenewSeals(ctx context.Context, f SealFilter, progress func(client.Progress)) (SealReport, error) {
	return stream[SealReport](ctx, c, "/panel/seals/renew?"+f.query().Encode(), nil, progress)
}
