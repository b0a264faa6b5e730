// Package job keeps the one queue of work.
package job

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/batch"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The buckets; package schema draws them.
var (
	jobs = []byte("jobs")
	due  = []byte("due")
	held = []byte("held")
)

// Buckets are those that only this package writes to.
func Buckets() [][]byte { return [][]byte{jobs, due, held} }

// Register implements the part of store.Jobs that is about jobs alone.
type Register struct {
	read, write func(context.Context, func(*batch.Tx) error) error
	turn        atomic.Uint32 // whose turn it is to be claimed from first
}

// New works with functions that run another in a transaction.
func New(read, write func(context.Context, func(*batch.Tx) error) error) *Register {
	return &Register{read: read, write: write}
}

// parkedLane stands before the kind of jobs that cannot be claimed.
const parkedLane = "parked:"

// dueKey sorts a job among those of its lane by the moment at which it may run.
func dueKey(j vault.Job) []byte { return keyIn(laneOf(j.Kind, j.Institution), j) }

func keyIn(lane string, j vault.Job) []byte {
	if j.Parked {
		lane = parkedLane + lane
	}
	return record.Join(record.Text(lane), record.U64(uint64(j.RunAt.UnixNano())), record.U64(j.ID))
}

func runAt(dueKey []byte) time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(dueKey[len(dueKey)-16:])))
}

// Add keeps a new job.
func Add(t *batch.Tx, j vault.Job) error {
	id, err := Number(t.Tx)
	if err != nil {
		return err
	}
	j.ID = id
	return Put(t, j)
}

// Number is the number of the next job.
func Number(t *tree.Tx) (uint64, error) {
	id, err := t.Bucket(jobs).NextSequence()
	if err != nil {
		return 0, fmt.Errorf("numbering a job: %w", err)
	}
	return id, nil
}

// Put writes a job that has a number; while its batch is paused it is parked.
func Put(t *batch.Tx, j vault.Job) error {
	paused := false
	if j.Kind == vault.JobProcess && j.Batch != "" {
		var err error
		if paused, err = t.Paused(j.Institution, j.Batch); err != nil {
			return err
		}
	}
	j.Parked = paused && !j.Held
	key := record.U64(j.ID)
	if err := t.Keep(jobs, key, j); err != nil {
		return err
	}
	if err := t.Put(due, dueKey(j), nil); err != nil || !j.Held {
		return err
	}
	return t.Put(held, key, nil)
}

// Drop ends a job.
func Drop(t *tree.Tx, j vault.Job) error {
	if j.Held {
		if err := t.Delete(held, record.U64(j.ID)); err != nil {
			return err
		}
	}
	if err := dropDue(t, j); err != nil {
		return err
	}
	return t.Delete(jobs, record.U64(j.ID))
}

// Get reads one; nil when it does not exist.
func Get(t *tree.Tx, id uint64) (*vault.Job, error) {
	key := record.U64(id)
	value := t.Get(jobs, key)
	if value == nil {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	var j vault.Job
	return &j, record.Decode(key, value, &j)
}

// move replaces a job by its next state.
func move(t *batch.Tx, from, to vault.Job) error {
	if err := Drop(t.Tx, from); err != nil {
		return err
	}
	return Put(t, to)
}

// Waiting lists a batch's jobs of a kind that nobody holds.
func Waiting(t *tree.Tx, kind vault.JobKind, institution uint32, batch string) ([]vault.Job, error) {
	var found []vault.Job
	for _, lane := range everyLane(kind, institution) {
		prefix := record.Text(lane)
		c := t.Cursor(due)
		for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			j, err := Get(t, record.TailID(k))
			if err != nil {
				return nil, err
			}
			if j != nil && j.Batch == batch && j.Institution == institution && !j.Held {
				found = append(found, *j)
			}
		}
	}
	return found, nil
}

// Park moves a batch's waiting jobs to the lane that is theirs now.
func Park(t *batch.Tx, b vault.Batch) error {
	waiting, err := Waiting(t.Tx, vault.JobProcess, b.Institution, b.ID)
	if err != nil {
		return err
	}
	for _, j := range waiting {
		if err := move(t, j, j); err != nil {
			return err
		}
	}
	return nil
}

// Claim implements store.Jobs.
func (s *Register) Claim(ctx context.Context, kind vault.JobKind, n int, now time.Time) ([]vault.Job, error) {
	// A look first: an idle queue must not cost a write.
	idle, err := tree.Run(ctx, s.read, func(t *batch.Tx) (bool, error) {
		first, err := dueJobs(t.Tx, kind, 1, now, 0)
		return len(first) == 0, err
	})
	if err != nil || idle {
		return nil, err
	}
	return tree.Run(ctx, s.write, func(t *batch.Tx) (claimed []vault.Job, err error) {
		free, err := dueJobs(t.Tx, kind, n, now, int(s.turn.Add(1)))
		if err != nil {
			return nil, err
		}
		for _, j := range free {
			mine := j.Claim(now)
			if err := move(t, j, mine); err != nil {
				return nil, err
			}
			claimed = append(claimed, mine)
		}
		return claimed, nil
	})
}

// Release implements store.Jobs.
func (s *Register) Release(ctx context.Context, now time.Time) (int, error) {
	return tree.Run(ctx, s.write, func(t *batch.Tx) (released int, err error) {
		for _, id := range t.Under(held, nil) {
			j, err := Get(t.Tx, id)
			if err != nil {
				return 0, err
			}
			if j == nil {
				continue
			}
			if err := move(t, *j, j.Orphaned(now)); err != nil {
				return 0, err
			}
			released++
		}
		return released, nil
	})
}

// NextRun implements store.Jobs.
func (s *Register) NextRun(ctx context.Context, kind vault.JobKind) (time.Time, error) {
	return tree.Run(ctx, s.read, func(t *batch.Tx) (at time.Time, err error) {
		for _, lane := range lanes(t.Tx, kind) {
			if k, _ := t.Cursor(due).Seek(lane); bytes.HasPrefix(k, lane) && (at.IsZero() || runAt(k).Before(at)) {
				at = runAt(k)
			}
		}
		return at, nil
	})
}

// Queues implements store.Jobs.
func (s *Register) Queues(ctx context.Context, now time.Time) (map[vault.JobKind]store.Queue, error) {
	return tree.Run(ctx, s.read, func(t *batch.Tx) (map[vault.JobKind]store.Queue, error) {
		queues := map[vault.JobKind]store.Queue{}
		c := t.Bucket(due).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			lane, parked := strings.CutPrefix(string(k[:bytes.IndexByte(k, 0)]), parkedLane)
			kind := kindOf(lane)
			q := queues[kind]
			if parked || runAt(k).After(now) {
				q.Later++
			} else {
				q.Waiting++
			}
			queues[kind] = q
		}
		return queues, nil
	})
}
