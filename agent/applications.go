package agent

import (
	"bytes"
	"context"
	"io"

	"github.com/vecctl/vecctl/agent/applying"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/act"
)

// newDesk makes the desk at which applications are handed in and decided.
func (a *Agent) newDesk() *applying.Desk {
	return applying.New(applying.Desk{
		Book: a.store, Documents: a.uploads, Institution: a.InstitutionByID, BaseURL: a.BaseURL, Now: a.Now, Random: a.Random,
		Open: func(sum string) (io.ReadCloser, error) { return a.blobs.Get(sum) },
		Print: func(template, person string, values map[string]string) (vault.File, vault.Placement, error) {
			t, err := a.presses()(template)
			if err != nil {
				return vault.File{}, vault.Placement{}, err
			}
			f, err := a.uploads.Print(t, person, values)
			return f, t.Placement(), err
		},
	})
}

// TakeEvidence checks an applicant's file and stores it (applying.Desk).
func (a *Agent) TakeEvidence(ctx context.Context, r io.Reader, name string) (vault.File, error) {
	if err := a.Accepting(); err != nil {
		return vault.File{}, err
	}
	return a.desk.TakeEvidence(ctx, r, name)
}

// Apply hands an application in for somebody who is signed in.
func (a *Agent) Apply(ctx context.Context, who vault.Account, d vault.ApplicationDraft) (vault.Certificate, error) {
	return a.handedIn(a.desk.Apply(ctx, a.Institution(), who, d))
}

// ApplyByMail keeps an application until the link is followed that is mailed to its
// address.
func (a *Agent) ApplyByMail(ctx context.Context, d vault.ApplicationDraft) error {
	err := a.desk.ApplyByMail(ctx, a.Institution(), d)
	a.post.Wake()
	return err
}

// WaitingApplication finds an application by the secret of its link.
func (a *Agent) WaitingApplication(ctx context.Context, secret string) (vault.Waiting, error) {
	return a.desk.Waiting(ctx, secret)
}

// ConfirmApplication makes an application count.
func (a *Agent) ConfirmApplication(ctx context.Context, secret string) (vault.Certificate, error) {
	return a.handedIn(a.desk.Confirm(ctx, secret))
}

func (a *Agent) handedIn(c vault.Certificate, err error) (vault.Certificate, error) {
	if err == nil {
		a.wake()
		a.Log.Info("an application was handed in", "certificate", c.UUID, "proof", c.Application.Proof)
	}
	return c, err
}

// ApplicationsOf lists what an account has applied for at the current institution,
// the latest of it.
func (a *Agent) ApplicationsOf(ctx context.Context, who vault.Account) ([]vault.Certificate, error) {
	const most = 100
	page, err := a.store.List(ctx, store.Filter{Institution: a.Institution().ID, Source: vault.FromCustomer, Email: who.Email}, 1, most)
	return page.Certificates, err
}

// Applications lists applications as staff see them.
func (a *Agent) Applications(ctx context.Context, f client.ApplicationFilter) ([]client.Application, int, error) {
	filter := store.Filter{Institution: a.Institution().ID, Source: vault.FromCustomer, Email: f.Email, Search: f.Search}
	if f.Status == "open" {
		filter.Open = true
	} else if f.Status != "" {
		var known bool
		if filter.Status, known = vault.ParseStatus(f.Status); !known {
			return nil, 0, fault.InvalidFields([]fault.Field{{Name: "status", Message: "The selected status is invalid."}})
		}
	}
	page, err := a.store.List(ctx, filter, f.Page, f.PerPage)
	shown := make([]client.Application, len(page.Certificates))
	for i, c := range page.Certificates {
		shown[i] = a.shapeApplication(c)
	}
	return shown, page.Total, err
}

// Application finds one by UUID or reference ID.
func (a *Agent) Application(ctx context.Context, name string) (client.Application, error) {
	return a.shapedApplication(a.application(ctx, name))
}

func (a *Agent) application(ctx context.Context, name string) (vault.Certificate, error) {
	c, err := a.store.Certificate(ctx, a.Institution().ID, name)
	if err == nil && c.Source != vault.FromCustomer {
		err = fault.Newf(fault.NotFound, "%s is no application; see: vecctl view %s", c.Reference, c.Reference)
	}
	return c, err
}

