package delivery

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

func noEndpoint() error { return fault.New(fault.NotFound, "Webhook not found.") }

func endpointKey(institution uint32, id string) []byte {
	return record.Join(record.U32(institution), record.UUID(id))
}

// AddEndpoint implements store.Endpoints.
func (s *Register) AddEndpoint(ctx context.Context, e hook.Endpoint) error {
	return s.write(ctx, func(t *Tx) error {
		existing, err := t.endpointsOf(e.Institution)
		if err != nil {
			return err
		}
		if err := hook.CheckRoom(existing, e); err != nil {
			return err
		}
		if t.Get(endpoints, endpointKey(e.Institution, e.ID)) != nil {
			return fault.New(fault.Conflict, "the endpoint exists already")
		}
		return t.putEndpoint(e)
	})
}

func (t *Tx) putEndpoint(e hook.Endpoint) error {
	delete(t.targets, e.Institution)
	return t.Keep(endpoints, endpointKey(e.Institution, e.ID), e)
}

// endpoint finds one, deleted ones too.
func (t *Tx) endpoint(institution uint32, id string) (hook.Endpoint, error) {
	var e hook.Endpoint
	key := endpointKey(institution, id)
	value := t.Get(endpoints, key)
	if value == nil {
		return e, noEndpoint()
	}
	return e, record.Decode(key, value, &e)
}

// endpointsOf lists an institution's endpoints, deleted ones too; they are looked up
// once a transaction.
func (t *Tx) endpointsOf(institution uint32) ([]hook.Endpoint, error) {
	if known, ok := t.targets[institution]; ok {
		return known, nil
	}
	found, err := t.endpointsUnder(record.U32(institution))
	if err != nil {
		return nil, err
	}
	if t.targets == nil {
		t.targets = map[uint32][]hook.Endpoint{}
	}
	t.targets[institution] = found
	return found, nil
}

func (t *Tx) endpointsUnder(prefix []byte) (found []hook.Endpoint, err error) {
	c := t.Bucket(endpoints).Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		var e hook.Endpoint
		if err := record.Decode(k, v, &e); err != nil {
			return nil, err
		}
		found = append(found, e)
	}
	return found, nil
}

// ChangeEndpoint implements store.Endpoints.
func (s *Register) ChangeEndpoint(ctx context.Context, institution uint32, id string,
	change func(hook.Endpoint) (hook.Endpoint, error)) (hook.Endpoint, error) {
	return tree.Run(ctx, s.write, func(t *Tx) (hook.Endpoint, error) {
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
func (s *Register) ChangeEndpoints(ctx context.Context, change func(hook.Endpoint) (hook.Endpoint, error)) error {
	return s.write(ctx, func(t *Tx) error {
		all, err := t.endpointsUnder(nil)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(e hook.Endpoint) bool { return !e.Live() })
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
func (s *Register) Endpoints(ctx context.Context, institution uint32) ([]hook.Endpoint, error) {
	return tree.Run(ctx, s.read, func(t *Tx) ([]hook.Endpoint, error) {
		var prefix []byte
		if institution != 0 {
			prefix = record.U32(institution)
		}
		all, err := t.endpointsUnder(prefix)
		all = slices.DeleteFunc(all, func(e hook.Endpoint) bool { return !e.Live() })
		slices.SortFunc(all, func(a, b hook.Endpoint) int {
			if a.CreatedAt.Equal(b.CreatedAt) {
				return strings.Compare(a.ID, b.ID)
			}
			return a.CreatedAt.Compare(b.CreatedAt)
		})
		return all, err
	})
}
