package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault"
)

// parkedLane stands before the kind of jobs that cannot be claimed.
const parkedLane = "parked:"

// dueKey sorts a job among those of its kind by the moment at which it may run.
func dueKey(j vault.Job) []byte {
	lane := string(j.Kind)
	if j.Parked {
		lane = parkedLane + lane
	}
	return record.Join(record.Text(lane), record.U64(uint64(j.RunAt.UnixNano())), record.U64(j.ID))
}

func runAt(dueKey []byte) time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(dueKey[len(dueKey)-16:])))
}

func (t *txn) addJob(j vault.Job) error {
	id, err := t.nextJob()
	if err != nil {
		return err
	}
	j.ID = id
	return t.putJob(j)
}

// nextJob is the number of the next job.
func (t *txn) nextJob() (uint64, error) {
	id, err := t.Bucket(jobs).NextSequence()
	if err != nil {
		return 0, fmt.Errorf("numbering a job: %w", err)
	}
	return id, nil
}

func (t *txn) putJob(j vault.Job) error {
	paused, err := t.paused(j)
	if err != nil {
		return err
	}
	j.Parked = paused && !j.Held
	key := record.U64(j.ID)
	value, err := record.Encode(key, j)
	if err != nil {
		return err
	}
	entries := []entry{{jobs, key, value}, {due, dueKey(j), nil}}
	if j.Held {
		entries = append(entries, entry{held, key, nil})
	}
	return t.putAll(entries)
}

func (t *txn) dropJob(j vault.Job) error {
	if j.Held {
		if err := t.Delete(held, record.U64(j.ID)); err != nil {
			return err
		}
	}
	if err := t.Delete(due, dueKey(j)); err != nil {
		return err
	}
	return t.Delete(jobs, record.U64(j.ID))
}

// job reads one; nil when it does not exist.
func (t *txn) job(id uint64) (*vault.Job, error) {
	key := record.U64(id)
	value := t.Get(jobs, key)
	if value == nil {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	var j vault.Job
	return &j, record.Decode(key, value, &j)
}

// move replaces a job by its next state.
func (t *txn) move(from, to vault.Job) error {
	if err := t.dropJob(from); err != nil {
		return err
	}
	return t.putJob(to)
}

// Claim implements store.Jobs.
func (s *Store) Claim(ctx context.Context, kind vault.JobKind, n int, now time.Time) ([]vault.Job, error) {
	// A look first: an idle queue must not cost a write.
	if next, err := s.NextRun(ctx, kind); err != nil || next.IsZero() || next.After(now) {
		return nil, err
	}
	return write(ctx, s, func(t *txn) (claimed []vault.Job, err error) {
		free, err := t.dueJobs(kind, n, now)
		if err != nil {
			return nil, err
		}
		for _, j := range free {
			mine := j.Claim(now)
			if err := t.move(j, mine); err != nil {
				return nil, err
			}
			claimed = append(claimed, mine)
		}
		return claimed, nil
	})
}

func (t *txn) dueJobs(kind vault.JobKind, n int, now time.Time) ([]vault.Job, error) {
	var found []vault.Job
	prefix := record.Text(string(kind))
	c := t.Bucket(due).Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix) && len(found) < n && !runAt(k).After(now); k, _ = c.Next() {
		j, err := t.job(record.TailID(k))
		if err != nil {
			return nil, err
		}
		if j == nil {
			continue
		}
		if j.Suspect() && len(found) > 0 {
			break
		}
		found = append(found, *j)
		if j.Suspect() {
			break
		}
	}
	return found, nil
}

// Release implements store.Jobs.
func (s *Store) Release(ctx context.Context, now time.Time) (int, error) {
	return write(ctx, s, func(t *txn) (released int, err error) {
		for _, id := range t.Under(held, nil) {
			j, err := t.job(id)
			if err != nil {
				return 0, err
			}
			if j == nil {
				continue
			}
			if err := t.move(*j, j.Orphaned(now)); err != nil {
				return 0, err
			}
			released++
		}
		return released, nil
	})
}

// NextRun implements store.Jobs.
func (s *Store) NextRun(ctx context.Context, kind vault.JobKind) (time.Time, error) {
	return read(ctx, s, func(t *txn) (at time.Time, err error) {
		k, _ := t.Bucket(due).Cursor().Seek(record.Text(string(kind)))
		if bytes.HasPrefix(k, record.Text(string(kind))) {
			at = runAt(k)
		}
		return at, nil
	})
}

// Queues implements store.Jobs.
func (s *Store) Queues(ctx context.Context, now time.Time) (map[vault.JobKind]store.Queue, error) {
	return read(ctx, s, func(t *txn) (map[vault.JobKind]store.Queue, error) {
		queues := map[vault.JobKind]store.Queue{}
		c := t.Bucket(due).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			lane, parked := strings.CutPrefix(string(k[:bytes.IndexByte(k, 0)]), parkedLane)
			kind := vault.JobKind(lane)
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
