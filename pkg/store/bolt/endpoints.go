package bolt

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

func noEndpoint() error { return fault.New(fault.NotFound, "Webhook not found.") }

func endpointKey(institution uint32, id string) []byte {
	return boltfile.JoinKey(boltfile.U32(institution), boltfile.UUID(id))
}

// AddEndpoint implements store.Endpoints.
func (s *Store) AddEndpoint(ctx context.Context, e webhook.Endpoint) error {
	return s.update(ctx, func(t *txn) error {
		existing, err := t.endpointsOf(e.Institution)
		if err != nil {
			return err
		}
		if err := webhook.CheckLimit(existing, e); err != nil {
			return err
		}
		if t.Get(endpointsBucket, endpointKey(e.Institution, e.ID)) != nil {
			return fault.New(fault.Conflict, "the endpoint exists already")
		}
		return t.putEndpoint(e)
	})
}

func (t *txn) putEndpoint(e webhook.Endpoint) error {
	delete(t.endpoints, e.Institution)
	t.about.note(e.Institution, "webhook "+e.ID, "")
	return t.PutRecord(endpointsBucket, endpointKey(e.Institution, e.ID), e)
}

// endpoint finds one, deleted ones too.
func (t *txn) endpoint(institution uint32, id string) (webhook.Endpoint, error) {
	var e webhook.Endpoint
	key := endpointKey(institution, id)
	value := t.Get(endpointsBucket, key)
	if value == nil {
		return e, noEndpoint()
	}
	return e, boltfile.Decode(key, value, &e)
}

// endpointsOf lists an institution's endpoints, deleted ones too; they are looked up
// once a transaction.
func (t *txn) endpointsOf(institution uint32) ([]webhook.Endpoint, error) {
	if known, ok := t.endpoints[institution]; ok {
		return known, nil
	}
	found, err := t.endpointsUnder(boltfile.U32(institution))
	if err != nil {
		return nil, err
	}
	if t.endpoints == nil {
		t.endpoints = map[uint32][]webhook.Endpoint{}
	}
	t.endpoints[institution] = found
	return found, nil
}

func (t *txn) endpointsUnder(prefix []byte) (found []webhook.Endpoint, err error) {
	c := t.Bucket(endpointsBucket).Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		var e webhook.Endpoint
		if err := boltfile.Decode(k, v, &e); err != nil {
			return nil, err
		}
		found = append(found, e)
	}
	return found, nil
}

// ChangeEndpoint implements store.Endpoints.
func (s *Store) ChangeEndpoint(ctx context.Context, institution uint32, id string,
	change func(webhook.Endpoint) (webhook.Endpoint, error)) (webhook.Endpoint, error) {
	return writeTx(ctx, s, func(t *txn) (webhook.Endpoint, error) {
		old, err := t.endpoint(institution, id)
		if err != nil {
			return old, err
		}
		if !old.Live() {
			return old, noEndpoint()
		}
		changed, err := change(old)
		if err != nil {
			return old, err
		}
		return changed, t.putEndpoint(changed)
	})
}

// ChangeEndpoints implements store.Endpoints.
func (s *Store) ChangeEndpoints(ctx context.Context, change func(webhook.Endpoint) (webhook.Endpoint, error)) error {
	return s.update(ctx, func(t *txn) error {
		all, err := t.endpointsUnder(nil)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(e webhook.Endpoint) bool { return !e.Live() })
		// All are made before any is written, so that a refusal changes none.
		for i, e := range all {
			if all[i], err = change(e); err != nil {
				return err
			}
		}
		for _, e := range all {
			if err := t.putEndpoint(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// Endpoints implements store.Endpoints.
func (s *Store) Endpoints(ctx context.Context, institution uint32) ([]webhook.Endpoint, error) {
	return readTx(ctx, s, func(t *txn) ([]webhook.Endpoint, error) {
		var prefix []byte
		if institution != 0 {
			prefix = boltfile.U32(institution)
		}
		all, err := t.endpointsUnder(prefix)
		all = slices.DeleteFunc(all, func(e webhook.Endpoint) bool { return !e.Live() })
		slices.SortFunc(all, func(a, b webhook.Endpoint) int {
			if a.CreatedAt.Equal(b.CreatedAt) {
				return strings.Compare(a.ID, b.ID)
			}
			return a.CreatedAt.Compare(b.CreatedAt)
		})
		return all, err
	})
}
