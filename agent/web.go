package agent

import (
	"context"

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
		Mails:        a.mailQueue,
		Applications: a.Applications,
		Now:          a.Now, Random: a.Random, Log: a.Log,
	}
	if pdf.CanPreview() {
		o.RenderPreview = a.exporter.RenderPreview
	}
	return web.New(o)
}
