package signing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/remotebulk"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// fetchTask is a job with its certificate and what the vault says of it.
type fetchTask struct {
	task
	outcome remotebulk.Outcome
	err     error // why the vault could not be asked
}

// claimToFetch claims certificates that were sent, if it is time to look at the vault, and looks
// them up there.
func (r *Relay) claimToFetch(ctx context.Context) ([]fetchTask, error) {
	now := r.Now()
	if why, _ := r.Holds.Find(r.Institution, now); why != nil || !r.looks.due(now) {
		return nil, nil
	}
	if next, err := r.Store.NextRun(ctx, store.Lane{Kind: vault.JobFetch}); err != nil || next.IsZero() || next.After(now) {
		return nil, err
	}
	left, err := r.leftThere(ctx)
	if why := r.heldBy(err); why != nil {
		r.pause(vault.JobFetch, why)
		return nil, nil
	}
	r.lift(vault.JobFetch)
	if err != nil || !r.looks.worthwhile(left, now) {
		return nil, err
	}
	claimed, err := claimTasks(ctx, r.Store, vault.JobFetch, r.Owner, fetchGroup, now)
	if err != nil {
		return nil, err
	}
	tasks := make([]fetchTask, len(claimed))
	for i, t := range claimed {
		tasks[i] = fetchTask{task: t}
	}
	r.lookUp(ctx, tasks)
	return tasks, nil
}

// leftThere returns how many certificates the vault processes at present; -1 where it does not say.
func (r *Relay) leftThere(ctx context.Context) (int, error) {
	page, err := r.Client.List(ctx, client.Filter{Status: string(vault.Processing), PerPage: 1})
	if fault.Is(err, fault.Invalid) {
		return -1, nil
	}
	return page.Meta.Total, err
}

// lookUp finds certificates in the vault's list.
func (r *Relay) lookUp(ctx context.Context, tasks []fetchTask) {
	certificates, items := make([]vault.Certificate, len(tasks)), make([]remotebulk.Item, len(tasks))
	for i, t := range tasks {
		certificates[i], items[i] = t.certificate, r.item(ctx, t.certificate)
	}
	u, err := r.uploader(ctx, certificates)
	var outcomes []remotebulk.Outcome
	if err == nil {
		u.Journal = nil // it is for what is sent
		outcomes, err = u.Find(ctx, items)
	}
	open, late := 0, 0
	for i := range tasks {
		if tasks[i].err = err; err != nil {
			continue
		}
		tasks[i].outcome = outcomes[i]
		if o := outcomes[i]; o.Certificate == nil || o.Status == client.RowProcessing {
			open++
		}
		if remote := tasks[i].certificate.Remote; outcomes[i].Certificate == nil && remote != nil && r.Now().Sub(remote.SentAt) > unlistedAlarm {
			late++
		}
	}
	if err == nil {
		r.looks.looked(open < len(tasks), r.Now())
		r.showUnlisted(late)
	}
}

// showUnlisted has staff see how many certificates the vault keeps to itself.
func (r *Relay) showUnlisted(n int) {
	if n == 0 {
		r.Unlisted.Clear()
		return
	}
	r.Unlisted.Raise(fmt.Sprintf("the vault at %s accepted %d certificates more than %d minutes ago and does not list them; they wait, and are sent again after %d hours",
		r.Client.Base(), n, int(unlistedAlarm.Minutes()), int(unlistedLife.Hours())))
}

func (r *Relay) nextToFetch(ctx context.Context) (time.Time, error) {
	next, err := r.Store.NextRun(ctx, store.Lane{Kind: vault.JobFetch})
	if err != nil || next.IsZero() {
		return next, err
	}
	if why, left := r.Holds.Find(r.Institution, r.Now()); why != nil && r.Now().Add(left).After(next) {
		next = r.Now().Add(left)
	}
	if look := r.looks.nextLook(); look.After(next) {
		next = look
	}
	return next, nil
}

// releaseFetch gives a job back that was not begun.
func (r *Relay) releaseFetch(t fetchTask) store.JobResult {
	return store.JobResult{Job: t.job.Postponed(t.job.LastError, r.Now(), 0), Release: true}
}

