package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// The buckets; schema.go draws all.
var (
	eventsBucket              = []byte("events")
	eventsByCertificateBucket = []byte("events_by_cert")
)

// eventBuckets returns the buckets above, for the schema.
func eventBuckets() [][]byte { return [][]byte{eventsBucket, eventsByCertificateBucket} }

// addEvent keeps an event of a certificate, and announces it.
func (t *txn) addEvent(certificate uint64, e vault.Event) error {
	seq, err := t.Bucket(eventsBucket).NextSequence()
	if err != nil {
		return fmt.Errorf("numbering an event: %w", err)
	}
	e.Seq, e.Certificate = seq, certificate
	if err := t.PutRecord(eventsBucket, boltfile.U64(seq), e); err != nil {
		return err
	}
	if err := t.Put(eventsByCertificateBucket, boltfile.JoinKey(boltfile.U64(certificate), boltfile.U64(seq)), nil); err != nil {
		return err
	}
	return t.publish(webhook.NotificationOf(e), e.At)
}

// eraseEvents takes the data out of the events of a certificate.
func (t *txn) eraseEvents(certificate uint64) error {
	for _, seq := range t.IDsWithPrefix(eventsByCertificateBucket, boltfile.U64(certificate)) {
		var e vault.Event
		key := boltfile.U64(seq)
		if err := boltfile.Decode(key, t.Get(eventsBucket, key), &e); err != nil {
			return err
		}
		if err := t.PutRecord(eventsBucket, key, e.Anonymous()); err != nil {
			return err
		}
	}
	return nil
}

// Events implements store.Events.
func (s *Store) Events(ctx context.Context, id uint64) ([]vault.Event, error) {
	return readTx(ctx, s, func(t *txn) (found []vault.Event, err error) {
		c := t.Bucket(eventsByCertificateBucket).Cursor()
		for k, _ := c.Seek(boltfile.U64(id)); bytes.HasPrefix(k, boltfile.U64(id)); k, _ = c.Next() {
			var e vault.Event
			key := k[8:]
			if err := boltfile.Decode(key, t.Get(eventsBucket, key), &e); err != nil {
				return nil, err
			}
			found = append(found, e)
		}
		return found, nil
	})
}

// EventsAfter implements store.Events.
func (s *Store) EventsAfter(ctx context.Context, institution uint32, seq uint64, n int) (found []vault.Event, next uint64, err error) {
	next = seq
	found, err = readTx(ctx, s, func(t *txn) (found []vault.Event, err error) {
		c := t.Bucket(eventsBucket).Cursor()
		for k, v := c.Seek(boltfile.U64(seq + 1)); k != nil && len(found) < n; k, v = c.Next() {
			var e vault.Event
			if err := boltfile.Decode(k, v, &e); err != nil {
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

// LastEvent implements store.Events.
func (s *Store) LastEvent(ctx context.Context) (uint64, error) {
	return readTx(ctx, s, func(t *txn) (uint64, error) {
		k, _ := t.Bucket(eventsBucket).Cursor().Last()
		if k == nil {
			return 0, nil
		}
		return boltfile.LastID(k), nil
	})
}
