package signing

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/agent/worker"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// verifiedQueue is what the queues have in common that change verified PDFs after they were issued.
type verifiedQueue struct {
	store TimestampStore
	blobs blob.Store
	kind  vault.JobKind
	owner string
	loop  *worker.Loop[task, store.JobResult]
}

// verifiedWork is what each of them does in its own way.
type verifiedWork interface {
	claim(ctx context.Context) ([]task, error)
	nextRun(ctx context.Context) (time.Time, error)
	do(ctx context.Context, t task) store.JobResult
	commit(ctx context.Context, group []store.JobResult) error
	reportError(err error)
}

// newVerifiedQueue makes the part of a queue that it has in common with others; start gives it its
// work.
func newVerifiedQueue(kind vault.JobKind, from TimestampStore, blobs blob.Store, owner string) verifiedQueue {
	return verifiedQueue{store: from, blobs: blobs, kind: kind, owner: owner}
}

// use makes the loop of a queue's own work; it starts nothing.
func (q *verifiedQueue) use(w verifiedWork, now func() time.Time, workers int) {
	q.loop = worker.New(worker.Options[task, store.JobResult]{
		Claim: w.claim, NextRun: w.nextRun, Do: w.do, Release: q.release, Commit: w.commit, Alone: task.suspect,
		OnError: w.reportError, Now: now, Workers: workers, MaxGroup: maxCommitGroup, Linger: commitLinger,
		Idle: idlePoll, AfterError: retryDelay,
	})
}

// Run works until ctx ends.
func (q *verifiedQueue) Run(ctx context.Context) error {
	q.loop.Run(ctx)
	return nil
}

// Wake says that there may be more to do.
func (q *verifiedQueue) Wake() { q.loop.Wake() }

// claimDue claims jobs that are due.
func (q *verifiedQueue) claimDue(ctx context.Context) ([]task, error) {
	return claimTasks(ctx, q.store, q.kind, q.owner, claimGroup, q.loop.Now())
}

// nextDue is when the next job is due.
func (q *verifiedQueue) nextDue(ctx context.Context) (time.Time, error) {
	return q.store.NextRun(ctx, store.Lane{Kind: q.kind})
}

// release gives a job back that was not begun.
func (q *verifiedQueue) release(t task) store.JobResult {
	return q.postpone(t, t.job.LastError, 0)
}

// postpone gives a job back for a while.
func (q *verifiedQueue) postpone(t task, why string, pause time.Duration) store.JobResult {
	return store.JobResult{Job: t.job.Postponed(why, q.loop.Now(), pause), Release: true}
}

// open opens the document of a verified PDF, and reads all that follows it.
func (q *verifiedQueue) open(ctx context.Context, c vault.Certificate) (document blob.File, tail []byte, err error) {
	if tail, err = q.store.Tail(ctx, c.ID); err != nil {
		return nil, nil, err
	}
	document, err = openSized(ctx, q.blobs, c.Verified.Document.SHA256, c.Verified.Document.Size)
	return document, tail, err
}

// openSized opens a stored document, and finds one that was cut off.
func openSized(ctx context.Context, blobs blob.Store, sha256 string, size int64) (blob.File, error) {
	f, err := blobs.Open(ctx, sha256)
	if err != nil {
		return nil, err
	}
	if err := checkSize(f, size); err != nil {
		_ = f.Close() // it was only read
		return nil, err
	}
	return f, nil
}
