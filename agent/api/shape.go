package api

import (
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Shape is the JSON of a certificate.
func (a *API) Shape(c vault.Certificate) client.Certificate {
	shaped := client.Certificate{
		ID: c.ID, UUID: c.UUID, ReferenceID: c.Reference,
		Title: c.Title, Name: c.Name, Email: c.Email, IssueDate: string(c.IssueDate), Details: c.Details,
		Source:       client.Source{Value: string(c.Source), Label: c.Source.Label()},
		Status:       client.Status{Value: string(c.Status), Label: c.Status.Label(), Description: c.Status.Description()},
		BatchID:      orNull(c.Batch),
		File:         client.File{Name: c.File.Name, Size: c.File.Size, SHA256: c.File.SHA256},
		VerifyURL:    a.VerifyURL(c),
		ShareURL:     a.ShareURL(c),
		Supersedes:   orNull(c.Supersedes),
		SupersededBy: orNull(c.SupersededBy),
		CreatedAt:    inSeconds(c.CreatedAt), UpdatedAt: inSeconds(c.UpdatedAt),
	}
	if v := c.Verified; v != nil {
		shaped.Verified = &client.Verified{Name: a.FileName(c), Size: v.Size(), SHA256: v.SHA256}
		shaped.ApprovedAt = new(inSeconds(c.ApprovedAt))
	}
	if at := client.Placement(c.Placement); at != (client.Placement{}) {
		shaped.QR = &at
	}
	if c.Failure != nil {
		shaped.FailureReason = &c.Failure.Reason
	}
	if c.Status == vault.Rejected && c.Application != nil && c.Application.Decision != nil {
		shaped.RejectionReason = &c.Application.Decision.Reason
	}
	if v := c.Revocation; v != nil {
		shaped.Revocation = &client.Revocation{At: inSeconds(v.At), Reason: v.Reason}
	}
	if u := c.Undelivered; u != nil {
		shaped.Undelivered = &client.Undelivered{Address: u.Address, Code: u.Code, Reason: u.Reason, At: inSeconds(u.At)}
	}
	if c.ErasedAt != nil {
		shaped.ErasedAt = new(inSeconds(*c.ErasedAt))
	}
	return shaped
}

// inSeconds is a moment as the guide writes it (step 8), without the fractions that many
// programs do not read.
func inSeconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
