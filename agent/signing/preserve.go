package signing

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vecctl/vecctl/agent/events"
	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// PreserveOptions are what a queue of renewals needs besides.
type PreserveOptions struct {
	Owner       string // who claims jobs: another one after each start of the process
	Workers     int
	Store       TimestampStore
	Blobs       blob.Store
	Timestamper *pdf.Timestamper // nil: there are no document time stamps
	Evidence    *Evidence
	// Known are certificates that serve for chains besides those that come with signatures.
	Known   []*x509.Certificate
	Results *results.Folders // of batches, whose files become those with what was added
	Events  *events.Bus      // told of each attempt
	Alarm   Alarm            // raised while nothing can be added
	Log     *slog.Logger
}

// PreserveQueue brings verified PDFs to the level that they are owed: it adds the certificates
// and the proofs of their status that validation needs, and document time stamps. A job ends
// when that is done; until then it waits.
type PreserveQueue struct {
	PreserveOptions
	verifiedQueue

	preserver *pdf.Preserver
	verifier  *pdf.Verifier

	mu       sync.Mutex
	restsTo  time.Time         // until then nothing is tried, since others do not answer
	problems map[uint64]string // why the last attempt failed, by certificate
}

const (
	// preserveRest is how long nothing is tried after a server gave no sound answer.
	preserveRest = 30 * time.Second
	// preserveRetry is how long a job waits whose file could not be brought to its level.
	preserveRetry = 10 * time.Minute
	// stampWait is how long a job waits for the time stamp that its signature is owed.
	stampWait = 5 * time.Second
	// maxIssuers are asked for on the way to a root.
	maxIssuers = 8
	// maxProblems are kept for reports.
	maxProblems = 100_000
)

// NewPreserveQueue makes a queue; it starts nothing.
func NewPreserveQueue(now func() time.Time, o PreserveOptions) *PreserveQueue {
	q := &PreserveQueue{PreserveOptions: o, verifiedQueue: newVerifiedQueue(vault.JobPreserve, o.Store, o.Blobs, o.Owner),
		preserver: pdf.NewPreserver(o.Timestamper), verifier: pdf.NewVerifier(), problems: map[uint64]string{}}
	q.use(q, now, o.Workers)
	return q
}

// Problem returns why the last attempt for a certificate failed; "" where none did.
func (q *PreserveQueue) Problem(id uint64) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.problems[id]
}

// resting returns until when nothing is tried; zero where something may be tried now.
func (q *PreserveQueue) resting() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.loop.Now().Before(q.restsTo) {
		return q.restsTo
	}
	return time.Time{}
}

func (q *PreserveQueue) claim(ctx context.Context) ([]task, error) {
	if !q.resting().IsZero() {
		return nil, nil
	}
	return q.claimDue(ctx)
}

func (q *PreserveQueue) nextRun(ctx context.Context) (time.Time, error) {
	if until := q.resting(); !until.IsZero() {
		return until, nil
	}
	return q.nextDue(ctx)
}

// do brings one file to its level. A job is given back until that is done.
func (q *PreserveQueue) do(ctx context.Context, t task) store.JobResult {
	c, now := t.certificate, q.loop.Now()
	if c.Verified == nil || c.Verified.LevelOwed == "" || c.ErasedAt != nil {
		return store.JobResult{Job: t.job}
	}
	if t.job.GivenUp() {
		q.Log.Error("a verified PDF is given up on its way to a level: working on it ended the program several times", "certificate", c.UUID)
		return store.JobResult{Job: t.job, Change: func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.GiveUpLevel("working on the file ended the program several times; check the document, then renew it by its name", now)
		}}
	}
	if c.Verified.TimestampOwed {
		return q.postpone(t, "it waits for the time stamp of its signature", stampWait)
	}
	if until := q.resting(); !until.IsZero() {
		return q.postpone(t, t.job.LastError, until.Sub(now))
	}
	p, err := q.preserve(context.WithoutCancel(ctx), c, now)
	if err != nil {
		return q.postpone(t, err.Error(), q.failed(c, err))
	}
	q.succeeded(c)
	return store.JobResult{Job: t.job, Change: func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Preserve(p, now)
	}}
}

