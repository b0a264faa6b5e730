package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

func (t *txn) putEvent(c vault.Certificate, e vault.Event) error {
	seq, err := t.Bucket(events).NextSequence()
	if err != nil {
		return fmt.Errorf("numbering an event: %w", err)
	}
	e.Seq, e.Certificate = seq, c.ID
	value, err := record.Encode(record.U64(seq), e)
	if err != nil {
		return err
	}
	if err := t.Put(events, record.U64(seq), value); err != nil {
		return err
	}
	if err := t.Put(eventsByCert, record.Join(record.U64(c.ID), record.U64(seq)), nil); err != nil {
		return err
	}
	return t.deliveries.Announce(hook.NewsOf(e), e.At)
}

// Events implements store.Certificates.
func (s *Store) Events(ctx context.Context, id uint64) ([]vault.Event, error) {
	return read(ctx, s, func(t *txn) (found []vault.Event, err error) {
		c := t.Bucket(eventsByCert).Cursor()
		for k, _ := c.Seek(record.U64(id)); bytes.HasPrefix(k, record.U64(id)); k, _ = c.Next() {
			var e vault.Event
			key := k[8:]
			if err := record.Decode(key, t.Get(events, key), &e); err != nil {
				return nil, err
			}
			found = append(found, e)
		}
		return found, nil
	})
}

// EventsAfter implements store.Certificates.
func (s *Store) EventsAfter(ctx context.Context, institution uint32, seq uint64, n int) (found []vault.Event, next uint64, err error) {
	next = seq
	found, err = read(ctx, s, func(t *txn) (found []vault.Event, err error) {
		c := t.Bucket(events).Cursor()
		for k, v := c.Seek(record.U64(seq + 1)); k != nil && len(found) < n; k, v = c.Next() {
			var e vault.Event
			if err := record.Decode(k, v, &e); err != nil {
				return nil, err
			}
			if next = e.Seq; e.Institution == institution {
				found = append(found, e)
			}
		}
		return found, nil
	})
	return found, next, err
}

// LastEvent implements store.Certificates.
func (s *Store) LastEvent(ctx context.Context) (uint64, error) {
	return read(ctx, s, func(t *txn) (uint64, error) {
		k, _ := t.Bucket(events).Cursor().Last()
		if k == nil {
			return 0, nil
		}
		return record.TailID(k), nil
	})
}
