package admin

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/vecctl/vecctl/agent/applications"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// Applications lists applications, and counts all pages' entries.
func (s *Service) Applications(ctx context.Context, f adminclient.ApplicationFilter) ([]adminclient.Application, int, error) {
	filter := store.Filter{Institution: s.institutionID(ctx), Source: vault.FromCustomer, Email: f.Email, Search: f.Search}
	if f.Status == "open" {
		filter.Open = true
	} else if f.Status != "" {
		var known bool
		if filter.Status, known = vault.ParseStatus(f.Status); !known {
			return nil, 0, fault.InvalidFields([]fault.Field{{Name: "status", Message: "The selected status is invalid."}})
		}
	}
	page, err := s.store.List(ctx, filter, f.Page, f.PerPage)
	shown := make([]adminclient.Application, len(page.Certificates))
	for i, one := range page.Certificates {
		shown[i] = s.applicationToAPI(one)
	}
	return shown, page.Total, err
}

// Application finds one by UUID or reference ID.
func (s *Service) Application(ctx context.Context, name string) (adminclient.Application, error) {
	found, err := s.findApplication(ctx, name)
	if err != nil {
		return adminclient.Application{}, err
	}
	shown := s.applicationToAPI(found)
	if shown.Evidence != nil && shown.Evidence.SHA256 != "" {
		shown.Evidence.Note = s.evidenceNote(ctx, shown.Evidence.SHA256)
	}
	return shown, nil
}

// evidenceNote says what is to be known of a file before a certificate is issued with it.
func (s *Service) evidenceNote(ctx context.Context, sum string) string {
	note, err := s.uploads.DescribeSigned(ctx, sum)
	if message, known := fault.Message(err); err != nil && known {
		return message
	}
	if err != nil {
		return "the file cannot be read"
	}
	return note
}

func (s *Service) findApplication(ctx context.Context, name string) (vault.Certificate, error) {
	found, err := s.store.Certificate(ctx, s.institutionID(ctx), name)
	if err == nil && found.Source != vault.FromCustomer {
		err = fault.Newf(fault.NotFound, "%s is not an application; see: vecctl view %s", found.Reference, found.Reference)
	}
	return found, err
}

// Evidence opens the file of an application. The caller closes
// it.
func (s *Service) Evidence(ctx context.Context, name string) (io.ReadCloser, vault.File, error) {
	found, err := s.findApplication(ctx, name)
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
	stored, err := s.uploads.Open(ctx, f.SHA256)
	return stored, *f, err
}

// SubmitApplication hands an application in for somebody whom staff know.
func (s *Service) SubmitApplication(ctx context.Context, n adminclient.NewApplication) (adminclient.Application, error) {
	if err := s.disk.Accepting(); err != nil {
		return adminclient.Application{}, err
	}
	d := vault.ApplicationDraft{Content: vault.Content{Title: n.Title, Name: n.Name, Email: n.Email, Details: n.Details}}
	if n.Evidence != nil {
		f, err := s.uploads.Keep(ctx, bytes.NewReader(n.Evidence.Body), n.Evidence.Name)
		if err != nil {
			return adminclient.Application{}, fault.At("evidence "+n.Evidence.Name, err)
		}
		d.Evidence = &f
	}
	return s.changedToAPI(s.applications.SubmitFor(ctx, s.institutions.Acting(ctx), actor(ctx), d))
}

// ReviewApplication takes an application in review.
func (s *Service) ReviewApplication(ctx context.Context, name string) (adminclient.Application, error) {
	return s.changedToAPI(s.applications.Review(ctx, s.institutionID(ctx), name, actor(ctx)))
}

// ApproveApplication accepts an application, which is processed then.
func (s *Service) ApproveApplication(ctx context.Context, name string, q adminclient.ApplicationApproval) (adminclient.Application, error) {
	if err := s.disk.Accepting(); err != nil {
		return adminclient.Application{}, err
	}
	i := applications.ApprovalInput{
		Template: q.Template, Fields: q.Fields, Evidence: q.Evidence, IssueDate: vault.Date(q.IssueDate), Details: q.Details,
		Placement: vault.Placement{Page: q.QRPage, At: q.QRAt, SizeMM: q.QRSize, MarginMM: q.QRMargin},
	}
	if q.File != nil {
		i.Document, i.Name = bytes.NewReader(q.File.Body), q.File.Name
	}
	return s.changedToAPI(s.applications.Approve(ctx, s.institutions.Acting(ctx), name, actor(ctx), i))
}

// RejectApplication refuses an application.
func (s *Service) RejectApplication(ctx context.Context, name, reason string) (adminclient.Application, error) {
	return s.changedToAPI(s.applications.Reject(ctx, s.institutionID(ctx), name, actor(ctx), reason))
}

// actor is who of the staff calls.
func actor(ctx context.Context) string {
	if p := audit.FromContext(ctx); p != nil {
		return p.Actor
	}
	return "staff"
}

// changedToAPI shows an application that was changed, unless it was not.
func (s *Service) changedToAPI(one vault.Certificate, err error) (adminclient.Application, error) {
	if err != nil {
		return adminclient.Application{}, err
	}
	s.work.Wake()
	return s.applicationToAPI(one), nil
}

func (s *Service) applicationToAPI(one vault.Certificate) adminclient.Application {
	from := one.Application
	shaped := adminclient.Application{Certificate: s.toAPI(one), Proof: string(from.Proof), SubmittedBy: from.By}
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