// unavailableError says that a server has no sound answer now, which concerns all files.
type unavailableError struct{ cause error }

func (e *unavailableError) Error() string { return e.cause.Error() }
func (e *unavailableError) Unwrap() error { return e.cause }

// failed notes why an attempt failed, and returns after which time the next one is due.
func (q *PreserveQueue) failed(c vault.Certificate, err error) time.Duration {
	message := oneLine(err)
	q.Log.Warn("a verified PDF could not be brought to its level", "certificate", c.UUID, "level", c.Verified.LevelOwed, "error", message)
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.problems) < maxProblems {
		q.problems[c.ID] = message
	}
	if _, ok := errors.AsType[*unavailableError](err); !ok {
		return preserveRetry
	}
	q.Alarm.Raise(fmt.Sprintf("verified PDFs do not get the level %s: %s; it is tried again by itself", c.Verified.LevelOwed, message))
	q.restsTo = q.loop.Now().Add(preserveRest)
	return preserveRest
}

func (q *PreserveQueue) succeeded(c vault.Certificate) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.problems, c.ID)
	q.Alarm.Clear()
}

// preserve makes what a file needs for the level that it is owed.
func (q *PreserveQueue) preserve(ctx context.Context, c vault.Certificate, now time.Time) (vault.Preserved, error) {
	v := c.Verified
	p := vault.Preserved{Before: v.SHA256}
	f, tail, err := q.open(ctx, c)
	if err != nil {
		return p, err
	}
	defer f.Close()
	if int64(len(tail)) != v.TailSize {
		return p, fault.New(fault.Damaged, "the update of a verified PDF is not as long as it was; restore the home from a backup")
	}
	file := concatenated{document: f, size: v.Document.Size, update: tail}
	has, err := q.read(ctx, file, now)
	if err == nil && has.Until.IsZero() { // nothing vouches for the time yet: that comes first
		if err = q.extend(&file, &p, nil, true); err == nil {
			has, err = q.read(ctx, file, now)
		}
	}
	if err != nil {
		return p, err
	}
	data, err := q.collect(ctx, has.Chains, now)
	if err != nil {
		return p, err
	}
	stamp := v.LevelOwed == vault.SealLTA
	if len(data) == 0 && !stamp && has.Level == pdf.LevelLT {
		p.Level, p.Until, p.SHA256 = vault.SealLT, has.Until, v.SHA256
		return p, nil
	}
	if err := q.extend(&file, &p, data, stamp); err != nil {
		return p, err
	}
	return p, nil
}

// extend adds to a file, and checks that it reached its level where that was wanted.
func (q *PreserveQueue) extend(file *concatenated, p *vault.Preserved, data []pdf.ValidationData, stamp bool) error {
	x, err := q.preserver.Extend(*file, file.length(), data, stamp)
	if err != nil {
		if stamp && q.Timestamper != nil && !q.Timestamper.Paused().IsZero() {
			return &unavailableError{err}
		}
		return err
	}
	file.update = slices.Concat(file.update, x.Bytes)
	p.Update = append(p.Update, x.Bytes...)
	p.SHA256, p.Level, p.Until = hex.EncodeToString(x.SHA256[:]), vault.SealLevel(x.Level), x.Until
	if len(data) > 0 && (x.Level != pdf.LevelLT && x.Level != pdf.LevelLTA || stamp && x.Level != pdf.LevelLTA) {
		return fault.Newf(fault.Invalid, "the file reaches the level %s alone; it lacks %s", x.Level, strings.Join(x.Missing, ", "))
	}
	return nil
}

