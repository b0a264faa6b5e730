package agent

import (
	"context"

	"github.com/vecctl/vecctl/agent/dossier"
	"github.com/vecctl/vecctl/agent/outcome"
	"github.com/vecctl/vecctl/agent/pages"
	"github.com/vecctl/vecctl/agent/pages/share"
	"github.com/vecctl/vecctl/agent/process"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// showing makes the pages that the public sees.
func (a *Agent) showing() (*pages.Pages, error) {
	o := pages.Options{
		Vault: a.store, Institution: a.seats.ByID, Current: a.Institution, BaseURL: a.BaseURL,
		VerifyURL: func(reference string) string { return process.VerifyURL(a.BaseURL(), reference) },
		ShareURL:  func(c vault.Certificate) string { return process.ShareURL(a.BaseURL(), c) },
		Open: func(ctx context.Context, c vault.Certificate) (share.Document, error) {
			return a.outcome.Open(ctx, c)
		},
		FileName: outcome.FileName, Ask: a.wishes().Ask, SendLink: a.sendSignIn,
		Desk: a.Window(), ReadForm: readForm,
		Now: a.Now, Random: a.Random, Log: a.Log,
	}
	if pdf.CanPreview() {
		o.Draw = a.outcome.Draw
	}
	return pages.New(o)
}

func (a *Agent) wishes() *dossier.Wishes {
	return &dossier.Wishes{Records: a.store, Institution: a.currentID, Mailed: a.post.Wake, Now: a.Now, Log: a.Log}
}

// sendSignIn has the link mailed that proves an address.
func (a *Agent) sendSignIn(ctx context.Context, to, link string) error {
	err := a.store.QueueMail(ctx, vault.NewSignInMail(a.Institution().ID, to, link, a.Now()))
	a.post.Wake()
	return err
}
