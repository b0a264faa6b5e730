package applications

import (
	"context"
	"io"
	"log/slog"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// PublicService is where people hand applications in to the current institution, as the
// pages have it.
type PublicService struct {
	Service      *Service
	Certificates Lister
	Current      func() vault.Institution
	// Accepting says why nothing new is taken; nil when it is.
	Accepting  func() error
	MailQueued func() // tells that there may be a mail to send
	Wake       func() // tells that there is work
	Log        *slog.Logger
}

// TakeEvidence checks an applicant's file and stores it (Service.TakeEvidence).
func (w *PublicService) TakeEvidence(ctx context.Context, r io.Reader, name string) (vault.File, error) {
	if err := w.Accepting(); err != nil {
		return vault.File{}, err
	}
	return w.Service.TakeEvidence(ctx, r, name)
}

// Apply hands an application in for somebody who is signed in.
func (w *PublicService) Apply(ctx context.Context, who vault.Account, d vault.ApplicationDraft) (vault.Certificate, error) {
	return w.submitted(w.Service.Apply(ctx, w.Current(), who, d))
}

// ApplyByMail keeps an application until the link is followed that is mailed to its
// address.
func (w *PublicService) ApplyByMail(ctx context.Context, d vault.ApplicationDraft) error {
	err := w.Service.ApplyByMail(ctx, w.Current(), d)
	w.MailQueued()
	return err
}

// WaitingApplication finds an application by the secret of its link.
func (w *PublicService) WaitingApplication(ctx context.Context, secret string) (vault.UnconfirmedApplication, error) {
	return w.Service.Waiting(ctx, secret)
}

// ConfirmApplication makes an application count.
func (w *PublicService) ConfirmApplication(ctx context.Context, secret string) (vault.Certificate, error) {
	return w.submitted(w.Service.Confirm(ctx, secret))
}

func (w *PublicService) submitted(c vault.Certificate, err error) (vault.Certificate, error) {
	if err == nil {
		w.Wake()
		w.Log.Info("an application was submitted", "certificate", c.UUID, "proof", c.Application.Proof)
	}
	return c, err
}

// ApplicationsOf lists what an account has applied for at the current institution,
// the latest of it.
func (w *PublicService) ApplicationsOf(ctx context.Context, who vault.Account) ([]vault.Certificate, error) {
	const most = 100
	page, err := w.Certificates.List(ctx, store.Filter{Institution: w.Current().ID, Source: vault.FromCustomer, Email: who.Email}, 1, most)
	return page.Certificates, err
}
