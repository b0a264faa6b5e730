package agent

import (
	"context"

	"github.com/vecctl/vecctl/agent/batch"
	"github.com/vecctl/vecctl/agent/signing"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
)

// batchOptions is what a manifest needs on its way.
func (a *Agent) batchOptions() batch.Options {
	return batch.Options{
		Store: a.store, Intake: a.intake, Results: a.exporter, Events: &a.events, NewTemplateLoader: a.templateLoader, DefaultPlacement: a.templates.DefaultPlacement, ResultsFolder: a.resultsFolder,
		VerifyURL: func(reference string) string { return signing.VerifyURL(a.BaseURL(), reference) },
		Home:      string(a.Home), Accepting: a.Accepting, CheckDisk: a.disk.Check,
		Wake: a.notifyCommitted, WakeSigner: a.processor.Wake, Now: a.Now, Random: a.Random,
	}
}

// Bulk issues a manifest that staff handed in; see bolt.Issue.
func (a *Agent) Bulk(ctx context.Context, request adminclient.BulkRequest, progress func(client.Progress)) (client.BulkReport, error) {
	report, _, err := batch.Issue(ctx, a.batchOptions(), batch.Request{
		Institution: a.Institution(), Trigger: vault.BulkUpload, Bulk: request, Progress: progress})
	return report, err
}

// batchControls are those under way, as staff act on them.
func (a *Agent) batchControls() *batch.Controls {
	return &batch.Controls{Store: a.store, Institution: a.currentID, OnAction: a.events.PublishBatchAction, Wake: a.notifyCommitted, Now: a.Now}
}

// notifyCommitted says that something was committed: there may be work, and there is news.
func (a *Agent) notifyCommitted() {
	a.processor.Wake()
	a.mailQueue.Wake()
	a.events.PublishChange()
}
