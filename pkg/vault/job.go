package vault

import (
	"slices"
	"time"
)

// JobKind sorts jobs by who works on them. Stored jobs have it, so that the values stay
// as they are.
type JobKind string

// The kinds of job.
const (
	JobSign    JobKind = "process" // make the verified PDF
	JobMail    JobKind = "notify"  // send a mail
	JobWebhook JobKind = "webhook" // tell an endpoint of an event
	JobInbound JobKind = "inbound" // do a task of an event that others told us
	// JobTimestamp adds the time stamp that a verified PDF was issued without.
	JobTimestamp JobKind = "timestamp"
	// JobSend has another vault issue a certificate. It takes the place of JobSign as soon as that
	// may have happened, so that nothing that may be there is issued here as well.
	JobSend JobKind = "send"
	// JobFetch follows a certificate on another vault, and fetches its verified PDF.
	JobFetch JobKind = "fetch"
	// JobPreserve adds validation data and a document time stamp to a verified PDF, or renews them.
	JobPreserve JobKind = "preserve"
	// JobCosign puts the cosignatures of witnesses into the log proof of a verified PDF.
	JobCosign JobKind = "cosign"
)

// Job is work that a committed change left to be done. Claiming it counts an
// attempt and hides it until RunAt, the end of the lease; a worker that never comes back is
// thereby repaired by the next claim.
type Job struct {
	ID          uint64    `json:"id"` // given by the store
	Kind        JobKind   `json:"kind"`
	Certificate uint64    `json:"certificate"` // filled in by the store, as is what follows
	Institution uint32    `json:"institution,omitempty"`
	Batch       string    `json:"batch,omitempty"`
	Mail        uint64    `json:"mail,omitempty"` // which one is to be sent
	RunAt       time.Time `json:"run_at"`
	Attempt     int       `json:"attempt"` // times claimed
	Claimed     bool      `json:"held,omitempty"`
	Owner       string    `json:"owner,omitempty"`   // who has claimed it
	Parked      bool      `json:"parked,omitempty"`  // its batch is paused
	Crashes     int       `json:"crashes,omitempty"` // times its worker's process died
	CreatedAt   time.Time `json:"created_at"`
	LastError   string    `json:"last_error,omitempty"`
	// PutOff is when RunAt was set last, of a job that was tried; the zero value says nothing.
	PutOff time.Time `json:"put_off,omitzero"`
}

// RetryPolicy is how jobs of a kind are tried.
type RetryPolicy struct {
	Attempts int             // claims before a job is given up
	Lease    time.Duration   // how long a claim hides it
	Pauses   []time.Duration // before the second attempt, the third, ...; the last repeats
}

// RetryPolicyOf returns the policy of a kind of job.
func RetryPolicyOf(kind JobKind) RetryPolicy {
	switch kind {
	case JobSign:
		return RetryPolicy{Attempts: 3, Lease: 5 * time.Minute,
			Pauses: []time.Duration{time.Second, 30 * time.Second}}
	case JobMail:
		return RetryPolicy{Attempts: 12, Lease: 15 * time.Minute,
			Pauses: []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 4 * time.Hour}}
	case JobWebhook: // the guide, step 10
		return RetryPolicy{Attempts: 4, Lease: 5 * time.Minute, Pauses: []time.Duration{30 * time.Second}}
	case JobInbound:
		return RetryPolicy{Attempts: 6, Lease: 5 * time.Minute,
			Pauses: []time.Duration{time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour}}
	case JobSend, JobFetch: // never given up, as with JobTimestamp; others wait while one is at work
		return RetryPolicy{Attempts: 1 << 30, Lease: time.Hour,
			Pauses: []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute}}
	case JobPreserve: // as the next one
		return RetryPolicy{Attempts: 1 << 30, Lease: 5 * time.Minute, Pauses: []time.Duration{10 * time.Minute}}
	case JobTimestamp, JobCosign: // never given up: its owner gives it back instead
		return RetryPolicy{Attempts: 1 << 30, Lease: 5 * time.Minute, Pauses: []time.Duration{time.Minute}}
	}
	return RetryPolicy{Attempts: 1, Lease: time.Minute, Pauses: []time.Duration{time.Minute}}
}

// Due reports whether the job can be claimed. No job waits longer than it was put off for when it
// was made or tried last: one that seems to was put off before the clock was set back, and is due.
func (j Job) Due(now time.Time) bool {
	wait := j.RunAt.Sub(now)
	if wait <= 0 || j.Claimed {
		return wait <= 0
	}
	longest := slices.Max(RetryPolicyOf(j.Kind).Pauses) // of a job that an earlier version put off
	switch {
	case !j.PutOff.IsZero():
		longest = j.RunAt.Sub(j.PutOff)
	case j.Attempt == 0 && j.Crashes == 0:
		longest = j.RunAt.Sub(j.CreatedAt)
	}
	return wait > longest
}

// Retry returns the job as it waits for its next attempt after a failure that
// may pass, or false when its attempts are used up. Its owner says whose result that is.
func (j Job) Retry(cause string, now time.Time) (Job, bool) {
	policy := RetryPolicyOf(j.Kind)
	if j.Attempt >= policy.Attempts {
		return j, false
	}
	pause := policy.Pauses[max(min(j.Attempt, len(policy.Pauses))-1, 0)]
	j.RunAt, j.PutOff, j.LastError, j.Claimed = now.Add(pause), now, cause, false
	return j, true
}

// Postponed returns a claimed job as it waits for a while, for reasons that are
// not its own. Its owner says whose result that is.
func (j Job) Postponed(cause string, now time.Time, pause time.Duration) Job {
	j.RunAt, j.PutOff, j.LastError, j.Claimed = now.Add(pause), now, cause, false
	return j
}

// A process that dies takes every job that it held with it, the one at fault and
// the innocent. From suspectAfter deaths on a job is claimed alone, so that
// the next deaths say more; after giveUpAfter it is given up.
const (
	suspectAfter = 3
	giveUpAfter  = 6
)

// Suspect reports whether a job must be worked on alone.
func (j Job) Suspect() bool { return j.Crashes >= suspectAfter }

// GivenUp reports whether a claimed job must fail without another try, since its
// workers never came back.
func (j Job) GivenUp() bool { return j.Crashes >= giveUpAfter }

// Claim returns the job as its owner holds it.
func (j Job) Claim(owner string, now time.Time) Job {
	j.Attempt, j.Claimed, j.Owner = j.Attempt+1, true, owner
	j.RunAt = now.Add(RetryPolicyOf(j.Kind).Lease)
	return j
}

// Orphaned returns a job whose worker's process died. A suspect waits a little,
// so that others come first.
func (j Job) Orphaned(now time.Time) Job {
	j.Attempt, j.Claimed, j.Owner, j.RunAt, j.PutOff = j.Attempt-1, false, "", now, now
	if j.Kind != JobSend && j.Kind != JobFetch { // what another vault does ends no program here
		j.Crashes++
	}
	if j.Suspect() {
		j.RunAt = now.Add(time.Second)
	}
	return j
}
