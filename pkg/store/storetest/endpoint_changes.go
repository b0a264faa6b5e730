package storetest

import (
	"errors"

	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// endpointsTogether: all of all institutions change, or none does.
func endpointsTogether(f *fixture) {
	one, other := f.endpoint(f.a, vault.EventApproved), f.endpoint(f.b, vault.EventFailed)
	gone := f.endpoint(f.a, vault.EventApproved)
	f.changeEndpoint(gone, func(e webhook.Endpoint) (webhook.Endpoint, error) { return e.Delete(f.tick()) })
	seen := map[string]bool{}
	renamed := func(e webhook.Endpoint) (webhook.Endpoint, error) {
		seen[e.ID] = true
		e.Secret = webhook.EncryptedSecret("anew")
		return e, nil
	}
	f.check(f.store.ChangeEndpoints(f.Context(), renamed))
	if len(seen) != 2 || seen[gone.ID] {
		f.Errorf("%d endpoints were changed, want the 2 that are there", len(seen))
	}
	for _, e := range []webhook.Endpoint{one, other} {
		got, err := f.store.Endpoints(f.Context(), e.Institution)
		f.check(err)
		if len(got) != 1 || string(got[0].Secret) != "anew" || got[0].URL != e.URL {
			f.Errorf("changed into %+v", got)
		}
	}
	refused, n := errors.New("refused"), 0
	err := f.store.ChangeEndpoints(f.Context(), func(e webhook.Endpoint) (webhook.Endpoint, error) {
		e.Secret = webhook.EncryptedSecret("half")
		if n++; n == 2 {
			return e, refused
		}
		return e, nil
	})
	if !errors.Is(err, refused) {
		f.Errorf("the change's error: %v", err)
	}
	all, err := f.store.Endpoints(f.Context(), 0)
	f.check(err)
	for _, e := range all {
		if string(e.Secret) != "anew" {
			f.Errorf("a refused change left %q", e.Secret)
		}
	}
}
