package agent

import (
	"github.com/vecctl/vecctl/agent/web"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// newPages makes the pages that the public sees.
func (a *Agent) newPages() (*web.Pages, error) {
	o := web.Options{
		Store: a.store, Institutions: a.institutions, Documents: a.exporter, Badges: a.badges,
		Mails: a.mailQueue, Applications: a.Applications, PersonalData: a.Admin,
		Now: a.Now, Random: a.Random, Log: a.Log,
	}
	if pdf.CanPreview() {
		o.Previews = a.exporter
	}
	return web.New(o)
}
