package signing

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// TimestampStore is what is needed of the store to add time stamps.
type TimestampStore interface {
	Store
	Tail(ctx context.Context, id uint64) ([]byte, error)
}

// TimestampOptions are what a queue of time stamps needs besides.
type TimestampOptions struct {
	Owner   string // who claims jobs: another one after each start of the process
	Workers int
	Results *results.Folders // of batches, whose files become those with time stamps
	Log     *slog.Logger
}

// TimestampQueue adds time stamps to verified PDFs that were issued without, since no server
// answered then. A job ends with the time stamp; until then it waits.
type TimestampQueue struct {
	TimestampOptions
	verifiedQueue

	timestamper *pdf.Timestamper
}

// timestampRetry is how long a job waits whose time stamp could not be added.
const timestampRetry = time.Minute

// NewTimestampQueue makes a queue; it starts nothing.
func NewTimestampQueue(queue TimestampStore, blobs blob.Store, t *pdf.Timestamper, now func() time.Time, o TimestampOptions) *TimestampQueue {
	q := &TimestampQueue{TimestampOptions: o, verifiedQueue: newVerifiedQueue(vault.JobTimestamp, queue, blobs, o.Owner), timestamper: t}
	q.use(q, now, o.Workers)
	return q
}

// claim claims jobs, unless no server is to be asked at present.
func (q *TimestampQueue) claim(ctx context.Context) ([]task, error) {
	if !q.timestamper.Paused().IsZero() {
		return nil, nil
	}
	return q.claimDue(ctx)
}

func (q *TimestampQueue) nextRun(ctx context.Context) (time.Time, error) {
	if until := q.timestamper.Paused(); !until.IsZero() {
		return until, nil
	}
	return q.nextDue(ctx)
}

// do adds one time stamp. A job is given back until that is done.
func (q *TimestampQueue) do(ctx context.Context, t task) store.JobResult {
	c := t.certificate
	if c.Verified == nil || !c.Verified.TimestampOwed || c.ErasedAt != nil || t.job.GivenUp() {
		return store.JobResult{Job: t.job}
	}
	tail, sum, until, err := q.stamp(context.WithoutCancel(ctx), c)
	if err != nil {
		q.Log.Warn("a time stamp is still owed", "certificate", c.UUID, "error", err)
		return q.postpone(t, err.Error(), timestampRetry)
	}
	now := q.loop.Now()
	return store.JobResult{Job: t.job, Change: func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.AddTimestamp(sum, tail, until, now)
	}}
}

// stamp returns the end of a verified PDF with a time stamp, the SHA-256 of the whole, and when
// the certificate of the time stamp ends.
func (q *TimestampQueue) stamp(ctx context.Context, c vault.Certificate) (tail []byte, sum string, until time.Time, err error) {
	f, tail, err := q.open(ctx, c)
	if err != nil {
		return nil, "", until, err
	}
	defer f.Close()
	stamped, hash, until, err := q.timestamper.Stamp(io.NewSectionReader(f, 0, c.Verified.Document.Size), tail)
	return stamped, hex.EncodeToString(hash[:]), until, err
}

func (q *TimestampQueue) commit(ctx context.Context, group []store.JobResult) error {
	outcomes, err := q.store.Complete(ctx, group)
	if err != nil {
		return fmt.Errorf("keeping time stamps failed: %w", err)
	}
	var done []uint64
	for i, outcome := range outcomes {
		switch {
		case outcome != nil:
			q.Log.Warn("a time stamp could not be kept", "job", group[i].Job.ID, "error", outcome)
		case group[i].Change != nil:
			done = append(done, group[i].Job.Certificate)
		}
	}
	if err := q.Results.Refresh(ctx, done); err != nil {
		q.Log.Error("the folders of results do not have files with time stamps", "error", err)
	}
	return nil
}

func (q *TimestampQueue) reportError(err error) {
	q.Log.Error("adding time stamps is held up", "error", err)
}
