// Package receipt keeps events that others told us, with what is to be done about
// them.
package receipt

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

// The buckets; package schema draws them.
var (
	received       = []byte("received")
	receivedByName = []byte("received_by_name")
	receivedDue    = []byte("received_due")
)

// Buckets are those that only this package writes to.
func Buckets() [][]byte { return [][]byte{received, receivedByName, receivedDue} }

// Register implements store.Receipts.
type Register struct {
	read, write func(context.Context, func(*tree.Tx) error) error
}

// New works with functions that run another in a transaction.
func New(read, write func(context.Context, func(*tree.Tx) error) error) *Register {
	return &Register{read: read, write: write}
}

func dueKey(seq uint64, task int, at time.Time) []byte {
	return append(record.Join(record.U64(uint64(at.UnixNano())), record.U64(seq)), byte(task))
}

// Receive implements store.Receipts.
func (s *Register) Receive(ctx context.Context, r hook.Received) (hook.Received, bool, error) {
	isNew := false
	kept, err := tree.Run(ctx, s.write, func(t *tree.Tx) (hook.Received, error) {
		if seq := t.Get(receivedByName, []byte(r.Identity)); seq != nil {
			return get(t, seq)
		}
		seq, err := t.Bucket(received).NextSequence()
		if err != nil {
			return r, fmt.Errorf("numbering a received event: %w", err)
		}
		r.Seq, isNew = seq, true
		if err := t.Put(receivedByName, []byte(r.Identity), record.U64(seq)); err != nil {
			return r, err
		}
		return r, put(t, r)
	})
	return kept, isNew && err == nil, err
}

// put writes an event and when its tasks are due.
func put(t *tree.Tx, r hook.Received) error {
	if err := t.Keep(received, record.U64(r.Seq), r); err != nil {
		return err
	}
	for i, task := range r.Tasks {
		if task.State != hook.Pending {
			continue
		}
		if err := t.Put(receivedDue, dueKey(r.Seq, i, task.RunAt), nil); err != nil {
			return err
		}
	}
	return nil
}

func get(t *tree.Tx, key []byte) (hook.Received, error) {
	var r hook.Received
	value := t.Get(received, key)
	if value == nil {
		return r, fault.New(fault.NotFound, "Received event not found.")
	}
	return r, record.Decode(key, value, &r)
}

// Received implements store.Receipts.
func (s *Register) Received(ctx context.Context, before uint64, n int) ([]hook.Received, error) {
	return tree.Run(ctx, s.read, func(t *tree.Tx) (found []hook.Received, err error) {
		c := t.Bucket(received).Cursor()
		k, v := c.Last()
		if before != 0 {
			if k, _ = c.Seek(record.U64(before)); k == nil {
				k, v = c.Last()
			} else {
				k, v = c.Prev()
			}
		}
		for ; k != nil && len(found) < n; k, v = c.Prev() {
			var r hook.Received
			if err := record.Decode(k, v, &r); err != nil {
				return nil, err
			}
			found = append(found, r)
		}
		return found, nil
	})
}

// NextChores implements store.Receipts.
func (s *Register) NextChores(ctx context.Context, now time.Time, n int, busy func(uint64, int) bool) (chores []store.Chore, next time.Time, err error) {
	chores, err = tree.Run(ctx, s.read, func(t *tree.Tx) (found []store.Chore, err error) {
		c := t.Bucket(receivedDue).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			at := time.Unix(0, int64(binary.BigEndian.Uint64(k)))
			seq, task := k[8:16], int(k[16])
			if busy(binary.BigEndian.Uint64(seq), task) {
				continue
			}
			if hook.Waits(at, now) || len(found) == n {
				next = at
				break
			}
			r, err := get(t, seq)
			if err != nil {
				return nil, err
			}
			found = append(found, store.Chore{Received: r, Task: task})
		}
		return found, nil
	})
	return chores, next, err
}

// KeepTask implements store.Receipts.
func (s *Register) KeepTask(ctx context.Context, seq uint64, task int, failure string, now time.Time) error {
	return s.write(ctx, func(t *tree.Tx) error {
		r, err := get(t, record.U64(seq))
		if err != nil {
			return err
		}
		if task >= len(r.Tasks) || r.Tasks[task].State != hook.Pending {
			return fault.New(fault.Conflict, "the task has ended already")
		}
		if err := t.Delete(receivedDue, dueKey(seq, task, r.Tasks[task].RunAt)); err != nil {
			return err
		}
		return put(t, r.AfterTask(task, failure, now))
	})
}
