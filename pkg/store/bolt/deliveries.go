package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

func noDelivery() error { return fault.New(fault.NotFound, "Delivery not found.") }

func deliveryKey(institution uint32, id uint64) []byte {
	return record.Join(record.U32(institution), record.U64(id))
}

func deliveryDueKey(d hook.Delivery) []byte {
	return record.Join(record.UUID(d.Endpoint), record.U64(uint64(d.RunAt.UnixNano())), record.U64(d.ID))
}

// Announce implements store.Deliveries.
func (s *Store) Announce(ctx context.Context, n hook.News, now time.Time) error {
	_, err := write(ctx, s, func(t *txn) (struct{}, error) { return struct{}{}, t.announce(n, now) })
	return err
}

// announce keeps a delivery of news for each endpoint that wants it.
func (t *txn) announce(n hook.News, now time.Time) error {
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

func (t *txn) addDelivery(d *hook.Delivery, body []byte) error {
	id, err := t.Bucket(deliveries).NextSequence()
	if err != nil {
		return fmt.Errorf("numbering a delivery: %w", err)
	}
	d.ID = id
	key := deliveryKey(d.Institution, id)
	err = t.putAll([]entry{
		{deliveryBodies, key, record.Seal(key, body)},
		{deliveryByUUID, record.UUID(d.UUID), key},
		{deliveryByEnd, record.Join(record.UUID(d.Endpoint), record.U64(id)), nil},
	})
	if err != nil {
		return err
	}
	return t.putDelivery(*d)
}

// putDelivery writes a delivery and, while it is pending, when it is due.
func (t *txn) putDelivery(d hook.Delivery) error {
	key := deliveryKey(d.Institution, d.ID)
	if err := t.Put(deliveries, key, packDelivery(key, d)); err != nil || d.State != hook.Pending {
		return err
	}
	return t.Put(deliveryDue, deliveryDueKey(d), nil)
}

// moveDelivery replaces a delivery by its next state.
func (t *txn) moveDelivery(from, to hook.Delivery) error {
	if from.State == hook.Pending {
		if err := t.Delete(deliveryDue, deliveryDueKey(from)); err != nil {
			return err
		}
	}
	return t.putDelivery(to)
}

func (t *txn) delivery(key []byte) (hook.Delivery, error) {
	value := t.Get(deliveries, key)
	if value == nil {
		return hook.Delivery{}, noDelivery()
	}
	return unpackDelivery(key, value)
}

// deliveryNamed finds one by its UUID.
func (t *txn) deliveryNamed(institution uint32, uuid string) (hook.Delivery, error) {
	name := record.UUID(uuid)
	key := t.Get(deliveryByUUID, name)
	if name == nil || key == nil || !bytes.HasPrefix(key, record.U32(institution)) {
		return hook.Delivery{}, noDelivery()
	}
	return t.delivery(key)
}

func (t *txn) withBody(d hook.Delivery) (store.Due, error) {
	key := deliveryKey(d.Institution, d.ID)
	body, err := record.Unseal(key, t.Get(deliveryBodies, key))
	return store.Due{Delivery: d, Body: bytes.Clone(body), Version: versionOf(t.Get(deliveries, key))}, err
}

// versionOf is a record's checksum.
func versionOf(value []byte) uint32 { return binary.BigEndian.Uint32(value) }

// Delivery implements store.Deliveries.
func (s *Store) Delivery(ctx context.Context, institution uint32, uuid string) (store.Due, error) {
	return read(ctx, s, func(t *txn) (store.Due, error) {
		d, err := t.deliveryNamed(institution, uuid)
		if err != nil {
			return store.Due{}, err
		}
		return t.withBody(d)
	})
}

// NextTurn implements store.Deliveries.
func (s *Store) NextTurn(ctx context.Context, institution uint32, endpoint string, now time.Time, n int, busy func(uint64) bool) (store.Turn, error) {
	return read(ctx, s, func(t *txn) (turn store.Turn, err error) {
		if turn.Endpoint, err = t.endpoint(institution, endpoint); err != nil || !turn.Endpoint.Sends() {
			return turn, err
		}
		prefix := record.UUID(endpoint)
		c := t.Bucket(deliveryDue).Cursor()
		for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			if busy(record.TailID(k)) {
				continue
			}
			if at := runAt(k); at.After(now) || len(turn.Due) == n {
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
func (s *Store) KeepAttempts(ctx context.Context, institution uint32, tried []store.Tried) error {
	_, err := write(ctx, s, func(t *txn) (struct{}, error) {
		touched := map[string]hook.Endpoint{}
		for _, one := range tried {
			if err := t.keepAttempt(institution, one, touched); err != nil {
				return struct{}{}, err
			}
		}
		for _, e := range touched {
			if err := t.putEndpoint(e); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	return err
}

// keepAttempt notes one attempt; endpoints gather in touched and are written at the
// end, once each.
func (t *txn) keepAttempt(institution uint32, one store.Tried, touched map[string]hook.Endpoint) error {
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
func (s *Store) KeepTest(ctx context.Context, d hook.Delivery, body []byte, a hook.Attempt) (hook.Delivery, error) {
	return write(ctx, s, func(t *txn) (hook.Delivery, error) {
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
func (s *Store) Redeliver(ctx context.Context, institution uint32, uuids []string, now time.Time) error {
	_, err := write(ctx, s, func(t *txn) (struct{}, error) {
		resumed := map[string]hook.Endpoint{}
		from, to := make([]hook.Delivery, 0, len(uuids)), make([]hook.Delivery, 0, len(uuids))
		for _, name := range uuids {
			d, err := t.deliveryNamed(institution, name)
			if err != nil {
				return struct{}{}, err
			}
			e, err := t.endpoint(institution, d.Endpoint)
			if err != nil {
				return struct{}{}, err
			}
			again, err := d.Again(e, now)
			if err != nil {
				return struct{}{}, err
			}
			resumed[e.ID] = e.Resume()
			from, to = append(from, d), append(to, again)
		}
		for _, e := range resumed {
			if err := t.putEndpoint(e); err != nil {
				return struct{}{}, err
			}
		}
		for i := range from {
			if err := t.moveDelivery(from[i], to[i]); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	return err
}
