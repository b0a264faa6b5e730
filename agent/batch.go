package agent

import (
	"github.com/vecctl/vecctl/agent/batch"
	"github.com/vecctl/vecctl/pkg/wake"
)

// newIssuer makes what issues manifests.
func (a *Agent) newIssuer() (*batch.Issuer, error) {
	rejected, err := a.store.Rows(batch.RejectedTable)
	if err != nil {
		return nil, err
	}
	return &batch.Issuer{
		Store: a.store, Intake: a.intake, Results: a.exporter, Events: &a.events, Templates: a.templateDir(), DefaultPlacement: a.templates.DefaultPlacement, Cover: a.config.QRCover,
		Institutions: a.institutions, Home: a.Home, Disk: a.disk, Work: a.work(), Signing: a.signingWork(), Rejected: rejected, ReportTo: a.config.Drop.ReportTo, Now: a.Now, Random: a.Random,
	}, nil
}

// work is all that is woken when something was committed: there may be work, and
// there is news.
func (a *Agent) work() wake.Waker { return wake.All{a.signingWork(), a.mailQueue, &a.events} }
