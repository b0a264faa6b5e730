package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/vault/hook"
)

// ChangeEndpoints implements store.Endpoints.
func (s *Store) ChangeEndpoints(ctx context.Context, change func(hook.Endpoint) (hook.Endpoint, error)) error {
	_, err := write(ctx, s, func(t *txn) (struct{}, error) {
		all, err := t.endpointsUnder(nil)
		if err != nil {
			return struct{}{}, err
		}
		// All are made before any is written, so that a refusal changes none.
		var changed []hook.Endpoint
		for _, e := range all {
			if !e.Live() {
				continue
			}
			next, err := change(e)
			if err != nil {
				return struct{}{}, err
			}
			changed = append(changed, next)
		}
		for _, e := range changed {
			if err := t.putEndpoint(e); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	return err
}
