package agent

import "github.com/vecctl/vecctl/agent/applications"

// newApplicationService makes what takes applications and decides them.
func (a *Agent) newApplicationService() *applications.Service {
	return applications.New(applications.Options{
		Store: a.store, Documents: a.uploads, Institutions: a.institutions, Mails: a.mailQueue, Work: a.work(), Now: a.Now, Random: a.Random, Log: a.Log,
	})
}
