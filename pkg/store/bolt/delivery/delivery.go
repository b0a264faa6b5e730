// Package delivery keeps the endpoints of webhooks, and what they are told.
package delivery

import (
	"bytes"
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
	endpoints      = []byte("endpoints")
	deliveries     = []byte("deliveries")
	deliveryBodies = []byte("delivery_bodies")
	deliveryByUUID = []byte("delivery_by_uuid")
	deliveryByEnd  = []byte("delivery_by_end")
	deliveryDue    = []byte("delivery_due")
)

// Buckets are those that only this package writes to.
func Buckets() [][]byte {
	return [][]byte{endpoints, deliveries, deliveryBodies, deliveryByUUID, deliveryByEnd, deliveryDue}
}

// Tx is a transaction with what was looked up already of institutions' endpoints.
type Tx struct {
	*tree.Tx
	targets map[uint32][]hook.Endpoint
}

// Register implements store.Endpoints and store.Deliveries.
type Register struct {
	read, write func(context.Context, func(*Tx) error) error
}

// New works with functions that run another in a transaction.
func New(read, write func(context.Context, func(*Tx) error) error) *Register {
	return &Register{read: read, write: write}
}

func noDelivery() error { return fault.New(fault.NotFound, "Delivery not found.") }

func deliveryKey(institution uint32, id uint64) []byte {
	return record.Join(record.U32(institution), record.U64(id))
}

func deliveryDueKey(d hook.Delivery) []byte {
	return record.Join(record.UUID(d.Endpoint), record.U64(uint64(d.RunAt.UnixNano())), record.U64(d.ID))
}

// dueAt is the moment in a key of the index of what is due.
func dueAt(key []byte) time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(key[len(key)-16:])))
}

// Announce implements store.Deliveries.
func (s *Register) Announce(ctx context.Context, n hook.News, now time.Time) error {
	return s.write(ctx, func(t *Tx) error { return t.Announce(n, now) })
}

// Announce keeps a delivery of news for each endpoint that wants it.
func (t *Tx) Announce(n hook.News, now time.Time) error {
	all, err := t.endpointsOf(n.Owner.Institution)
	if err != nil {
		return err
	}
	for _, e := range all {
		if !e.Wants(n) {
			continue
		}
		d, body, err := n.To(e, now)
		if err != nil {
			return err
		}
		if t.Get(deliveryByUUID, record.UUID(d.UUID)) != nil {
			continue // told already
		}
		if err := t.addDelivery(&d, body); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) addDelivery(d *hook.Delivery, body []byte) error {
	id, err := t.Bucket(deliveries).NextSequence()
	if err != nil {
		return fmt.Errorf("numbering a delivery: %w", err)
	}
	d.ID = id
	key := deliveryKey(d.Institution, id)
	if err := t.Put(deliveryBodies, key, record.Seal(key, body)); err != nil {
		return err
	}
	if err := t.Put(deliveryByUUID, record.UUID(d.UUID), key); err != nil {
		return err
	}
	if err := t.Put(deliveryByEnd, record.Join(record.UUID(d.Endpoint), record.U64(id)), nil); err != nil {
		return err
	}
	return t.putDelivery(*d)
}

// putDelivery writes a delivery and, while it is pending, when it is due.
func (t *Tx) putDelivery(d hook.Delivery) error {
	key := deliveryKey(d.Institution, d.ID)
	if err := t.Put(deliveries, key, packDelivery(key, d)); err != nil || d.State != hook.Pending {
		return err
	}
	return t.Put(deliveryDue, deliveryDueKey(d), nil)
}

// moveDelivery replaces a delivery by its next state.
func (t *Tx) moveDelivery(from, to hook.Delivery) error {
	if from.State == hook.Pending {
		if err := t.Delete(deliveryDue, deliveryDueKey(from)); err != nil {
			return err
		}
	}
	return t.putDelivery(to)
}

func (t *Tx) delivery(key []byte) (hook.Delivery, error) {
	value := t.Get(deliveries, key)
	if value == nil {
		return hook.Delivery{}, noDelivery()
	}
	return unpackDelivery(key, value)
}

// deliveryNamed finds one by its UUID.
func (t *Tx) deliveryNamed(institution uint32, uuid string) (hook.Delivery, error) {
	name := record.UUID(uuid)
	key := t.Get(deliveryByUUID, name)
	if name == nil || key == nil || !bytes.HasPrefix(key, record.U32(institution)) {
		return hook.Delivery{}, noDelivery()
	}
	return t.delivery(key)
}

func (t *Tx) withBody(d hook.Delivery) (store.Due, error) {
	key := deliveryKey(d.Institution, d.ID)
	body, err := record.Unseal(key, t.Get(deliveryBodies, key))
	return store.Due{Delivery: d, Body: bytes.Clone(body), Version: versionOf(t.Get(deliveries, key))}, err
}

// versionOf is a record's checksum.
func versionOf(value []byte) uint32 { return binary.BigEndian.Uint32(value) }

// Delivery implements store.Deliveries.
func (s *Register) Delivery(ctx context.Context, institution uint32, uuid string) (store.Due, error) {
	return tree.Run(ctx, s.read, func(t *Tx) (store.Due, error) {
		d, err := t.deliveryNamed(institution, uuid)
		if err != nil {
			return store.Due{}, err
		}
		return t.withBody(d)
	})
}

// NextTurn implements store.Deliveries.
func (s *Register) NextTurn(ctx context.Context, institution uint32, endpoint string, now time.Time, n int, busy func(uint64) bool) (store.Turn, error) {
	return tree.Run(ctx, s.read, func(t *Tx) (turn store.Turn, err error) {
		if turn.Endpoint, err = t.endpoint(institution, endpoint); err != nil || !turn.Endpoint.Sends() {
			return turn, err
		}
		prefix := record.UUID(endpoint)
		c := t.Bucket(deliveryDue).Cursor()
		for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			if busy(record.TailID(k)) {
				continue
			}
			if at := dueAt(k); hook.Waits(at, now) || len(turn.Due) == n {
				turn.Next = at
				break
			}
			d, err := t.delivery(deliveryKey(institution, record.TailID(k)))
			if err != nil {
				return turn, err
			}
			due, err := t.withBody(d)
			if err != nil {
				return turn, err
			}
			turn.Due = append(turn.Due, due)
		}
		return turn, nil
	})
}

