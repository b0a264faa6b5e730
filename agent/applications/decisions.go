package applications

import (
	"context"
	"io"
	"maps"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// ApprovalInput says what an approved application is issued with: exactly one of a
// document, a template, and its own evidence.
type ApprovalInput struct {
	Document  io.Reader
	Name      string // of the document's file
	Template  string
	Fields    map[string]string // the template's own columns
	Evidence  bool
	IssueDate vault.Date // "" is today
	Details   *string
	Placement vault.Placement // where the code goes; what it does not say, the template does
}

// Review takes an application in review.
func (d *Service) Review(ctx context.Context, institution uint32, name, by string) (vault.Certificate, error) {
	return d.Store.Change(ctx, institution, name, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.TakeInReview(by, d.Now())
	})
}

// Reject refuses an application.
func (d *Service) Reject(ctx context.Context, institution uint32, name, by, reason string) (vault.Certificate, error) {
	return d.Store.Change(ctx, institution, name, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Reject(by, reason, d.Now())
	})
}

// Approve accepts an application. Its document is looked into and stored first; one
// that cannot be stamped changes nothing. Whether the application is still open
// is decided in the transaction that ends it.
func (d *Service) Approve(ctx context.Context, to vault.Institution, name, by string, i ApprovalInput) (vault.Certificate, error) {
	c, err := d.Store.Certificate(ctx, to.ID, name)
	if err != nil {
		return c, err
	}
	if err := c.CheckUndecided(); err != nil {
		return c, err
	}
	if i.IssueDate == "" {
		i.IssueDate = to.Today(d.Now())
	}
	a := vault.Approval{By: by, IssueDate: i.IssueDate, Details: i.Details, Placement: i.Placement}
	if a.File, a.Placement, err = d.storeDocument(ctx, c, to, i); err != nil {
		return c, err
	}
	return d.Store.Change(ctx, to.ID, name, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.ApproveApplication(a, d.Now())
	})
}

// storeDocument stores what an application is issued with.
func (d *Service) storeDocument(ctx context.Context, c vault.Certificate, to vault.Institution, i ApprovalInput) (vault.File, vault.Placement, error) {
	given := 0
	for _, is := range []bool{i.Document != nil, i.Template != "", i.Evidence} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return vault.File{}, i.Placement, fault.New(fault.Invalid,
			"say what the certificate is issued with: a file, a template, or the evidence itself; one of them")
	case i.Document != nil:
		f, err := d.Documents.KeepPlaced(ctx, i.Document, i.Name, i.Placement)
		return f, i.Placement, fault.At("file "+i.Name, err)
	case i.Evidence:
		if c.Application.Evidence == nil {
			return vault.File{}, i.Placement, fault.Newf(fault.Illegal, "application %s has no file that could be issued", c.Reference)
		}
		f, err := d.evidenceDocument(ctx, *c.Application.Evidence, i.Placement)
		return f, i.Placement, fault.At("evidence "+c.Application.Evidence.Name, err)
	}
	return d.renderDocument(ctx, c, to, i)
}

// evidenceDocument looks into an applicant's file once more: now its code has a place.
func (d *Service) evidenceDocument(ctx context.Context, f vault.File, at vault.Placement) (vault.File, error) {
	stored, err := d.Documents.Open(ctx, f.SHA256)
	if err != nil {
		return f, err
	}
	defer stored.Close()
	return d.Documents.KeepPlaced(ctx, stored, f.Name, at)
}

// renderDocument makes the document of a template.
func (d *Service) renderDocument(ctx context.Context, c vault.Certificate, to vault.Institution, i ApprovalInput) (vault.File, vault.Placement, error) {
	values := maps.Clone(i.Fields)
	if values == nil {
		values = map[string]string{}
	}
	content := vault.Changes{Details: i.Details}.Apply(c.Content)
	content.IssueDate = i.IssueDate
	maps.Copy(values, content.Values())
	values["institution"] = to.Name
	f, at, err := d.Documents.RenderTemplate(ctx, to, i.Template, c.Name, values)
	if i.Placement != (vault.Placement{}) {
		at = i.Placement
	}
	return f, at, fault.At("template "+i.Template, err)
}
