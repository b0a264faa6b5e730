package vault

import "time"

// JobKind sorts jobs by who works on them.
type JobKind string

// The kinds of job.
const (
	JobProcess JobKind = "process" // make the verified PDF
	JobNotify  JobKind = "notify"  // tell the recipient
)

// Job is work that a committed change left to be done. Claiming it counts an
// attempt and hides it until RunAt; a worker that never comes back is thereby
// repaired by the next claim.
type Job struct {
	ID          uint64    `json:"id"` // given by the store
	Kind        JobKind   `json:"kind"`
	Certificate uint64    `json:"certificate"` // filled in by the store
	RunAt       time.Time `json:"run_at"`
	Attempt     int       `json:"attempt"` // times claimed
	CreatedAt   time.Time `json:"created_at"`
	LastError   string    `json:"last_error,omitempty"`
}

// Policy is how jobs of a kind are tried.
type Policy struct {
	Attempts int             // claims before a job is given up
	Lease    time.Duration   // how long a claim hides it
	Pauses   []time.Duration // before the second attempt, the third, ...; the last repeats
}

// PolicyOf returns the policy of a kind of job.
func PolicyOf(kind JobKind) Policy {
	switch kind {
	case JobProcess:
		return Policy{Attempts: 3, Lease: 5 * time.Minute,
			Pauses: []time.Duration{time.Second, 30 * time.Second}}
	case JobNotify:
		return Policy{Attempts: 12, Lease: 2 * time.Minute,
			Pauses: []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 4 * time.Hour}}
	}
	return Policy{Attempts: 1, Lease: time.Minute, Pauses: []time.Duration{time.Minute}}
}

// Again returns the job as it waits for its next attempt after a failure that
// may pass, or false when its attempts are used up.
func (j Job) Again(cause string, now time.Time) (Job, bool) {
	policy := PolicyOf(j.Kind)
	if j.Attempt >= policy.Attempts {
		return j, false
	}
	pause := policy.Pauses[min(j.Attempt, len(policy.Pauses))-1]
	j.RunAt, j.LastError = now.Add(pause), cause
	return j, true
}

// GivenUp tells whether a claimed job has been claimed more often than its
// policy allows: its earlier workers never came back.
func (j Job) GivenUp() bool { return j.Attempt > PolicyOf(j.Kind).Attempts }

// Claim returns the job as a worker holds it.
func (j Job) Claim(now time.Time) Job {
	j.Attempt++
	j.RunAt = now.Add(PolicyOf(j.Kind).Lease)
	return j
}