// collect gathers what the store of a file lacks.
func (q *PreserveQueue) collect(ctx context.Context, chains []pdf.Chain, now time.Time) ([]pdf.ValidationData, error) {
	var all []pdf.ValidationData
	for _, chain := range chains {
		d := pdf.ValidationData{Key: chain.Key, Certificates: chain.Certificates}
		for i, cert := range chain.Certificates[:len(chain.Certificates)-1] {
			// Of the newest time stamp, what is known is older than the time stamp is.
			if chain.Proven[i] && !chain.Newest {
				continue
			}
			p, err := q.Evidence.findStatus(ctx, cert, chain.Certificates[i+1], now)
			if err != nil {
				if chain.Proven[i] || now.After(cert.NotAfter) && !isRevoked(err) {
					q.Log.Warn("a verified PDF is renewed without new proof that a certificate was not revoked", "error", oneLine(err))
					continue
				}
				return nil, &unavailableError{err}
			}
			if d = d.With(p.ocsp, p.crl); p.responder != nil {
				d.Certificates = append(slices.Clip(d.Certificates), p.responder)
			}
		}
		if !chain.Stored || len(d.OCSPs)+len(d.CRLs) > 0 {
			all = append(all, d)
		}
	}
	return all, nil
}

func isRevoked(err error) bool {
	_, revoked := errors.AsType[*pdf.RevokedError](err)
	return revoked
}

// read finds what a file has, and the chains that it needs, each up to its root.
func (q *PreserveQueue) read(ctx context.Context, file concatenated, now time.Time) (has pdf.Preservation, err error) {
	for range maxIssuers {
		if has, err = q.verifier.Preserved(file, file.length(), q.issuers()...); err != nil {
			return has, err
		}
		i := slices.IndexFunc(has.Chains, func(c pdf.Chain) bool { return !c.Whole })
		if i < 0 {
			return has, nil
		}
		top := has.Chains[i].Certificates[len(has.Chains[i].Certificates)-1]
		issuer, err := q.Evidence.Issuer(ctx, top, now)
		if err != nil {
			return has, &unavailableError{err}
		}
		q.addIssuer(issuer)
	}
	return has, fault.Newf(fault.Invalid, "a certificate has more than %d issuers", maxIssuers)
}

// issuers are the certificates that serve for chains.
func (q *PreserveQueue) issuers() []*x509.Certificate {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.Known
}

// addIssuer has a certificate serve for the chains of other files.
func (q *PreserveQueue) addIssuer(c *x509.Certificate) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !slices.ContainsFunc(q.Known, c.Equal) {
		q.Known = append(slices.Clip(q.Known), c)
	}
}

func (q *PreserveQueue) commit(ctx context.Context, group []store.JobResult) error {
	outcomes, err := q.Store.Complete(ctx, group)
	if err != nil {
		return fmt.Errorf("keeping renewed files failed: %w", err)
	}
	var tried, done []uint64
	for i, outcome := range outcomes {
		switch id := group[i].Job.Certificate; {
		case outcome != nil:
			q.Log.Warn("a renewed file could not be kept", "job", group[i].Job.ID, "error", outcome)
		case group[i].Change != nil:
			done, tried = append(done, id), append(tried, id)
		default:
			tried = append(tried, id)
		}
	}
	if err := q.Results.Refresh(ctx, done); err != nil {
		q.Log.Error("the folders of results do not have renewed files", "error", err)
	}
	q.Events.PublishSettled(tried)
	return nil
}

func (q *PreserveQueue) reportError(err error) {
	q.Log.Error("renewing files is held up", "error", err)
}

// Retry has everything that waits tried now, since somebody asks for it.
func (q *PreserveQueue) Retry() {
	q.mu.Lock()
	q.restsTo = time.Time{}
	q.mu.Unlock()
	q.Wake()
}

// TimestampUntil returns when the certificate of the newest time stamp in a verified PDF ends;
// zero where it has none. Of one that was issued before that was kept, the file says it.
func (q *PreserveQueue) TimestampUntil(ctx context.Context, c vault.Certificate) (time.Time, error) {
	if c.Verified.Level != "" {
		return c.Verified.TimestampUntil, nil
	}
	tail, err := q.Store.Tail(ctx, c.ID)
	if err != nil {
		return time.Time{}, err
	}
	return pdf.TimestampUntil(tail), nil
}
