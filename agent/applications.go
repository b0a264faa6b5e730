package agent

import (
	"context"
	"io"

	"github.com/vecctl/vecctl/agent/applying"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// newDesk makes the desk at which applications are handed in and decided.
func (a *Agent) newDesk() *applying.Desk {
	return applying.New(applying.Desk{
		Book: a.store, Documents: a.uploads, Institution: a.seats.ByID, BaseURL: a.BaseURL, Now: a.Now, Random: a.Random,
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

// applications are those of the current institution, for its staff.
func (a *Agent) applications() *applying.Counter {
	return &applying.Counter{Desk: a.desk, Lists: a.store, Current: a.Institution, Accepting: a.Accepting, Shape: a.shape, Wake: a.wake}
}
