package bolt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// The buckets; schema.go draws all.
var (
	inboundBucket           = []byte("received")
	inboundByIdentityBucket = []byte("received_by_name")
	inboundDueBucket        = []byte("received_due")
)

// inboundBuckets returns the buckets above, for the schema.
func inboundBuckets() [][]byte {
	return [][]byte{inboundBucket, inboundByIdentityBucket, inboundDueBucket}
}

func taskDueKey(seq uint64, task int, at time.Time) []byte {
	return boltfile.JoinKey(boltfile.U64(uint64(at.UnixNano())), taskItem(seq, task))
}

// taskItem is a task as leases and the index of what is due name it.
func taskItem(seq uint64, task int) []byte { return append(boltfile.U64(seq), byte(task)) }

// AddInboundEvent implements store.InboundEvents.
func (s *Store) AddInboundEvent(ctx context.Context, r webhook.InboundEvent) (webhook.InboundEvent, bool, error) {
	isNew := false
	kept, err := writeTx(ctx, s, func(t *txn) (webhook.InboundEvent, error) {
		known, ok, err := t.knownInboundEvent(r)
		if err != nil || ok {
			return known, err
		}
		seq, err := t.Bucket(inboundBucket).NextSequence()
		if err != nil {
			return r, fmt.Errorf("numbering a received event: %w", err)
		}
		r.Seq, isNew = seq, true
		return r, errors.Join(t.indexIdentities(r), t.putInboundEvent(r))
	})
	return kept, isNew && err == nil, err
}

// knownInboundEvent finds the event that has one of another's identities, and remembers the
// others with it.
func (t *txn) knownInboundEvent(same webhook.InboundEvent) (known webhook.InboundEvent, ok bool, err error) {
	for _, id := range same.Identities() {
		seq := t.Get(inboundByIdentityBucket, []byte(id))
		if seq == nil {
			continue
		}
		known, err = t.inboundEvent(seq)
		if fault.Is(err, fault.NotFound) {
			continue // deleted by a program that knew no aliases
		}
		if err != nil {
			return known, false, err
		}
		more := known.Merge(same)
		if len(more.Aliases) == len(known.Aliases) {
			return known, true, nil
		}
		return more, true, errors.Join(t.indexIdentities(more), t.PutRecord(inboundBucket, boltfile.U64(more.Seq), more))
	}
	return known, false, nil
}

// indexIdentities lets an event be found by each of its identities.
func (t *txn) indexIdentities(r webhook.InboundEvent) error {
	for _, id := range r.Identities() {
		if err := t.Put(inboundByIdentityBucket, []byte(id), boltfile.U64(r.Seq)); err != nil {
			return err
		}
	}
	return nil
}

// putInboundEvent writes an event and when its tasks are due.
func (t *txn) putInboundEvent(r webhook.InboundEvent) error {
	if err := t.PutRecord(inboundBucket, boltfile.U64(r.Seq), r); err != nil {
		return err
	}
	for i, task := range r.Tasks {
		if task.State != webhook.Pending {
			continue
		}
		if err := t.Put(inboundDueBucket, taskDueKey(r.Seq, i, task.RunAt), nil); err != nil {
			return err
		}
	}
	return nil
}

func (t *txn) inboundEvent(key []byte) (webhook.InboundEvent, error) {
	var r webhook.InboundEvent
	value := t.Get(inboundBucket, key)
	if value == nil {
		return r, fault.New(fault.NotFound, "Received event not found.")
	}
	return r, boltfile.Decode(key, value, &r)
}

// InboundEvents implements store.InboundEvents.
func (s *Store) InboundEvents(ctx context.Context, before uint64, n int) ([]webhook.InboundEvent, error) {
	return readTx(ctx, s, func(t *txn) (found []webhook.InboundEvent, err error) {
		c := t.Bucket(inboundBucket).Cursor()
		k, v := c.Last()
		if before != 0 {
			if k, _ = c.Seek(boltfile.U64(before)); k == nil {
				k, v = c.Last()
			} else {
				k, v = c.Prev()
			}
		}
		for ; k != nil && len(found) < n; k, v = c.Prev() {
			var r webhook.InboundEvent
			if err := boltfile.Decode(k, v, &r); err != nil {
				return nil, err
			}
			found = append(found, r)
		}
		return found, nil
	})
}
