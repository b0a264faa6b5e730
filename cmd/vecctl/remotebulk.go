package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/batch"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// runRemoteBulk issues a manifest on the vault that --api names.
func runRemoteBulk(c *cli.Context, w environment, s *session, q adminclient.BulkRequest, f outputFormat) error {
	dir, err := homeDir(c, w)
	if err != nil {
		return err
	}
	set, err := loadSettings(c, w)
	if err != nil {
		return err
	}
	remote, err := batch.NewRemote(batch.RemoteOptions{
		SharedAddresses: set.Issuing.SharedAddresses,
		Client:          s.WithRetries(client.RetryTransient()), Notes: dir.Remote(), Templates: template.Dir{Path: dir.Templates()}, Wait: c.Duration("wait"),
		Now: wallClock, Sleep: wake.Sleep,
	}, q)
	if err != nil {
		return err
	}
	remote.Institution.TimeZone = localZone(w)
	if remote.ShowsInstitution() {
		if remote.Institution.Name, err = homeInstitution(c, w); err != nil {
			return err
		}
	}
	bar := newProgress(c, w)
	report, err := remote.Issue(c.Context, bar.update)
	bar.clear()
	if err != nil {
		return err
	}
	if err := printReport(w, f, q, report); err != nil {
		return err
	}
	return remoteOutcome(q, report)
}

// remoteOutcome returns the exit code for a report about a remote vault. Only rows that are
// finished there are done, unless nobody waits for them.
func remoteOutcome(q adminclient.BulkRequest, r client.BulkReport) error {
	processing, notIssued := r.Count(client.RowProcessing), r.Count(client.RowNotIssued)
	switch {
	case q.DryRun:
	case r.Failed > 0 && r.Issued+r.Unchanged+processing > 0:
		return exitStatus(exitPartly)
	case r.Failed == 0 && notIssued == r.Total && r.Total > 0:
		return exitStatus(exitFailed)
	case r.Failed == 0 && (notIssued > 0 || processing > 0 && !q.NoWait):
		return exitStatus(exitPartly)
	}
	return bulkOutcome(q, r)
}

// homeInstitution returns the value of {institution} in this home's templates; "" if there is
// no home.
func homeInstitution(c *cli.Context, w environment) (string, error) {
	set, err := loadSettings(c, w)
	if err != nil {
		return "", err
	}
	if exists, err := homeOf(set).Exists(); err != nil || !exists {
		return "", err
	}
	s, err := connectHome(c, w, set, vault.Institution{})
	if err != nil {
		return "", err
	}
	status, err := s.AgentStatus(c.Context)
	return status.Institution, errors.Join(err, s.close())
}