// doFetch decides what becomes of one certificate, and fetches its document where that is ready.
func (r *Relay) doFetch(ctx context.Context, t fetchTask) store.JobResult {
	begun := r.Now()
	c := t.certificate
	if c.Status != vault.Processing || c.Remote == nil {
		return store.JobResult{Job: t.job} // nothing is left to do
	}
	if c.Remote.Vault != r.Client.Base() {
		why := &HeldError{fmt.Sprintf("certificate %s was sent to the vault at %s, and relay.url names another; set relay.url to that one until it is finished", c.Reference, c.Remote.Vault)}
		return r.hold(t.job, why)
	}
	if t.err != nil {
		return r.holdFor(t.job, t.err)
	}
	there := t.outcome.Certificate
	switch {
	case there == nil && r.Now().Sub(c.Remote.SentAt) > unlistedLife:
		r.Log.Warn("a certificate is sent again, since the vault never listed it", "certificate", c.UUID, "vault", c.Remote.Vault)
		now := r.Now()
		return store.JobResult{Job: t.job, Change: func(c vault.Certificate) (vault.Certificate, vault.Effects, error) { return c.SendAgain(now) }}
	case there == nil, there.Status.Is(vault.Processing, vault.Pending, vault.InReview):
		return r.stillThere(t, there)
	case there.Status.Is(vault.Failed, vault.Rejected):
		return r.observe(store.JobResult{Job: t.job, Change: r.located(there, fail(failureThere(there, c.Remote.Vault), r.Now()))}, c, begun)
	}
	return r.observe(r.fetchDocument(ctx, t, there), c, begun)
}

// stillThere lets a certificate wait that is not finished on the vault.
func (r *Relay) stillThere(t fetchTask, there *client.Certificate) store.JobResult {
	text := "the vault at " + t.certificate.Remote.Vault + " is processing it"
	if there == nil {
		text = "the vault at " + t.certificate.Remote.Vault + " accepted it and does not list it yet"
	}
	s := store.JobResult{Job: t.job.Postponed(text, r.Now(), 0), Release: true}
	if there != nil && t.certificate.Remote.UUID == "" {
		s.Change = r.located(there, nil)
	}
	return s
}

// located is a change that notes which certificate of the vault ours is, and then does another.
func (r *Relay) located(there *client.Certificate, then store.Change) store.Change {
	now := r.Now()
	return func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		c, fx, err := c.Locate(there.UUID, there.ReferenceID, now)
		if err != nil || then == nil {
			return c, fx, err
		}
		return then(c)
	}
}

func failureThere(there *client.Certificate, base string) vault.Failure {
	reason := "processing failed there"
	if there.FailureReason != nil && *there.FailureReason != "" {
		reason = *there.FailureReason
	}
	return vault.Failure{Code: vault.CodeRemoteFailed, Reason: fmt.Sprintf("on the vault at %s, as %s: %s", base, there.ReferenceID, reason)}
}

// maxFetchAttempts is how often a document is fetched that is not what it should be.
const maxFetchAttempts = 5

// fetchDocument fetches the verified PDF of a certificate and keeps it.
func (r *Relay) fetchDocument(ctx context.Context, t fetchTask, there *client.Certificate) store.JobResult {
	verified, tail, err := r.download(ctx, t.certificate, there)
	revoked := there.Status.Is(vault.Revoked)
	message, _ := fault.Message(err)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return r.releaseFetch(t)
	case fault.Is(err, fault.NotFound) && revoked:
		return store.JobResult{Job: t.job, Change: r.located(there, fail(vault.Failure{Code: vault.CodeRemoteFailed,
			Reason: fmt.Sprintf("the vault at %s issued it as %s, revoked it, and does not give the document", t.certificate.Remote.Vault, there.ReferenceID)}, r.Now()))}
	case fault.Is(err, fault.NotFound): // it may be finished before its document can be fetched
		return store.JobResult{Job: t.job.Postponed(message, r.Now(), time.Second), Release: true, Change: r.located(there, nil)}
	case fault.Is(err, fault.Damaged):
		r.Log.Warn("a verified PDF is not what it should be", "certificate", t.certificate.UUID, "error", err)
		if again, ok := t.job.Retry(message, r.Now()); ok && t.job.Attempt < maxFetchAttempts {
			return store.JobResult{Job: again, Retry: true, Change: r.located(there, nil)}
		}
		return store.JobResult{Job: t.job, Change: r.located(there, fail(vault.Failure{Code: vault.CodeRemoteFailed,
			Reason: fmt.Sprintf("issued on the vault at %s as %s, but %s; retry to fetch it again", t.certificate.Remote.Vault, there.ReferenceID, message)}, r.Now()))}
	case fault.Is(err, fault.Full):
		r.reportError(fmt.Errorf("fetching verified PDFs is held up: %w", err))
		return store.JobResult{Job: t.job.Postponed(message, r.Now(), retryDelay), Release: true}
	default:
		return r.holdFor(t.job, err)
	}
	now := r.Now()
	return store.JobResult{Job: t.job, Change: r.located(there, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		c, fx, err := c.Fetch(verified, tail, now)
		if err != nil || !revoked {
			return c, fx, err
		}
		c, after, err := c.RevokeRemotely(revocationThere(there, now), now)
		fx.Events = append(fx.Events, after.Events...)
		return c, fx, err
	})}
}

// revocationThere is when and why the vault took a certificate back, as far as it says.
func revocationThere(there *client.Certificate, now time.Time) vault.Revocation {
	if there.Revocation != nil {
		return vault.Revocation{At: there.Revocation.At, Reason: there.Revocation.Reason}
	}
	return vault.Revocation{At: now, Reason: "revoked by the vault that issued it"}
}

