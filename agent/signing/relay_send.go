package signing

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/remotebulk"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// sendResult is what came of a group of certificates that were to be sent.
type sendResult struct {
	results []store.JobResult
	ended   []uint64 // certificates whose processing has ended
	rows    []int    // certificates that the journal is not needed for any more
	sent    int      // how many the vault has accepted
}

// add adds the result of one job. A change that fails the certificate ends its processing.
func (s *sendResult) add(r store.JobResult, ended bool) {
	s.results = append(s.results, r)
	if r.Release || r.Retry {
		return
	}
	s.rows = append(s.rows, int(r.Job.Certificate))
	switch {
	case ended:
		s.ended = append(s.ended, r.Job.Certificate)
	case r.Change != nil:
		s.sent++
	}
}

// claimToSend claims a group of certificates that are to be sent.
func (r *Relay) claimToSend(ctx context.Context) ([][]task, error) {
	if why, _ := r.Holds.Find(r.Institution, r.Now()); why != nil {
		return nil, nil
	}
	most := sendGroup
	if !r.showsDates() {
		most = undatedGroup
	}
	group, err := claimTasks(ctx, r.Store, vault.JobSend, r.Owner, most, r.Now())
	if err == nil && len(group) == 0 {
		if err = r.takeOver(ctx, most); err == nil {
			group, err = claimTasks(ctx, r.Store, vault.JobSend, r.Owner, most, r.Now())
		}
	}
	if err != nil || len(group) == 0 {
		return nil, err
	}
	return [][]task{group}, nil
}

// takeOver makes jobs of sending of those of signing, for as many certificates as are sent in a
// row. Before that a batch can be paused or cancelled, and after it nothing of it is signed here.
func (r *Relay) takeOver(ctx context.Context, most int) error {
	now := r.Now()
	group, err := claimTasks(ctx, r.Store, vault.JobSign, r.Owner, most, now)
	if err != nil || len(group) == 0 {
		return err
	}
	results := make([]store.JobResult, len(group))
	for i, t := range group {
		results[i] = store.JobResult{Job: t.job}
		switch {
		case t.certificate.Status != vault.Processing: // settled meanwhile
		case t.certificate.Institution != r.Institution:
			why := &HeldError{"relay.url names the vault of another institution of this home; keep this one in a home of its own, or unset relay.url"}
			pause := r.Holds.Set(t.certificate.Institution, why, now)
			results[i] = store.JobResult{Job: t.job.Postponed(why.Error(), now, pause), Release: true}
		default:
			results[i].Change = func(c vault.Certificate) (vault.Certificate, vault.Effects, error) { return c.Relay(now) }
		}
	}
	outcomes, err := r.Store.Complete(context.WithoutCancel(ctx), results)
	if err != nil {
		return fmt.Errorf("taking jobs over: %w", err)
	}
	for i, outcome := range outcomes {
		if outcome != nil {
			r.Log.Warn("the result of a job could not be stored", "job", results[i].Job.ID, "error", outcome)
		}
	}
	return nil
}

