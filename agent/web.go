package agent

import (
	"context"

	"github.com/vecctl/vecctl/agent/admin"
	"github.com/vecctl/vecctl/agent/signing"
	"github.com/vecctl/vecctl/agent/web"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// newPages makes the pages that the public sees.
func (a *Agent) newPages() (*web.Pages, error) {
	o := web.Options{
		Store: a.store, Institution: a.institutions.ByID, Current: a.Institution, BaseURL: a.BaseURL,
		VerifyURL: func(reference string) string { return signing.VerifyURL(a.BaseURL(), reference) },
		ShareURL:  func(c vault.Certificate) string { return signing.ShareURL(a.BaseURL(), c) },
		Open: func(ctx context.Context, c vault.Certificate) (web.Document, error) {
			return a.exporter.Open(ctx, c)
		},
		RequestCorrection: a.correctionAdmin().RequestCorrection, SendSignInLink: a.sendSignInMail,
		Applications: a.PublicApplications(), ReadForm: readForm,
		Now: a.Now, Random: a.Random, Log: a.Log,
	}
	if pdf.CanPreview() {
		o.RenderPreview = a.exporter.RenderPreview
	}
	return web.New(o)
}

func (a *Agent) correctionAdmin() *admin.Corrections {
	return &admin.Corrections{Store: a.store, Institution: a.currentID, MailQueued: a.mailQueue.Wake, Now: a.Now, Log: a.Log}
}

// sendSignInMail has the link mailed that proves an address.
func (a *Agent) sendSignInMail(ctx context.Context, to, link string) error {
	err := a.store.QueueMail(ctx, vault.NewSignInMail(a.Institution().ID, to, link, a.Now()))
	a.mailQueue.Wake()
	return err
}
