package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The buckets; schema.go draws them.
var (
	jobsBucket        = []byte("jobs")
	jobsDueBucket     = []byte("due")
	jobsClaimedBucket = []byte("held")
)

// jobBuckets are those that only this package writes to.
func jobBuckets() [][]byte { return [][]byte{jobsBucket, jobsDueBucket, jobsClaimedBucket} }

// jobTable implements the part of store.Jobs that is about jobs alone.
type jobTable struct {
	read, write func(context.Context, func(*batchTx) error) error
	nextLane    atomic.Uint32 // whose turn it is to be claimed from first
}

// newJobTable works with functions that run another in a transaction.
func newJobTable(read, write func(context.Context, func(*batchTx) error) error) *jobTable {
	return &jobTable{read: read, write: write}
}

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
func addJob(t *batchTx, j vault.Job) error {
	id, err := nextJobID(t.Tx)
	if err != nil {
		return err
	}
	j.ID = id
	return putJob(t, j)
}

// nextJobID is the number of the next job.
func nextJobID(t *boltfile.Tx) (uint64, error) {
	id, err := t.Bucket(jobsBucket).NextSequence()
	if err != nil {
		return 0, fmt.Errorf("numbering a job: %w", err)
	}
	return id, nil
}

// putJob writes a job that has a number; while its batch is paused it is parked.
func putJob(t *batchTx, j vault.Job) error {
	paused := false
	if j.Kind == vault.JobProcess && j.Batch != "" {
		var err error
		if paused, err = t.Paused(j.Institution, j.Batch); err != nil {
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
func deleteJob(t *boltfile.Tx, j vault.Job) error {
	if j.Claimed {
		if err := t.Delete(jobsClaimedBucket, boltfile.U64(j.ID)); err != nil {
			return err
		}
	}
	if err := deleteDueKeys(t, j); err != nil {
		return err
	}
	return t.Delete(jobsBucket, boltfile.U64(j.ID))
}

// getJob reads one; nil when it does not exist.
func getJob(t *boltfile.Tx, id uint64) (*vault.Job, error) {
	key := boltfile.U64(id)
	value := t.Get(jobsBucket, key)
	if value == nil {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	var j vault.Job
	return &j, boltfile.Decode(key, value, &j)
}

// moveJob replaces a job by its next state.
func moveJob(t *batchTx, from, to vault.Job) error {
	if err := deleteJob(t.Tx, from); err != nil {
		return err
	}
	return putJob(t, to)
}

// waitingJobs lists a batch's jobs of a kind that nobody holds.
func waitingJobs(t *boltfile.Tx, kind vault.JobKind, institution uint32, batch string) ([]vault.Job, error) {
	var found []vault.Job
	for _, lane := range everyLane(kind, institution) {
		prefix := boltfile.TerminatedText(lane)
		c := t.Cursor(jobsDueBucket)
		for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			j, err := getJob(t, boltfile.LastID(k))
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
func parkJobs(t *batchTx, b vault.Batch) error {
	waiting, err := waitingJobs(t.Tx, vault.JobProcess, b.Institution, b.ID)
	if err != nil {
		return err
	}
	for _, j := range waiting {
		if err := moveJob(t, j, j); err != nil {
			return err
		}
	}
	return nil
}

// Claim implements store.Jobs.
func (s *jobTable) Claim(ctx context.Context, kind vault.JobKind, n int, now time.Time) ([]vault.Job, error) {
	// A look first: an idle queue must not cost a write.
	idle, err := boltfile.RunTx(ctx, s.read, func(t *batchTx) (bool, error) {
		first, err := dueJobs(t.Tx, kind, 1, now, 0)
		return len(first) == 0, err
	})
	if err != nil || idle {
		return nil, err
	}
	return boltfile.RunTx(ctx, s.write, func(t *batchTx) (claimed []vault.Job, err error) {
		free, err := dueJobs(t.Tx, kind, n, now, int(s.nextLane.Add(1)))
		if err != nil {
			return nil, err
		}
		for _, j := range free {
			mine := j.Claim(now)
			if err := moveJob(t, j, mine); err != nil {
				return nil, err
			}
			claimed = append(claimed, mine)
		}
		return claimed, nil
	})
}

// RequeueOrphaned implements store.Jobs.
func (s *jobTable) RequeueOrphaned(ctx context.Context, now time.Time) (int, error) {
	return boltfile.RunTx(ctx, s.write, func(t *batchTx) (released int, err error) {
		for _, id := range t.IDsWithPrefix(jobsClaimedBucket, nil) {
			j, err := getJob(t.Tx, id)
			if err != nil {
				return 0, err
			}
			if j == nil {
				continue
			}
			if err := moveJob(t, *j, j.Orphaned(now)); err != nil {
				return 0, err
			}
			released++
		}
		return released, nil
	})
}

// NextRun implements store.Jobs.
func (s *jobTable) NextRun(ctx context.Context, kind vault.JobKind) (time.Time, error) {
	return boltfile.RunTx(ctx, s.read, func(t *batchTx) (at time.Time, err error) {
		for _, lane := range lanesOf(t.Tx, kind) {
			if k, _ := t.Cursor(jobsDueBucket).Seek(lane); bytes.HasPrefix(k, lane) && (at.IsZero() || jobRunAt(k).Before(at)) {
				at = jobRunAt(k)
			}
		}
		return at, nil
	})
}

// Queues implements store.Jobs.
func (s *jobTable) Queues(ctx context.Context, now time.Time) (map[vault.JobKind]store.Queue, error) {
	return boltfile.RunTx(ctx, s.read, func(t *batchTx) (map[vault.JobKind]store.Queue, error) {
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
