package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
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
	if j.Kind == vault.JobProcess && j.Batch != "" {
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
	waiting, err := t.waitingJobs(vault.JobProcess, b.Institution, b.ID)
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

// Claim implements store.Jobs.
func (s *Store) Claim(ctx context.Context, kind vault.JobKind, n int, now time.Time) ([]vault.Job, error) {
	// A look first: an idle queue must not cost a write.
	idle, err := readTx(ctx, s, func(t *txn) (bool, error) {
		first, err := t.dueJobs(kind, 1, now, 0)
		return len(first) == 0, err
	})
	if err != nil || idle {
		return nil, err
	}
	return writeTx(ctx, s, func(t *txn) (claimed []vault.Job, err error) {
		free, err := t.dueJobs(kind, n, now, int(s.nextLane.Add(1)))
		if err != nil {
			return nil, err
		}
		for _, j := range free {
			mine := j.Claim(now)
			if err := t.moveJob(j, mine); err != nil {
				return nil, err
			}
			claimed = append(claimed, mine)
		}
		return claimed, nil
	})
}

// RequeueOrphaned implements store.Jobs.
func (s *Store) RequeueOrphaned(ctx context.Context, now time.Time) (int, error) {
	return writeTx(ctx, s, func(t *txn) (released int, err error) {
		for _, id := range t.IDsWithPrefix(jobsClaimedBucket, nil) {
			j, err := t.job(id)
			if err != nil {
				return 0, err
			}
			if j == nil {
				continue
			}
			if err := t.moveJob(*j, j.Orphaned(now)); err != nil {
				return 0, err
			}
			released++
		}
		return released, nil
	})
}

// NextRun implements store.Jobs.
func (s *Store) NextRun(ctx context.Context, kind vault.JobKind) (time.Time, error) {
	return readTx(ctx, s, func(t *txn) (at time.Time, err error) {
		for _, lane := range t.lanesOf(kind) {
			if k, _ := t.Cursor(jobsDueBucket).Seek(lane); bytes.HasPrefix(k, lane) && (at.IsZero() || jobRunAt(k).Before(at)) {
				at = jobRunAt(k)
			}
		}
		return at, nil
	})
}

// Queues implements store.Jobs.
func (s *Store) Queues(ctx context.Context, now time.Time) (map[vault.JobKind]store.Queue, error) {
	return readTx(ctx, s, func(t *txn) (map[vault.JobKind]store.Queue, error) {
		queues := map[vault.JobKind]store.Queue{}
		c := t.Bucket(jobsDueBucket).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			lane, parked := strings.CutPrefix(string(k[:bytes.IndexByte(k, 0)]), parkedPrefix)
			kind := laneKind(lane)
			q := queues[kind]
			if parked || jobRunAt(k).After(now) {
				q.Later++
			} else {
				q.Waiting++
			}
			queues[kind] = q
		}
		return queues, nil
	})
}
