// Package event keeps what happened to certificates.
package event

import (
	"bytes"
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/store/bolt/delivery"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

// The buckets; package schema draws them.
var (
	events        = []byte("events")
	byCertificate = []byte("events_by_cert")
)

// Buckets are those that only this package writes to.
func Buckets() [][]byte { return [][]byte{events, byCertificate} }

// Register implements the part of store.Certificates that is about events alone.
type Register struct {
	read func(context.Context, func(*tree.Tx) error) error
}

// New works with a function that runs another in a transaction.
func New(read func(context.Context, func(*tree.Tx) error) error) *Register {
	return &Register{read: read}
}

// Add keeps an event of a certificate, and announces it.
func Add(t *delivery.Tx, certificate uint64, e vault.Event) error {
	seq, err := t.Bucket(events).NextSequence()
	if err != nil {
		return fmt.Errorf("numbering an event: %w", err)
	}
	e.Seq, e.Certificate = seq, certificate
	if err := t.Keep(events, record.U64(seq), e); err != nil {
		return err
	}
	if err := t.Put(byCertificate, record.Join(record.U64(certificate), record.U64(seq)), nil); err != nil {
		return err
	}
	return t.Announce(hook.NewsOf(e), e.At)
}

// Erase takes the data out of the events of a certificate.
func Erase(t *tree.Tx, certificate uint64) error {
	for _, seq := range t.Under(byCertificate, record.U64(certificate)) {
		var e vault.Event
		key := record.U64(seq)
		if err := record.Decode(key, t.Get(events, key), &e); err != nil {
			return err
		}
		if err := t.Keep(events, key, e.Anonymous()); err != nil {
			return err
		}
	}
	return nil
}

// Events implements store.Certificates.
func (s *Register) Events(ctx context.Context, id uint64) ([]vault.Event, error) {
	return tree.Run(ctx, s.read, func(t *tree.Tx) (found []vault.Event, err error) {
		c := t.Bucket(byCertificate).Cursor()
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
func (s *Register) EventsAfter(ctx context.Context, institution uint32, seq uint64, n int) (found []vault.Event, next uint64, err error) {
	next = seq
	found, err = tree.Run(ctx, s.read, func(t *tree.Tx) (found []vault.Event, err error) {
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
func (s *Register) LastEvent(ctx context.Context) (uint64, error) {
	return tree.Run(ctx, s.read, func(t *tree.Tx) (uint64, error) {
		k, _ := t.Bucket(events).Cursor().Last()
		if k == nil {
			return 0, nil
		}
		return record.TailID(k), nil
	})
}