func (r *Relay) nextToSend(ctx context.Context) (next time.Time, err error) {
	for _, kind := range []vault.JobKind{vault.JobSend, vault.JobSign} {
		at, err := r.Store.NextRun(ctx, store.Lane{Kind: kind})
		if err != nil {
			return next, err
		}
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if why, left := r.Holds.Find(r.Institution, r.Now()); !next.IsZero() && why != nil && r.Now().Add(left).After(next) {
		next = r.Now().Add(left)
	}
	return next, nil
}

// releaseGroup gives jobs back that were not begun.
func (r *Relay) releaseGroup(group []task) sendResult {
	var s sendResult
	for _, t := range group {
		s.add(store.JobResult{Job: t.job.Postponed(t.job.LastError, r.Now(), 0), Release: true}, false)
	}
	return s
}

// doSend sends a group to the vault.
func (r *Relay) doSend(ctx context.Context, group []task) sendResult {
	r.sending.Lock()
	defer r.sending.Unlock()
	if err := r.forgetSettled(); err != nil {
		r.reportError(err)
	}
	var s sendResult
	var fresh []task
	for _, t := range group {
		c := t.certificate
		switch {
		case c.Status != vault.Processing:
			s.add(store.JobResult{Job: t.job}, false) // settled meanwhile
		case c.Remote == nil:
			if err := r.checkDocument(ctx, c); fault.Is(err, fault.Damaged) {
				message, _ := fault.Message(err)
				s.add(store.JobResult{Job: t.job, Change: fail(vault.Failure{Code: vault.CodeMissing, Reason: message}, r.Now())}, true)
				continue
			}
			fresh = append(fresh, t)
		case c.Remote.Vault != r.Client.Base():
			why := &HeldError{fmt.Sprintf("certificate %s was sent to the vault at %s, and relay.url names another; set relay.url to that one until it is finished", c.Reference, c.Remote.Vault)}
			s.add(r.hold(t.job, why), false)
		default:
			s.add(r.retryThere(ctx, t))
		}
	}
	r.sendNew(ctx, fresh, &s)
	return s
}

// checkDocument finds a document that is missing, or was cut off.
func (r *Relay) checkDocument(ctx context.Context, c vault.Certificate) error {
	f, err := openSized(ctx, r.Blobs, c.File.SHA256, c.File.Size)
	if err != nil {
		return err
	}
	defer f.Close()
	return nil
}

// retryThere has the vault process a certificate again that failed there.
func (r *Relay) retryThere(ctx context.Context, t task) (s store.JobResult, ended bool) {
	remote := *t.certificate.Remote
	_, err := r.Client.Retry(ctx, remote.UUID)
	switch {
	case err == nil, fault.Is(err, fault.Illegal): // it has not failed, or does not say so any more
		remote.SentAt = r.Now()
		return store.JobResult{Job: t.job, Change: r.markSent(remote)}, false
	case ctx.Err() != nil:
		return store.JobResult{Job: t.job.Postponed(t.job.LastError, r.Now(), 0), Release: true}, false
	case fault.Is(err, fault.NotFound):
		return store.JobResult{Job: t.job, Change: fail(vault.Failure{Code: vault.CodeRemoteFailed,
			Reason: fmt.Sprintf("the vault at %s does not know %s any more", remote.Vault, remote.Reference)}, r.Now())}, true
	}
	return r.holdFor(t.job, err), false
}

func (r *Relay) markSent(remote vault.Remote) store.Change {
	now := r.Now()
	return func(c vault.Certificate) (vault.Certificate, vault.Effects, error) { return c.Send(remote, now) }
}

// sendNew sends certificates that the vault does not have. Where it refuses a call as a whole, it
// gets smaller ones, until it is known which certificate is at fault.
func (r *Relay) sendNew(ctx context.Context, group []task, s *sendResult) {
	if len(group) == 0 {
		return
	}
	begun := r.Now()
	outcomes, err := r.runUploader(ctx, group)
	switch {
	case err == nil:
		r.lift(vault.JobSend)
	case ctx.Err() != nil: // what was accepted until now is kept
	case fault.Is(err, fault.Invalid) && len(group) > 1:
		r.sendNew(ctx, group[:len(group)/2], s)
		r.sendNew(ctx, group[len(group)/2:], s)
		return
	case fault.Is(err, fault.Invalid):
		message, _ := fault.Message(err)
		outcomes = []remotebulk.Outcome{{Status: client.RowRejected, Error: message}}
	}
	for i, t := range group {
		var o remotebulk.Outcome
		if i < len(outcomes) {
			o = outcomes[i]
		}
		result, ended := r.sentResult(ctx, t, o, err)
		if ended {
			r.observe(result, t.certificate, begun)
		}
		s.add(result, ended)
	}
}

// runUploader has the certificates of a group accepted by the vault.
func (r *Relay) runUploader(ctx context.Context, group []task) ([]remotebulk.Outcome, error) {
	certificates, items := make([]vault.Certificate, len(group)), make([]remotebulk.Item, len(group))
	for i, t := range group {
		certificates[i], items[i] = t.certificate, r.item(ctx, t.certificate)
	}
	u, err := r.uploader(ctx, certificates)
	if err != nil {
		return nil, err
	}
	outcomes, _, err := u.Run(ctx, items)
	return outcomes, err
}

// item is a certificate as it is sent.
func (r *Relay) item(ctx context.Context, c vault.Certificate) remotebulk.Item {
	it := remotebulk.Item{Number: int(c.ID), SHA256: c.File.SHA256, Certificate: client.NewCertificate{
		Content: client.NewContent(c.Content), QR: client.Placement(c.Placement),
		File: client.Document{Name: c.File.Name, Size: c.File.Size, Open: func() (io.ReadCloser, error) { return r.Blobs.Open(ctx, c.File.SHA256) }},
	}}
	if c.Remote != nil {
		it.Others = c.Remote.Others
	}
	return it
}

// sentResult decides what an outcome means for its job; cause is why the run ended early.
func (r *Relay) sentResult(ctx context.Context, t task, o remotebulk.Outcome, cause error) (s store.JobResult, ended bool) {
	remote := vault.Remote{Vault: r.Client.Base(), SentAt: r.Now(), Others: o.Others}
	switch o.Status {
	case client.RowIssued, client.RowUnchanged, client.RowProcessing, client.RowFailed, client.RowRevoked:
		if c := o.Certificate; c != nil {
			remote.UUID, remote.Reference, remote.Others = c.UUID, c.ReferenceID, nil
		}
		if o.Certificate == nil && o.Status == client.RowFailed { // it exists, and cannot be told from others
			return store.JobResult{Job: t.job, Change: fail(vault.Failure{Code: vault.CodeRemoteRefused, Reason: o.Error}, r.Now())}, true
		}
		return store.JobResult{Job: t.job, Change: r.markSent(remote)}, false
	case client.RowRejected:
		return store.JobResult{Job: t.job, Change: fail(vault.Failure{Code: vault.CodeRemoteRefused,
			Reason: fmt.Sprintf("the vault at %s refuses it: %s", remote.Vault, withoutRow(o.Error, t.certificate.ID))}, r.Now())}, true
	case client.RowReady, client.RowNotIssued:
	}
	switch {
	case ctx.Err() != nil:
		return store.JobResult{Job: t.job.Postponed(t.job.LastError, r.Now(), 0), Release: true}, false
	case cause != nil:
		return r.holdFor(t.job, cause), false
	}
	why := &HeldError{fmt.Sprintf("not all certificates could be sent to the vault at %s (%s)", remote.Vault, o.Error)}
	return r.hold(t.job, why), false
}

// commitSent keeps what came of groups.
func (r *Relay) commitSent(ctx context.Context, groups []sendResult) error {
	for i, g := range groups {
		outcomes, err := r.Store.Complete(ctx, g.results)
		if err != nil {
			return fmt.Errorf("settling jobs failed: %w", err)
		}
		groups[i].results = nil // not again, if a later group fails
		for n, outcome := range outcomes {
			if outcome != nil {
				r.Log.Warn("the result of a job could not be stored", "job", g.results[n].Job.ID, "error", outcome)
			}
		}
		r.mu.Lock()
		r.settled = append(r.settled, g.rows...)
		r.mu.Unlock()
		if r.OnSettled != nil && len(g.ended) > 0 {
			r.OnSettled(g.ended)
		}
		if g.sent > 0 {
			r.looks.sent(g.sent, r.Now())
			r.fetch.Wake()
		}
	}
	if r.sending.TryLock() {
		defer r.sending.Unlock()
		return r.forgetSettled()
	}
	return nil
}

// forgetSettled drops what the journal has of certificates that are settled in the store. The lock
// on sending is held.
func (r *Relay) forgetSettled() error {
	r.mu.Lock()
	settled := r.settled
	r.settled = nil
	r.mu.Unlock()
	return r.Journal.Forget(settled...)
}
