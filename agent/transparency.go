package agent

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/agent/tlog"
)

// newStatements makes what enters statements in the logs.
func (a *Agent) newStatements() *tlog.Statements {
	return &tlog.Statements{Store: a.store, Institutions: a.institutions}
}

// statementInterval is how often it is looked whether statements are due, besides when something
// changes.
const statementInterval = time.Minute

// statementDelay is how long changes gather: a bulk has many.
const statementDelay = time.Second

func gather(ctx context.Context) {
	delay := time.NewTimer(statementDelay)
	defer delay.Stop()
	select {
	case <-ctx.Done():
	case <-delay.C:
	}
}

// enterStatements enters the list of revocations and the head of the audit trail in the logs when
// they have changed, and daily. It looks once more at the end, for commands that run for moments.
func (a *Agent) enterStatements(ctx context.Context) error {
	changes := a.events.Subscribe()
	defer changes.Stop()
	tick := time.NewTicker(statementInterval)
	defer tick.Stop()
	for {
		if err := a.statements.EnterDue(context.WithoutCancel(ctx), a.Now()); err != nil {
			a.Log.Error("the log does not say yet what was revoked and done; it is tried again", "error", err)
		}
		if ctx.Err() != nil {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-changes.Ready():
			gather(ctx)
			_, _ = changes.Take()
			_, _ = changes.TakeNotices()
		}
	}
}