// maxVerified bounds a verified PDF: a document of the largest size, and what a vault adds.
const maxVerified = 64 << 20

// limitedBuffer keeps what is written, up to maxVerified bytes.
type limitedBuffer struct{ bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxVerified {
		return 0, fault.Newf(fault.Damaged, "its verified PDF has more than %d MB", maxVerified>>20)
	}
	return b.Buffer.Write(p)
}

// download fetches a verified PDF and checks it. Where it continues the document that was sent,
// only what was added is kept beside that.
func (r *Relay) download(ctx context.Context, c vault.Certificate, there *client.Certificate) (v vault.Verified, tail []byte, err error) {
	var body limitedBuffer
	if _, err := r.Client.Download(ctx, there.UUID, &body); err != nil {
		return v, nil, err
	}
	whole := body.Bytes()
	sum := sha256.Sum256(whole)
	v.SHA256 = hex.EncodeToString(sum[:])
	switch said := there.Verified; {
	case !bytes.HasPrefix(whole, []byte("%PDF-")):
		return v, nil, fault.New(fault.Damaged, "what it sends as the verified PDF is no PDF")
	case said != nil && said.SHA256 != "" && !said.Is(v.SHA256):
		return v, nil, fault.New(fault.Damaged, "its verified PDF has another SHA-256 than it says")
	}
	if n := c.File.Size; c.File.Format == string(pdf.FormatPDF) && int64(len(whole)) > n {
		if begins := sha256.Sum256(whole[:n]); hex.EncodeToString(begins[:]) == c.File.SHA256 {
			v.Document, v.TailSize = vault.Document{SHA256: c.File.SHA256, Size: n}, int64(len(whole))-n
			return v, whole[n:], nil
		}
	}
	files := context.WithoutCancel(ctx)
	staged, err := r.Blobs.Stage(files, bytes.NewReader(whole), maxVerified)
	if err != nil {
		return v, nil, err
	}
	defer staged.Discard()
	v.Document = vault.Document{SHA256: staged.SHA256, Size: staged.Size}
	return v, []byte{}, r.Blobs.Commit(files, staged)
}

// commitFetched keeps what came of certificates that were looked up.
func (r *Relay) commitFetched(ctx context.Context, group []store.JobResult) error {
	outcomes, err := r.Store.Complete(ctx, group)
	if err != nil {
		return fmt.Errorf("settling jobs failed: %w", err)
	}
	var ended []uint64
	again := false
	for i, s := range group {
		switch {
		case outcomes[i] != nil:
			r.Log.Warn("the result of a job could not be stored", "job", s.Job.ID, "error", outcomes[i])
		case !s.Retry && !s.Release:
			ended = append(ended, s.Job.Certificate)
			again = true // one of them may be sent again
		}
	}
	if r.OnSettled != nil && len(ended) > 0 {
		r.OnSettled(ended)
	}
	if again {
		r.send.Wake()
	}
	return nil
}

// withoutRow takes the number out of a message about a row: here it is not one of a manifest.
func withoutRow(message string, id uint64) string {
	return strings.TrimPrefix(strings.TrimPrefix(message, fmt.Sprintf("row %d", id)), ": ")
}

// revocationPause is the time between two looks at what the vault has revoked.
const revocationPause = 10 * time.Minute

// followRevocations revokes here what the vault shows as revoked, until ctx ends.
func (r *Relay) followRevocations(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := r.applyRevocations(ctx); err != nil && ctx.Err() == nil {
			r.Log.Warn("revocations on the other vault cannot be read", "error", err)
		}
		r.revocations.Wait(ctx, revocationPause)
	}
	return nil
}

// applyRevocations revokes here what the vault shows as revoked.
func (r *Relay) applyRevocations(ctx context.Context) error {
	for there, err := range r.Client.All(ctx, client.Filter{Status: string(vault.Revoked)}) {
		if err != nil {
			return err
		}
		if err := r.revokeHere(ctx, there); err != nil {
			return err
		}
	}
	return nil
}

// revokeHere revokes what the vault has revoked, if it was issued for this home.
func (r *Relay) revokeHere(ctx context.Context, there client.Certificate) error {
	return r.eachOf(ctx, r.Institution, there.Email, func(c vault.Certificate) error {
		if c.Remote == nil || c.Remote.UUID != there.UUID || c.Remote.Vault != r.Client.Base() || c.Status != vault.Approved {
			return nil
		}
		now := r.Now()
		_, err := r.Store.Change(ctx, c.Institution, c.UUID, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.RevokeRemotely(revocationThere(&there, now), now)
		})
		if fault.Is(err, fault.Illegal) { // revoked meanwhile
			return nil
		}
		return err
	})
}
