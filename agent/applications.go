package agent

import (
	"context"
	"io"

	"github.com/vecctl/vecctl/agent/applications"
	"github.com/vecctl/vecctl/pkg/vault"
)

// newApplicationService makes the service where applications are submitted and decided.
func (a *Agent) newApplicationService() *applications.Service {
	return applications.New(applications.Service{
		Store: a.store, Documents: a.uploads, Institution: a.institutions.ByID, BaseURL: a.BaseURL, Now: a.Now, Random: a.Random,
		OpenFile: func(ctx context.Context, sum string) (io.ReadCloser, error) { return a.blobs.Open(ctx, sum) },
		RenderTemplate: func(ctx context.Context, template, person string, values map[string]string) (vault.File, vault.Placement, error) {
			t, err := a.templateLoader()(template)
			if err != nil {
				return vault.File{}, vault.Placement{}, err
			}
			f, err := a.uploads.RenderTemplate(ctx, t, person, values)
			return f, t.Placement(), err
		},
	})
}

// PublicApplications is where people hand applications in.
func (a *Agent) PublicApplications() *applications.PublicService {
	return &applications.PublicService{Service: a.applicationService, Certificates: a.store, Current: a.Institution, Accepting: a.Accepting, MailQueued: a.mailQueue.Wake, Wake: a.work().Wake, Log: a.Log}
}

// applicationAdmin are those of the current institution, for its staff.
func (a *Agent) applicationAdmin() *applications.AdminService {
	return &applications.AdminService{Service: a.applicationService, Certificates: a.store, Current: a.Institution, Accepting: a.Accepting, ToAPI: a.toAPI, Wake: a.work().Wake}
}
