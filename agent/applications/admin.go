package applications

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// Lister is what the counter needs of the store besides.
type Lister interface {
	List(ctx context.Context, f store.Filter, page, perPage int) (store.Page, error)
}

// AdminService is where staff see applications and decide about them, as their clients
// have it.
type AdminService struct {
	*Service
	Certificates Lister
	Current      func() vault.Institution // the one whose staff is served
	// Accepting says why nothing new is taken; nil when it is.
	Accepting func() error
	ToAPI     func(vault.Certificate) client.Certificate
	Wake      func() // tells that there is work
}

// Applications lists applications, and counts all pages' entries.
func (c *AdminService) Applications(ctx context.Context, f adminclient.ApplicationFilter) ([]adminclient.Application, int, error) {
	filter := store.Filter{Institution: c.Current().ID, Source: vault.FromCustomer, Email: f.Email, Search: f.Search}
	if f.Status == "open" {
		filter.Open = true
	} else if f.Status != "" {
		var known bool
		if filter.Status, known = vault.ParseStatus(f.Status); !known {
			return nil, 0, fault.InvalidFields([]fault.Field{{Name: "status", Message: "The selected status is invalid."}})
		}
	}
	page, err := c.Certificates.List(ctx, filter, f.Page, f.PerPage)
	shown := make([]adminclient.Application, len(page.Certificates))
	for i, one := range page.Certificates {
		shown[i] = c.applicationToAPI(one)
	}
	return shown, page.Total, err
}

// Application finds one by UUID or reference ID.
func (c *AdminService) Application(ctx context.Context, name string) (adminclient.Application, error) {
	found, err := c.find(ctx, name)
	if err != nil {
		return adminclient.Application{}, err
	}
	return c.applicationToAPI(found), nil
}

func (c *AdminService) find(ctx context.Context, name string) (vault.Certificate, error) {
	found, err := c.Store.Certificate(ctx, c.Current().ID, name)
	if err == nil && found.Source != vault.FromCustomer {
		err = fault.Newf(fault.NotFound, "%s is no application; see: vecctl view %s", found.Reference, found.Reference)
	}
	return found, err
}

// Evidence opens the file of an application. The caller closes
// it.
func (c *AdminService) Evidence(ctx context.Context, name string) (io.ReadCloser, vault.File, error) {
	found, err := c.find(ctx, name)
	if err != nil {
		return nil, vault.File{}, err
	}
	f := found.Application.Evidence
	if gone := found.Application.EvidenceGone; f == nil && !gone.IsZero() {
		return nil, vault.File{}, fault.Newf(fault.NotFound, "the file of application %s was removed on %s, as the setting retention.evidence says",
			found.Reference, gone.UTC().Format(time.DateOnly))
	}
	if f == nil {
		return nil, vault.File{}, fault.Newf(fault.NotFound, "application %s has no file", found.Reference)
	}
	stored, err := c.OpenFile(ctx, f.SHA256)
	return stored, *f, err
}

// SubmitApplication hands an application in for somebody whom staff know.
func (c *AdminService) SubmitApplication(ctx context.Context, n adminclient.NewApplication) (adminclient.Application, error) {
	if err := c.Accepting(); err != nil {
		return adminclient.Application{}, err
	}
	d := vault.ApplicationDraft{Content: vault.Content{Title: n.Title, Name: n.Name, Email: n.Email, Details: n.Details}}
	if n.Evidence != nil {
		f, err := c.Documents.Keep(ctx, bytes.NewReader(n.Evidence.Body), n.Evidence.Name)
		if err != nil {
			return adminclient.Application{}, fault.At("evidence "+n.Evidence.Name, err)
		}
		d.Evidence = &f
	}
	return c.changedToAPI(c.SubmitFor(ctx, c.Current(), actor(ctx), d))
}

// ReviewApplication takes an application in review.
func (c *AdminService) ReviewApplication(ctx context.Context, name string) (adminclient.Application, error) {
	return c.changedToAPI(c.Review(ctx, c.Current().ID, name, actor(ctx)))
}

// ApproveApplication accepts an application, which is processed then.
func (c *AdminService) ApproveApplication(ctx context.Context, name string, q adminclient.ApplicationApproval) (adminclient.Application, error) {
	if err := c.Accepting(); err != nil {
		return adminclient.Application{}, err
	}
	i := ApprovalInput{
		Template: q.Template, Fields: q.Fields, Evidence: q.Evidence, IssueDate: vault.Date(q.IssueDate), Details: q.Details,
		Placement: vault.Placement{Page: q.QRPage, At: q.QRAt, SizeMM: q.QRSize, MarginMM: q.QRMargin},
	}
	if q.File != nil {
		i.Document, i.Name = bytes.NewReader(q.File.Body), q.File.Name
	}
	return c.changedToAPI(c.Approve(ctx, c.Current(), name, actor(ctx), i))
}

// RejectApplication refuses an application.
func (c *AdminService) RejectApplication(ctx context.Context, name, reason string) (adminclient.Application, error) {
	return c.changedToAPI(c.Reject(ctx, c.Current().ID, name, actor(ctx), reason))
}

// actor is who of the staff calls.
func actor(ctx context.Context) string {
	if p := audit.FromContext(ctx); p != nil {
		return p.Actor
	}
	return "staff"
}

// changedToAPI shows an application that was changed, unless it was not.
func (c *AdminService) changedToAPI(one vault.Certificate, err error) (adminclient.Application, error) {
	if err != nil {
		return adminclient.Application{}, err
	}
	c.Wake()
	return c.applicationToAPI(one), nil
}

func (c *AdminService) applicationToAPI(one vault.Certificate) adminclient.Application {
	from := one.Application
	shaped := adminclient.Application{Certificate: c.ToAPI(one), Proof: string(from.Proof), SubmittedBy: from.By}
	if e := from.Evidence; e != nil {
		shaped.Evidence = &adminclient.Evidence{File: client.File{Name: e.Name, Size: e.Size, SHA256: e.SHA256}, Format: e.Format}
	}
	if gone := from.EvidenceGone; !gone.IsZero() {
		gone = gone.UTC()
		shaped.EvidenceRemovedAt = &gone
	}
	if r := from.Review; r != nil {
		shaped.Review = &adminclient.Review{By: r.By, At: r.At.UTC()}
	}
	if d := from.Decision; d != nil {
		shaped.Decision = &adminclient.Decision{By: d.By, At: d.At.UTC(), Reason: d.Reason}
	}
	return shaped
}
