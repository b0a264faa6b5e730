// Package hooks is what staff do to webhooks, and see of their deliveries.
package hooks

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

// Endpoints are what is needed of the store's endpoints.
type Endpoints interface {
	AddEndpoint(ctx context.Context, e hook.Endpoint) error
	ChangeEndpoint(ctx context.Context, institution uint32, id string, change func(hook.Endpoint) (hook.Endpoint, error)) (hook.Endpoint, error)
	// Endpoints lists those of an institution, or of all for 0.
	Endpoints(ctx context.Context, institution uint32) ([]hook.Endpoint, error)
}

// Deliveries are what is needed of the store's deliveries.
type Deliveries interface {
	Deliveries(ctx context.Context, f hook.Filter, n int) ([]hook.Delivery, error)
	Delivery(ctx context.Context, institution uint32, uuid string) (store.Due, error)
	Redeliver(ctx context.Context, institution uint32, uuids []string, now time.Time) error
	KeepTest(ctx context.Context, d hook.Delivery, body []byte, a hook.Attempt) (hook.Delivery, error)
}

// Sender is who delivers.
type Sender interface {
	// Wake says that there may be new deliveries or endpoints.
	Wake()
	Try(ctx context.Context, e hook.Endpoint, d hook.Delivery, body []byte) (hook.Attempt, error)
}

// Alarm is a problem that staff see as long as it lasts. Both tell whether that
// is new.
type Alarm interface {
	Raise(message string) bool
	Clear() bool
}

// Options are what webhooks need.
type Options struct {
	Register Endpoints
	Ledger   Deliveries
	Sender   Sender
	Secrets  *Secrets
	// Client judges addresses; Private says that it also calls private ones.
	Client      *ssrf.Client
	Private     bool
	Institution func() uint32 // the one whose staff is served
	Suspended   Alarm         // that endpoints are suspended
	Tell        func(staff.Notice)
	Now         func() time.Time
	Random      io.Reader
	Log         *slog.Logger
}

// Hooks are the webhooks of a home.
type Hooks struct{ Options }

// New makes them; it starts nothing.
func New(o Options) *Hooks { return &Hooks{o} }

// Check notes which webhooks are suspended, though whoever changed that has gone.
func (h *Hooks) Check(ctx context.Context) {
	all, err := h.Register.Endpoints(context.WithoutCancel(ctx), 0)
	if err != nil {
		return // whoever reads next says so
	}
	var names []string
	for _, e := range all {
		if e.Suspended() {
			names = append(names, e.ID)
		}
	}
	if len(names) == 0 {
		if h.Suspended.Clear() {
			h.Tell(staff.Notice{Level: "info", Message: "all webhooks take deliveries again"})
		}
		return
	}
	message := fmt.Sprintf("deliveries wait: %d in a row could not be delivered to webhook %s; see vecctl webhook deliveries, mend the endpoint, then: vecctl webhook update ID --active",
		hook.SuspendAfter, strings.Join(names, ", "))
	if h.Suspended.Raise(message) {
		h.Log.Warn("webhooks are suspended", "endpoints", names)
		h.Tell(staff.Notice{Level: "warn", Message: message})
	}
}
