package admin

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// EndpointStore are what is needed of the store's endpoints.
type EndpointStore interface {
	AddEndpoint(ctx context.Context, e webhook.Endpoint) error
	ChangeEndpoint(ctx context.Context, institution uint32, id string, change func(webhook.Endpoint) (webhook.Endpoint, error)) (webhook.Endpoint, error)
	// EndpointStore lists those of an institution, or of all for 0.
	Endpoints(ctx context.Context, institution uint32) ([]webhook.Endpoint, error)
}

// DeliveryStore are what is needed of the store's deliveries.
type DeliveryStore interface {
	Deliveries(ctx context.Context, f webhook.Filter, n int) ([]webhook.Delivery, error)
	Delivery(ctx context.Context, institution uint32, uuid string) (store.DueDelivery, error)
	Redeliver(ctx context.Context, institution uint32, uuids []string, now time.Time) error
	RecordTest(ctx context.Context, d webhook.Delivery, body []byte, a webhook.Attempt) (webhook.Delivery, error)
}

// WebhookDispatcher is who delivers.
type WebhookDispatcher interface {
	// Wake says that there may be new deliveries or endpoints.
	Wake()
	Try(ctx context.Context, e webhook.Endpoint, d webhook.Delivery, body []byte) (webhook.Attempt, error)
}

// WebhookAlarm is a problem that staff see as long as it lasts. Both report whether that
// is new.
type WebhookAlarm interface {
	Raise(message string) bool
	Clear() bool
}

// WebhooksOptions are what webhooks need.
type WebhooksOptions struct {
	EndpointStore EndpointStore
	DeliveryStore DeliveryStore
	Dispatcher    WebhookDispatcher
	Secrets       *SecretSealer
	// Client judges addresses; Private says that it also calls private ones.
	Client         *ssrf.Client
	AllowPrivate   bool
	Institution    func() uint32 // the one whose staff is served
	SuspendedAlarm WebhookAlarm  // that endpoints are suspended
	Notify         func(adminclient.Notice)
	Now            func() time.Time
	Random         io.Reader
	Log            *slog.Logger
}

// Webhooks are the webhooks of a home.
type Webhooks struct{ WebhooksOptions }

// NewWebhooks makes them; it starts nothing.
func NewWebhooks(o WebhooksOptions) *Webhooks { return &Webhooks{o} }

// CheckSuspended notes which webhooks are suspended, though whoever changed that has gone.
func (h *Webhooks) CheckSuspended(ctx context.Context) {
	all, err := h.EndpointStore.Endpoints(context.WithoutCancel(ctx), 0)
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
		if h.SuspendedAlarm.Clear() {
			h.Notify(adminclient.Notice{Level: "info", Message: "all webhooks take deliveries again"})
		}
		return
	}
	message := fmt.Sprintf("deliveries wait: %d in a row could not be delivered to webhook %s; see vecctl webhook deliveries, mend the endpoint, then: vecctl webhook update ID --active",
		webhook.SuspendAfter, strings.Join(names, ", "))
	if h.SuspendedAlarm.Raise(message) {
		h.Log.Warn("webhooks are suspended", "endpoints", names)
		h.Notify(adminclient.Notice{Level: "warn", Message: message})
	}
}
