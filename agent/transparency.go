package agent

import (
	"context"
	"errors"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/agent/signing"
	"github.com/vecctl/vecctl/agent/tlog"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/transparency"
)

// wireLogs makes what keeps the logs honest.
func (a *Agent) wireLogs() error {
	a.statements = &tlog.Statements{Store: a.store, Institutions: a.institutions}
	o := a.config.Transparency
	transport, err := client.NewTransport(client.TransportOptions{UserAgent: "vecctl/" + a.Build.Version, CA: a.config.CA, Timeout: a.config.Timeout})
	if err != nil {
		return err
	}
	publication, location := publicationOf(o.Published, transport)
	moved, err := a.institutions.LogKeysMoved()
	if err != nil {
		return err
	}
	a.forks = tlog.NewForks(moved || publication != nil || len(o.Witnesses) > 0)
	a.comparison = &tlog.Comparison{Store: a.store, Institutions: a.institutions, Publication: publication, Location: location, Forks: a.forks}
	if len(o.Witnesses) > 0 {
		a.witnesses = &tlog.Witnesses{Store: a.store, Institutions: a.institutions, Cosigners: o.Witnesses, Required: o.RequiredWitnesses(), Transport: transport, Forks: a.forks}
		a.cosignatures = signing.NewCosignatureQueue(a.store, a.blobs, a.Now, signing.TimestampOptions{Owner: a.owner, Workers: runtime.GOMAXPROCS(0), Log: a.Log})
	}
	return nil
}

// publicationOf is what is published at an address or in a folder; nil where there is none.
func publicationOf(where string, transport http.RoundTripper) (transparency.Publication, string) {
	switch {
	case where == "":
		return nil, ""
	case strings.HasPrefix(where, "http://"), strings.HasPrefix(where, "https://"):
		where = strings.TrimSuffix(where, "/")
		return transparency.Site{Transport: transport, URL: where}, where
	}
	return transparency.Folder{Files: os.DirFS(where)}, where
}

// How often logs are compared with what is published, and cosignatures are asked for.
const (
	compareInterval = time.Hour
	cosignInterval  = 2 * time.Second
)

// compareLogs compares the logs with what is known of them elsewhere, before the first certificate
// and then now and then.
func (a *Agent) compareLogs(ctx context.Context) error {
	tick := time.NewTicker(compareInterval)
	defer tick.Stop()
	for {
		err := a.comparison.Compare(ctx)
		if a.witnesses != nil {
			err = errors.Join(err, a.witnesses.Gather(ctx))
		}
		a.forks.Done()
		switch {
		case fault.Is(err, fault.Conflict):
			a.Log.Error("the log is known elsewhere otherwise than it is here, so nothing is issued", "error", err)
		case err != nil && ctx.Err() == nil:
			a.Log.Warn("a log could not be compared with what is known of it elsewhere", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// addCosignatures asks the witnesses whenever a log has grown, and adds what they signed to the
// certificates.
func (a *Agent) addCosignatures(ctx context.Context) error {
	if a.witnesses == nil {
		return nil
	}
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return a.cosignatures.Run(ctx) })
	work.Go(func() error {
		tick := time.NewTicker(cosignInterval)
		defer tick.Stop()
		for failed := false; ; {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			err := a.witnesses.Gather(ctx)
			if err != nil && !failed && ctx.Err() == nil {
				a.Log.Warn("a witness does not cosign the log; it is asked again", "error", err)
			}
			failed = err != nil
			a.cosignatures.Wake()
		}
	})
	return work.Wait()
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
		ended := ctx.Err() != nil // before the look: what comes during it is seen by the next
		if err := a.statements.EnterDue(context.WithoutCancel(ctx), a.Now()); err != nil {
			a.Log.Error("the log does not say yet what was revoked and done; it is tried again", "error", err)
		}
		if ended {
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