// Evidence opens the file that was handed in with an application. The caller closes
// it.
func (a *Agent) Evidence(ctx context.Context, name string) (io.ReadCloser, vault.File, error) {
	c, err := a.application(ctx, name)
	if err != nil {
		return nil, vault.File{}, err
	}
	f := c.Application.Evidence
	if f == nil {
		return nil, vault.File{}, fault.Newf(fault.NotFound, "nothing was handed in with application %s", c.Reference)
	}
	stored, err := a.blobs.Get(f.SHA256)
	return stored, *f, err
}

// SubmitApplication hands an application in for somebody whom staff know.
func (a *Agent) SubmitApplication(ctx context.Context, n client.NewApplication) (client.Application, error) {
	d := vault.ApplicationDraft{Title: n.Title, Name: n.Name, Email: n.Email, Details: n.Details}
	if n.Evidence != nil {
		f, err := a.TakeEvidence(ctx, bytes.NewReader(n.Evidence.Body), n.Evidence.Name)
		if err != nil {
			return client.Application{}, fault.At("evidence "+n.Evidence.Name, err)
		}
		d.Evidence = &f
	}
	return a.shapedApplication(a.handedIn(a.desk.SubmitFor(ctx, a.Institution(), actor(ctx), d)))
}

// ReviewApplication takes an application in review.
func (a *Agent) ReviewApplication(ctx context.Context, name string) (client.Application, error) {
	return a.shapedApplication(a.desk.Review(ctx, a.Institution().ID, name, actor(ctx)))
}

// ApproveApplication accepts an application, which is processed then.
func (a *Agent) ApproveApplication(ctx context.Context, name string, q client.ApplicationApproval) (client.Application, error) {
	if err := a.Accepting(); err != nil {
		return client.Application{}, err
	}
	i := applying.Issue{
		Template: q.Template, Fields: q.Fields, Evidence: q.Evidence, IssueDate: vault.Date(q.IssueDate), Details: q.Details,
		Placement: vault.Placement{Page: q.QRPage, At: q.QRAt, SizeMM: q.QRSize, MarginMM: q.QRMargin},
	}
	if q.File != nil {
		i.Document, i.Name = bytes.NewReader(q.File.Body), q.File.Name
	}
	return a.shapedApplication(a.desk.Approve(ctx, a.Institution(), name, actor(ctx), i))
}

// RejectApplication refuses an application.
func (a *Agent) RejectApplication(ctx context.Context, name, reason string) (client.Application, error) {
	return a.shapedApplication(a.desk.Reject(ctx, a.Institution().ID, name, actor(ctx), reason))
}

// actor is who of the staff calls.
func actor(ctx context.Context) string {
	if p := act.Of(ctx); p != nil {
		return p.Who
	}
	return "staff"
}

func (a *Agent) shapedApplication(c vault.Certificate, err error) (client.Application, error) {
	if err != nil {
		return client.Application{}, err
	}
	a.wake()
	return a.shapeApplication(c), nil
}

func (a *Agent) shapeApplication(c vault.Certificate) client.Application {
	from := c.Application
	shaped := client.Application{Certificate: a.shape(c), Proof: string(from.Proof), SubmittedBy: from.By}
	if e := from.Evidence; e != nil {
		shaped.Evidence = &client.Evidence{File: client.File{Name: e.Name, Size: e.Size, SHA256: e.SHA256}, Format: e.Format}
	}
	if r := from.Review; r != nil {
		shaped.Review = &client.Review{By: r.By, At: r.At.UTC()}
	}
	if d := from.Decision; d != nil {
		shaped.Decision = &client.Decision{By: d.By, At: d.At.UTC(), Reason: d.Reason}
	}
	return shaped
}

// open changes what people may apply for, as far as settings say so.
func open(i *vault.Institution, s *client.Applying) error {
	if s == nil {
		return nil
	}
	who, err := vault.ParseApplicants(s.Who)
	if err != nil {
		return err
	}
	next := vault.Applying{Who: who, FreeTitle: s.FreeTitle, EvidenceOptional: s.EvidenceOptional}
	for _, title := range s.Titles {
		next.Titles = append(next.Titles, vault.Clean(title))
	}
	if err := next.Validate(); err != nil {
		return err
	}
	i.Open = &next
	return nil
}

func shapeApplying(a vault.Applying) client.Applying {
	return client.Applying{Who: a.Who.String(), Titles: append([]string{}, a.Titles...), FreeTitle: a.FreeTitle, EvidenceOptional: a.EvidenceOptional}
}
