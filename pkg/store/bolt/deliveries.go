package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// The buckets; schema.go draws all.
var (
	endpointsBucket          = []byte("endpoints")
	deliveriesBucket         = []byte("deliveries")
	deliveryBodiesBucket     = []byte("delivery_bodies")
	deliveryByUUIDBucket     = []byte("delivery_by_uuid")
	deliveryByEndpointBucket = []byte("delivery_by_end")
	deliveriesDueBucket      = []byte("delivery_due")
)

// deliveryBuckets returns the buckets above, for the schema.
func deliveryBuckets() [][]byte {
	return [][]byte{endpointsBucket, deliveriesBucket, deliveryBodiesBucket, deliveryByUUIDBucket, deliveryByEndpointBucket, deliveriesDueBucket}
}

func noDelivery() error { return fault.New(fault.NotFound, "Delivery not found.") }

func deliveryKey(institution uint32, id uint64) []byte {
	return boltfile.JoinKey(boltfile.U32(institution), boltfile.U64(id))
}

func deliveryDueKey(d webhook.Delivery) []byte {
	return boltfile.JoinKey(boltfile.UUID(d.Endpoint), boltfile.U64(uint64(d.RunAt.UnixNano())), boltfile.U64(d.ID))
}

// Publish implements store.Deliveries.
func (s *Store) Publish(ctx context.Context, n webhook.Notification, now time.Time) error {
	return s.update(ctx, func(t *txn) error { return t.publish(n, now) })
}

// publish keeps a delivery of a notification for each endpoint that subscribed to it.
func (t *txn) publish(n webhook.Notification, now time.Time) error {
	all, err := t.endpointsOf(n.Subscriber.Institution)
	if err != nil {
		return err
	}
	for _, e := range all {
		if !e.SubscribedTo(n) {
			continue
		}
		d, body, err := n.DeliveryTo(e, now)
		if err != nil {
			return err
		}
		if t.Get(deliveryByUUIDBucket, boltfile.UUID(d.UUID)) != nil {
			continue // is kept already
		}
		if err := t.addDelivery(&d, body); err != nil {
			return err
		}
	}
	return nil
}

func (t *txn) addDelivery(d *webhook.Delivery, body []byte) error {
	id, err := t.Bucket(deliveriesBucket).NextSequence()
	if err != nil {
		return fmt.Errorf("numbering a delivery: %w", err)
	}
	d.ID = id
	key := deliveryKey(d.Institution, id)
	if err := t.Put(deliveryBodiesBucket, key, boltfile.AddChecksum(key, body)); err != nil {
		return err
	}
	if err := t.Put(deliveryByUUIDBucket, boltfile.UUID(d.UUID), key); err != nil {
		return err
	}
	if err := t.Put(deliveryByEndpointBucket, boltfile.JoinKey(boltfile.UUID(d.Endpoint), boltfile.U64(id)), nil); err != nil {
		return err
	}
	return t.putDelivery(*d)
}

// putDelivery writes a delivery and, while it is pending, when it is due.
func (t *txn) putDelivery(d webhook.Delivery) error {
	key := deliveryKey(d.Institution, d.ID)
	if err := t.Put(deliveriesBucket, key, encodeDelivery(key, d)); err != nil || d.State != webhook.Pending {
		return err
	}
	return t.Put(deliveriesDueBucket, deliveryDueKey(d), nil)
}

// moveDelivery replaces a delivery by its next state.
func (t *txn) moveDelivery(from, to webhook.Delivery) error {
	if from.State == webhook.Pending {
		if err := t.Delete(deliveriesDueBucket, deliveryDueKey(from)); err != nil {
			return err
		}
	}
	return t.putDelivery(to)
}

func (t *txn) delivery(key []byte) (webhook.Delivery, error) {
	value := t.Get(deliveriesBucket, key)
	if value == nil {
		return webhook.Delivery{}, noDelivery()
	}
	return decodeDelivery(key, value)
}

// deliveryByUUID finds one by its UUID.
func (t *txn) deliveryByUUID(institution uint32, uuid string) (webhook.Delivery, error) {
	name := boltfile.UUID(uuid)
	key := t.Get(deliveryByUUIDBucket, name)
	if name == nil || key == nil || !bytes.HasPrefix(key, boltfile.U32(institution)) {
		return webhook.Delivery{}, noDelivery()
	}
	return t.delivery(key)
}

func (t *txn) withBody(d webhook.Delivery) (store.DueDelivery, error) {
	key := deliveryKey(d.Institution, d.ID)
	body, err := boltfile.VerifyChecksum(key, t.Get(deliveryBodiesBucket, key))
	return store.DueDelivery{Delivery: d, Body: bytes.Clone(body), Version: deliveryVersion(t.Get(deliveriesBucket, key))}, err
}

// deliveryVersion is a record's checksum.
func deliveryVersion(value []byte) uint32 { return binary.BigEndian.Uint32(value) }

// Delivery implements store.Deliveries.
func (s *Store) Delivery(ctx context.Context, institution uint32, uuid string) (store.DueDelivery, error) {
	return readTx(ctx, s, func(t *txn) (store.DueDelivery, error) {
		d, err := t.deliveryByUUID(institution, uuid)
		if err != nil {
			return store.DueDelivery{}, err
		}
		return t.withBody(d)
	})
}

// RecordTest implements store.Deliveries.
func (s *Store) RecordTest(ctx context.Context, d webhook.Delivery, body []byte, a webhook.Attempt) (webhook.Delivery, error) {
	return writeTx(ctx, s, func(t *txn) (webhook.Delivery, error) {
		e, err := t.endpoint(d.Institution, d.Endpoint)
		if err != nil {
			return d, err
		}
		after, done := webhook.ApplyTestAttempt(e, d, a)
		if err := t.addDelivery(&done, body); err != nil {
			return d, err
		}
		return done, t.putEndpoint(after)
	})
}

// Redeliver implements store.Deliveries.
func (s *Store) Redeliver(ctx context.Context, institution uint32, uuids []string, now time.Time) error {
	return s.update(ctx, func(t *txn) error {
		resumed := map[string]webhook.Endpoint{}
		from, to := make([]webhook.Delivery, 0, len(uuids)), make([]webhook.Delivery, 0, len(uuids))
		for _, name := range uuids {
			d, err := t.deliveryByUUID(institution, name)
			if err != nil {
				return err
			}
			e, err := t.endpoint(institution, d.Endpoint)
			if err != nil {
				return err
			}
			again, err := d.Redeliver(e, now)
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
			t.about.note(institution, "delivery "+from[i].UUID, "")
			if err := t.moveDelivery(from[i], to[i]); err != nil {
				return err
			}
		}
		return nil
	})
}
