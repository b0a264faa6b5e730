package store

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

// JobResult ends a claimed job: Change is applied to the job's certificate,
// and the result, its effects and the end of the job are one transaction.
type JobResult struct {
	Job vault.Job
	// Change is run inside the transaction and must do nothing but compute. A nil
	// Change leaves the certificate as it is.
	Change Change
	// Mail, when set, is applied to the job's mail, which is kept in the same
	// transaction. Like Change it must do nothing but compute.
	Mail func(vault.Mail) (vault.Mail, error)
	// Retry, when true, keeps the job for another attempt as Job says (RunAt,
	// LastError) instead of ending it.
	Retry bool
	// Release, when true, does the same and takes the attempt back.
	Release bool
}

// Queue counts jobs of one kind.
type Queue struct {
	Waiting int `json:"waiting"` // due now
	Later   int `json:"later"`   // due later, or claimed
}

// Jobs is the one queue of work.
type Jobs interface {
	// Claim takes up to n jobs of a kind that are due (vault.Job.Due): of each institution in turn, the
	// oldest of each first. Each is hidden from others until its lease ends, and its
	// attempt is counted. A suspect job comes alone.
	Claim(ctx context.Context, kind vault.JobKind, n int, now time.Time) ([]vault.Job, error)
	// Complete ends claimed jobs; the result has an error for each, nil where it was
	// done. A job whose lease was lost to another claim is a Conflict and changes
	// nothing. The second error is that of the transaction.
	Complete(ctx context.Context, settlements []JobResult) ([]error, error)
	// RequeueOrphaned orphans every claimed job (vault.Job.Orphaned). Only the sole owner
	// of a store may call it, at its start: whoever claimed before is gone.
	RequeueOrphaned(ctx context.Context, now time.Time) (int, error)
	// NextRun is the earliest moment at which a job of the kind is due; zero when
	// there is none.
	NextRun(ctx context.Context, kind vault.JobKind) (time.Time, error)
	// Queues counts the jobs of each kind.
	Queues(ctx context.Context, now time.Time) (map[vault.JobKind]Queue, error)
}
