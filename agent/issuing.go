package agent

import (
	"context"

	"github.com/vecctl/vecctl/agent/bulk"
	"github.com/vecctl/vecctl/agent/process"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/vault"
)

// bulk is what a manifest needs on its way.
func (a *Agent) bulk() bulk.Options {
	return bulk.Options{
		Records: a.store, Intake: a.intake, Outcome: a.outcome, Feed: &a.feed, Presses: a.presses, Standard: a.catalog.Standard, Verified: a.verified,
		VerifyURL: func(reference string) string { return process.VerifyURL(a.BaseURL(), reference) },
		Home:      string(a.Home), Accepting: a.Accepting, LookAtDisk: a.space.Check,
		Wake: a.wake, Process: a.processor.Wake, Now: a.Now, Random: a.Random,
	}
}

// Bulk issues a manifest that staff handed in; see bulk.Issue.
func (a *Agent) Bulk(ctx context.Context, request staff.BulkRequest, progress func(client.Progress)) (client.BulkReport, error) {
	report, _, err := bulk.Issue(ctx, a.bulk(), bulk.Order{
		Institution: a.Institution(), Trigger: vault.BulkUpload, Request: request, Progress: progress})
	return report, err
}

// batches are those under way, as staff act on them.
func (a *Agent) batches() *bulk.Acts {
	return &bulk.Acts{Records: a.store, Institution: a.currentID, Acted: a.feed.Acted, Wake: a.wake, Now: a.Now}
}

// wake says that something was committed: there may be work, and there is news.
func (a *Agent) wake() {
	a.processor.Wake()
	a.post.Wake()
	a.feed.News()
}
