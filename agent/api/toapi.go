package api

import (
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

// ToAPI is the JSON of a certificate.
func (a *API) ToAPI(c vault.Certificate) client.Certificate {
	out := client.Certificate{
		ID: c.ID, UUID: c.UUID, ReferenceID: c.Reference,
		Title: c.Title, Name: c.Name, Email: c.Email, IssueDate: string(c.IssueDate), Details: c.Details,
		Source:       client.Source{Value: string(c.Source), Label: c.Source.Label()},
		Status:       client.Status{Value: string(c.Status), Label: c.Status.Label(), Description: c.Status.Description()},
		BatchID:      nilIfEmpty(c.Batch),
		File:         client.File{Name: c.File.Name, Size: c.File.Size, SHA256: c.File.SHA256},
		VerifyURL:    a.VerifyURL(c),
		ShareURL:     a.ShareURL(c),
		Supersedes:   nilIfEmpty(c.Supersedes),
		SupersededBy: nilIfEmpty(c.SupersededBy),
		CreatedAt:    wholeSeconds(c.CreatedAt), UpdatedAt: wholeSeconds(c.UpdatedAt),
	}
	if v := c.Verified; v != nil {
		out.Verified = &client.Verified{Name: a.FileName(c), Size: v.Size(), SHA256: v.SHA256}
		out.ApprovedAt = new(wholeSeconds(c.ApprovedAt))
	}
	if at := client.Placement(c.Placement); at != (client.Placement{}) {
		out.QR = &at
	}
	if c.Failure != nil {
		out.FailureReason = &c.Failure.Reason
	}
	if c.Status == vault.Rejected && c.Application != nil && c.Application.Decision != nil {
		out.RejectionReason = &c.Application.Decision.Reason
	}
	if v := c.Revocation; v != nil {
		out.Revocation = &client.Revocation{At: wholeSeconds(v.At), Reason: v.Reason}
	}
	if u := c.Undelivered; u != nil {
		out.Undelivered = &client.Undelivered{Address: u.Address, Code: u.Code, Reason: u.Reason, At: wholeSeconds(u.At)}
	}
	if c.ErasedAt != nil {
		out.ErasedAt = new(wholeSeconds(*c.ErasedAt))
	}
	return out
}

// wholeSeconds is a moment as the guide writes it (step 8), without the fractions that many
// programs do not read.
func wholeSeconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func nilIfEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