// KeepAttempts implements store.Deliveries.
func (s *Register) KeepAttempts(ctx context.Context, institution uint32, tried []store.Tried) error {
	return s.write(ctx, func(t *Tx) error {
		touched := map[string]hook.Endpoint{}
		for _, one := range tried {
			if err := t.keepAttempt(institution, one, touched); err != nil {
				return err
			}
		}
		for _, e := range touched {
			if err := t.putEndpoint(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// keepAttempt notes one attempt; endpoints gather in touched and are written at the
// end, once each.
func (t *Tx) keepAttempt(institution uint32, one store.Tried, touched map[string]hook.Endpoint) error {
	key := deliveryKey(institution, one.ID)
	value := t.Get(deliveries, key)
	if value == nil {
		return nil // forgotten meanwhile, with its endpoint
	}
	d, err := one.Delivery, error(nil)
	if versionOf(value) != one.Version {
		d, err = t.delivery(key) // it has changed since it was read
	}
	if err != nil || d.State != hook.Pending {
		return err
	}
	e, ok := touched[d.Endpoint]
	if !ok {
		if e, err = t.endpoint(institution, d.Endpoint); err != nil {
			return err
		}
	}
	after, next := hook.After(e, d, one.Attempt)
	touched[d.Endpoint] = after
	return t.moveDelivery(d, next)
}

// KeepTest implements store.Deliveries.
func (s *Register) KeepTest(ctx context.Context, d hook.Delivery, body []byte, a hook.Attempt) (hook.Delivery, error) {
	return tree.Run(ctx, s.write, func(t *Tx) (hook.Delivery, error) {
		e, err := t.endpoint(d.Institution, d.Endpoint)
		if err != nil {
			return d, err
		}
		after, done := hook.AfterTest(e, d, a)
		if err := t.addDelivery(&done, body); err != nil {
			return d, err
		}
		return done, t.putEndpoint(after)
	})
}

// Redeliver implements store.Deliveries.
func (s *Register) Redeliver(ctx context.Context, institution uint32, uuids []string, now time.Time) error {
	return s.write(ctx, func(t *Tx) error {
		resumed := map[string]hook.Endpoint{}
		from, to := make([]hook.Delivery, 0, len(uuids)), make([]hook.Delivery, 0, len(uuids))
		for _, name := range uuids {
			d, err := t.deliveryNamed(institution, name)
			if err != nil {
				return err
			}
			e, err := t.endpoint(institution, d.Endpoint)
			if err != nil {
				return err
			}
			again, err := d.Again(e, now)
			if err != nil {
				return err
			}
			resumed[e.ID] = e.Resume()
			from, to = append(from, d), append(to, again)
		}
		for _, e := range resumed {
			if err := t.putEndpoint(e); err != nil {
				return err
			}
		}
		for i := range from {
			if err := t.moveDelivery(from[i], to[i]); err != nil {
				return err
			}
		}
		return nil
	})
}
