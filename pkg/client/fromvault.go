package client

import (
	"strconv"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

// FromVault returns a certificate as the API shows it. The zone is where its institution is.
func FromVault(links vault.Links, zone *time.Location, c vault.Certificate) Certificate {
	out := Certificate{
		ID: c.ID, UUID: c.UUID, ReferenceID: c.Reference,
		Content:      NewContent(c.Content),
		Source:       Source{Value: string(c.Source), Label: c.Source.Label()},
		Status:       Status{Value: string(c.Status), Label: c.Status.Label(), Description: c.Status.Description()},
		BatchID:      nilIfEmpty(c.Batch),
		File:         File{Name: c.File.Name, Size: c.File.Size, SHA256: c.File.SHA256},
		VerifyURL:    links.Verify(c.Reference),
		ShareURL:     links.Share(c),
		Documents:    []DocumentPath{},
		Supersedes:   nilIfEmpty(c.Supersedes),
		SupersededBy: nilIfEmpty(c.SupersededBy),
		CreatedAt:    wholeSeconds(c.CreatedAt), UpdatedAt: wholeSeconds(c.UpdatedAt),
		ExpiresAt: TimeOrNull(c.ExpiresAt(zone)),
	}
	if v := c.Verified; v != nil {
		out.Verified = &Verified{Name: c.VerifiedFileName(), Size: v.Size(), SHA256: v.SHA256, TimestampOwed: v.TimestampOwed, Earlier: v.Earlier,
			Level: string(v.Level), LevelOwed: string(v.LevelOwed), LevelProblem: v.LevelProblem, TimestampUntil: TimeOrNull(v.TimestampUntil)}
		out.ApprovedAt = new(wholeSeconds(c.ApprovedAt))
		out.GeneratedAt = out.ApprovedAt
		out.Documents = append(out.Documents, DocumentPath{ID: AnyID(strconv.FormatUint(c.ID, 10)), Type: "verified_pdf", Path: links.Download(c.UUID)})
		out.QRCodePath = new(links.QRCode(c.Reference))
	}
	if c.Assignment != nil {
		out.AssignedAt = new(wholeSeconds(c.Assignment.At))
	}
	if at := Placement(c.Placement); at != (Placement{}) {
		out.QR = &at
	}
	if c.Failure != nil {
		out.FailureReason = &c.Failure.Reason
	}
	if c.Status == vault.Rejected && c.Application != nil && c.Application.Decision != nil {
		out.RejectionReason = &c.Application.Decision.Reason
	}
	if v := c.Revocation; v != nil {
		out.Revocation = &Revocation{At: wholeSeconds(v.At), Reason: v.Reason}
	}
	if u := c.Undelivered; u != nil {
		out.Undelivered = &Undelivered{Address: u.Address, Code: u.Code, Reason: u.Reason, At: wholeSeconds(u.At)}
	}
	if m := c.Remote; m != nil {
		out.Remote = &Remote{Vault: m.Vault, UUID: m.UUID, ReferenceID: m.Reference, SentAt: wholeSeconds(m.SentAt), FetchedAt: TimeOrNull(m.FetchedAt.Truncate(time.Second))}
	}
	if c.ErasedAt != nil {
		out.ErasedAt = new(wholeSeconds(*c.ErasedAt))
	}
	return out
}

// FromVaultBatch returns a batch as staff see it. The documented API shows whole
// seconds only.
func FromVaultBatch(b vault.Batch) Batch {
	processed := b.Counts.Approved + b.Counts.Failed + b.Counts.Revoked
	progress := 100
	if b.Total > 0 {
		progress = min(100*processed/b.Total, 100)
	}
	return Batch{
		ID: b.ID, TotalCertificates: &b.Total, ProcessedCertificates: &processed, FailedCertificates: &b.Counts.Failed, Progress: &progress,
		TemplateID: b.Template, RequiresSignatures: new(false), RequiresMySignature: new(false),
		BatchID: b.ID, Name: b.Name, Status: string(b.State()), Trigger: string(b.Trigger), Total: b.Total,
		Processing: b.Counts.Processing, Approved: b.Counts.Approved, Failed: b.Counts.Failed, Revoked: b.Counts.Revoked, Rejected: &b.Rejected,
		CreatedAt: b.CreatedAt.UTC(),
	}
}

// wholeSeconds returns a moment as the guide writes it (step 8), without the
// fractions that many programs do not read.
func wholeSeconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func nilIfEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
