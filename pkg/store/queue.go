package store

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// Lane is a part of the queue that is worked on by itself: the jobs of one kind. Those of
// kind vault.JobWebhook have a lane for each endpoint, so that one does not hold up
// others.
type Lane struct {
	Kind        vault.JobKind
	Institution uint32 // of the endpoint
	Endpoint    string
}

// ClaimedJob is a job that its owner may work on until the lease ends, which is at RunAt.
// Jobs of kinds vault.JobWebhook and vault.JobInbound are made of what is still to be done;
// their ID is that of the delivery or of the event.
type ClaimedJob struct {
	vault.Job
	Delivery *DueDelivery      // of kind vault.JobWebhook
	Endpoint *webhook.Endpoint // where the delivery goes, as it was at the claim
	Task     *DueTask          // of kind vault.JobInbound
}

// DueDelivery is a delivery that is to be tried, with its body.
type DueDelivery struct {
	webhook.Delivery
	Body []byte
	// Version changes when the delivery does.
	Version uint32
}

// DueTask is a task of a received event that is to be done.
type DueTask struct {
	webhook.InboundEvent
	Index int // its place among the event's tasks
}

// JobResult is what came of a claimed job. It, its effects and the end of the job are one
// transaction.
type JobResult struct {
	Job vault.Job
	// Change is applied to the job's certificate. A nil Change leaves the certificate as it is.
	Change Change
	// Mail, when set, is applied to the job's mail.
	Mail func(vault.Mail) (vault.Mail, error)
	// Delivery is that of the claimed job, and Attempt is applied to it and to its endpoint
	// (webhook.ApplyAttempt). A delivery that is pending no more stays as it is.
	Delivery *DueDelivery
	Attempt  webhook.Attempt
	// Task is that of the claimed job, Failure why the try failed, "" for a success, and At
	// when it ended (webhook.InboundEvent.ApplyTaskResult).
	Task    *DueTask
	Failure string
	At      time.Time
	// Retry, when true, keeps the job for another attempt as Job says (RunAt, LastError)
	// instead of ending it. Whether deliveries and tasks are tried again follows from the attempt.
	Retry bool
	// Release, when true, gives the job back as if it had not been claimed, but for what Job
	// says. Nothing else of the result is applied to a delivery or a task.
	Release bool
}

// QueueLength counts jobs of one kind.
type QueueLength struct {
	Waiting int `json:"waiting"` // due now
	Later   int `json:"later"`   // due later, or claimed
}

// Queue is the one queue of work, of all kinds: certificates to sign, mails to send,
// deliveries to endpoints, and tasks of received events. Work is claimed under a lease,
// which has an owner and an end, so that several processes can share a queue. An
// owner is named anew at each start of a process.
type Queue interface {
	// Claim takes up to n jobs of a lane that are due (vault.Job.Due, NotYetDue of the others), the oldest
	// first; certificates and mails of each institution in turn. Each is hidden from
	// others until its lease ends (vault.RetryPolicy), and its attempt is counted. A suspect job
	// comes alone; jobs of paused batches and of endpoints that take nothing now do not
	// come. An endpoint that is not there is NotFound. Where now is before that of an earlier
	// call, the clock was set back, and nothing waits behind what was put off since.
	Claim(ctx context.Context, lane Lane, owner string, n int, now time.Time) ([]ClaimedJob, error)
	// Complete ends claimed jobs, or keeps them for another attempt, in the order given; the result has an error
	// for each, nil where it was done. A job whose lease was lost, to another claim
	// or to RequeueOrphaned, is a Conflict and changes nothing; one whose lease has only
	// ended is not lost. The second error is that of the transaction.
	Complete(ctx context.Context, results []JobResult) ([]error, error)
	// RequeueOrphaned gives back every job that is claimed by an owner that is not among alive
	// (vault.Job.Orphaned), and returns how many. A process that shares its store with
	// nobody calls it at its start with none alive.
	RequeueOrphaned(ctx context.Context, alive []string, now time.Time) (int, error)
	// NextRun is the earliest moment at which a job of the lane is due or a lease on one
	// ends; zero when there is none.
	NextRun(ctx context.Context, lane Lane) (time.Time, error)
	// Queues counts the certificates that wait to be signed and the mails that wait to be
	// sent, by the kind of job. Backlog counts deliveries.
	Queues(ctx context.Context, now time.Time) (map[vault.JobKind]QueueLength, error)
}
