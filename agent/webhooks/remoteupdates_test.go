package webhooks_test

import (
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/events"
	"github.com/vecctl/vecctl/agent/webhooks"
	"github.com/vecctl/vecctl/pkg/client/remotebulk"
	"github.com/vecctl/vecctl/pkg/vault"
	vaultwebhook "github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/wake"
)

// waker counts how often it is woken.
type waker struct{ woken int }

func (w *waker) Wake() { w.woken++ }

// TestNewsOfARemoteVault wakes who follows the vault for every event of a certificate, and who
// follows revocations for a revoked one.
func TestNewsOfARemoteVault(t *testing.T) {
	t.Parallel()
	var news, revocations waker
	u := webhooks.RemoteUpdates{Registry: remotebulk.NewRegistry(t.TempDir()), Events: &events.Bus{},
		News: wake.All{&news}, Revocations: wake.All{&revocations}}
	for _, event := range []vault.EventType{vault.EventApproved, vault.EventFailed, vault.EventRevoked, "certification.expiring"} {
		err := u.Update(t.Context(), vaultwebhook.InboundEvent{Event: string(event), Body: []byte(
			`{"event":"` + string(event) + `","uuid":"9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15","timestamp":"` + time.Now().UTC().Format(time.RFC3339) + `"}`)})
		if err != nil {
			t.Fatal(err)
		}
	}
	if news.woken != 3 || revocations.woken != 1 {
		t.Errorf("news %d times, revocations %d times", news.woken, revocations.woken)
	}
}
