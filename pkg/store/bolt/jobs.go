package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The buckets; schema.go draws all.
var (
	jobsBucket        = []byte("jobs")
	jobsDueBucket     = []byte("due")
	jobsClaimedBucket = []byte("held")
)

// jobBuckets returns the buckets above, for the schema.
func jobBuckets() [][]byte { return [][]byte{jobsBucket, jobsDueBucket, jobsClaimedBucket} }

// parkedPrefix stands before the kind of jobs that cannot be claimed.
const parkedPrefix = "parked:"

// jobDueKey sorts a job among those of its lane by the moment at which it may run.
func jobDueKey(j vault.Job) []byte { return laneKey(laneOf(j.Kind, j.Institution), j) }

func laneKey(lane string, j vault.Job) []byte {
	if j.Parked {
		lane = parkedPrefix + lane
	}
	return boltfile.JoinKey(boltfile.TerminatedText(lane), boltfile.U64(uint64(j.RunAt.UnixNano())), boltfile.U64(j.ID))
}

func jobRunAt(dueKey []byte) time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(dueKey[len(dueKey)-16:])))
}

// addJob keeps a new job.
func (t *txn) addJob(j vault.Job) error {
	id, err := t.nextJobID()
	if err != nil {
		return err
	}
	j.ID = id
	return t.putJob(j)
}

// nextJobID is the number of the next job.
func (t *txn) nextJobID() (uint64, error) {
	id, err := t.Bucket(jobsBucket).NextSequence()
	if err != nil {
		return 0, fmt.Errorf("numbering a job: %w", err)
	}
	return id, nil
}

// putJob writes a job that has a number; while its batch is paused it is parked.
func (t *txn) putJob(j vault.Job) error {
	paused := false
	if j.Kind == vault.JobSign && j.Batch != "" {
		var err error
		if paused, err = t.batchPaused(j.Institution, j.Batch); err != nil {
			return err
		}
	}
	j.Parked = paused && !j.Claimed
	key := boltfile.U64(j.ID)
	if err := t.PutRecord(jobsBucket, key, j); err != nil {
		return err
	}
	if err := t.Put(jobsDueBucket, jobDueKey(j), nil); err != nil || !j.Claimed {
		return err
	}
	return t.Put(jobsClaimedBucket, key, nil)
}

// deleteJob ends a job.
func (t *txn) deleteJob(j vault.Job) error {
	if j.Claimed {
		if err := t.Delete(jobsClaimedBucket, boltfile.U64(j.ID)); err != nil {
			return err
		}
	}
	if err := t.deleteDueKeys(j); err != nil {
		return err
	}
	return t.Delete(jobsBucket, boltfile.U64(j.ID))
}

// job reads one; nil when it does not exist.
func (t *txn) job(id uint64) (*vault.Job, error) {
	key := boltfile.U64(id)
	value := t.Get(jobsBucket, key)
	if value == nil {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	var j vault.Job
	return &j, boltfile.Decode(key, value, &j)
}

// moveJob replaces a job by its next state.
func (t *txn) moveJob(from, to vault.Job) error {
	if err := t.deleteJob(from); err != nil {
		return err
	}
	return t.putJob(to)
}

// waitingJobs lists a batch's jobs of a kind that nobody holds.
func (t *txn) waitingJobs(kind vault.JobKind, institution uint32, batch string) ([]vault.Job, error) {
	var found []vault.Job
	for _, lane := range everyLane(kind, institution) {
		prefix := boltfile.TerminatedText(lane)
		c := t.Cursor(jobsDueBucket)
		for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			j, err := t.job(boltfile.LastID(k))
			if err != nil {
				return nil, err
			}
			if j != nil && j.Batch == batch && j.Institution == institution && !j.Claimed {
				found = append(found, *j)
			}
		}
	}
	return found, nil
}

// parkJobs moves a batch's waiting jobs to the lane that is theirs now.
func (t *txn) parkJobs(b vault.Batch) error {
	waiting, err := t.waitingJobs(vault.JobSign, b.Institution, b.ID)
	if err != nil {
		return err
	}
	for _, j := range waiting {
		if err := t.moveJob(j, j); err != nil {
			return err
		}
	}
	return nil
}

// claimJobs claims up to n jobs of a kind that are due.
func (t *txn) claimJobs(kind vault.JobKind, owner string, n int, now clockReading, turn int) ([]store.ClaimedJob, error) {
	free, err := t.dueJobs(kind, n, now, turn)
	if err != nil {
		return nil, err
	}
	claimed := make([]store.ClaimedJob, len(free))
	for i, j := range free {
		claimed[i].Job = j.Claim(owner, now.Time)
		if err := t.moveJob(j, claimed[i].Job); err != nil {
			return nil, err
		}
	}
	return claimed, nil
}

// requeueOrphanedJobs gives back the jobs of owners that are not alive.
func (t *txn) requeueOrphanedJobs(alive []string, now time.Time) (released int, err error) {
	for _, id := range t.IDsWithPrefix(jobsClaimedBucket, nil) {
		j, err := t.job(id)
		if err != nil {
			return 0, err
		}
		if j == nil || slices.Contains(alive, j.Owner) {
			continue
		}
		if err := t.moveJob(*j, j.Orphaned(now)); err != nil {
			return 0, err
		}
		released++
	}
	return released, nil
}

// nextJob is the earliest moment at which a job of a kind is due; zero when there is none.
func (t *txn) nextJob(kind vault.JobKind) (at time.Time) {
	for _, lane := range t.lanesOf(kind) {
		if k, _ := t.Cursor(jobsDueBucket).Seek(lane); bytes.HasPrefix(k, lane) && (at.IsZero() || jobRunAt(k).Before(at)) {
			at = jobRunAt(k)
		}
	}
	return at
}

// leasedJob returns a job as it is stored, while the lease under which it was claimed holds.
func (t *txn) leasedJob(j vault.Job) (*vault.Job, error) {
	stored, err := t.job(j.ID)
	if err != nil {
		return nil, err
	}
	if stored == nil || !stored.Claimed || stored.Owner != j.Owner || stored.Attempt != j.Attempt {
		return nil, lostLease()
	}
	return stored, nil
}

// completeJob ends a job of a certificate or a mail with its change.
func (c completion) completeJob(r store.JobResult) error {
	stored, err := c.leasedJob(r.Job)
	if err != nil {
		return err
	}
	if r.Change != nil {
		old, err := c.certificate(boltfile.U64(stored.Certificate))
		if err != nil {
			return err
		}
		if _, err := c.change(old, r.Change); err != nil {
			return err
		}
	}
	if r.Mail != nil && stored.Mail != 0 {
		if err := c.completeMail(*stored, r.Mail); err != nil {
			return err
		}
	}
	if err := c.deleteJob(*stored); err != nil {
		return err
	}
	if !r.Retry && !r.Release {
		return nil
	}
	waiting := *stored
	waiting.RunAt, waiting.PutOff, waiting.LastError, waiting.Claimed, waiting.Owner = r.Job.RunAt, r.Job.PutOff, r.Job.LastError, false, ""
	if r.Release {
		waiting.Attempt--
	}
	return c.putJob(waiting)
}
