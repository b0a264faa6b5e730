package admin

import (
	"context"
	"fmt"
	"strings"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// How many deliveries are listed at a time.
const (
	defaultDeliveries = 50
	maxDeliveries     = 1000
)

// DeliveryStore lists what was delivered, newest first.
func (h *Webhooks) Deliveries(ctx context.Context, f adminclient.DeliveryFilter) ([]adminclient.WebhookDelivery, error) {
	filter, err := h.deliveryFilter(f)
	if err != nil {
		return nil, err
	}
	n := defaultDeliveries
	if f.Limit > 0 {
		n = min(f.Limit, maxDeliveries)
	}
	all, err := h.DeliveryStore.Deliveries(ctx, filter, n)
	if err != nil {
		return nil, err
	}
	shown := make([]adminclient.WebhookDelivery, len(all))
	for i, d := range all {
		shown[i] = deliveryToAPI(d, nil)
	}
	return shown, nil
}

func (h *Webhooks) deliveryFilter(f adminclient.DeliveryFilter) (webhook.Filter, error) {
	filter := webhook.Filter{Institution: h.Institution(), Endpoint: f.Webhook, State: webhook.State(f.Status), From: f.From, To: f.To, Before: f.Before}
	switch filter.State {
	case "", webhook.Pending, webhook.Delivered, webhook.GivenUp:
		return filter, nil
	}
	return filter, fault.InvalidFields([]fault.Field{{Name: "status",
		Message: fmt.Sprintf("%q is no status of a delivery; want pending, success or failed", f.Status)}})
}

// Delivery returns one delivery with its body.
func (h *Webhooks) Delivery(ctx context.Context, id string) (adminclient.WebhookDelivery, error) {
	d, err := h.DeliveryStore.Delivery(ctx, h.Institution(), id)
	return deliveryToAPI(d.Delivery, d.Body), err
}

// Redeliver asks for deliveries anew: those named, all of them or none, else those that
// a filter selects.
func (h *Webhooks) Redeliver(ctx context.Context, r adminclient.Redelivery) (int, error) {
	defer h.CheckSuspended(ctx)
	defer h.Dispatcher.Wake()
	institution := h.Institution()
	if len(r.Deliveries) > 0 {
		return len(r.Deliveries), h.DeliveryStore.Redeliver(ctx, institution, r.Deliveries, h.Now())
	}
	if r.Filter == nil {
		return 0, fault.New(fault.Invalid, "nothing was asked for: name deliveries, or select them")
	}
	filter, err := h.deliveryFilter(*r.Filter)
	if err != nil {
		return 0, err
	}
	live, err := h.activeWebhooks(ctx)
	if err != nil {
		return 0, err
	}
	for n := 0; ; {
		page, err := h.DeliveryStore.Deliveries(ctx, filter, maxDeliveries)
		if err != nil {
			return n, err
		}
		var names []string
		for _, d := range page {
			filter.Before = d.ID
			// Those that cannot be sent again are passed over: nobody named them.
			if live[d.Endpoint] && d.Event != webhook.EventTest {
				names = append(names, d.UUID)
			}
		}
		if err := h.DeliveryStore.Redeliver(ctx, institution, names, h.Now()); err != nil {
			return n, err
		}
		n += len(names)
		if len(page) < maxDeliveries {
			return n, nil
		}
	}
}

func (h *Webhooks) activeWebhooks(ctx context.Context) (map[string]bool, error) {
	all, err := h.EndpointStore.Endpoints(ctx, h.Institution())
	live := map[string]bool{}
	for _, e := range all {
		live[e.ID] = true
	}
	return live, err
}

func webhookToAPI(e webhook.Endpoint) adminclient.Webhook {
	shown := adminclient.Webhook{
		ID: e.ID, URL: e.URL, IsActive: e.Active, Store: e.Store, LastDeliveryStatus: string(e.LastStatus),
		LastDeliveryAt: client.TimeOrNull(e.LastAt), ConsecutiveFailures: e.Failures,
		SuspendedAt: client.TimeOrNull(e.SuspendedAt), OldSecretUntil: client.TimeOrNull(e.OldUntil), CreatedAt: e.CreatedAt.UTC(),
	}
	for _, name := range e.Events {
		shown.Events = append(shown.Events, string(name))
	}
	return shown
}

func deliveryToAPI(d webhook.Delivery, body []byte) adminclient.WebhookDelivery {
	shown := adminclient.WebhookDelivery{
		ID: d.UUID, Number: d.ID, WebhookID: d.Endpoint, Event: string(d.Event), UUID: d.Subject, Status: string(d.State),
		CreatedAt: d.CreatedAt.UTC(), Attempts: make([]adminclient.DeliveryAttempt, len(d.Attempts)), Body: string(body),
	}
	if d.State == webhook.Pending {
		shown.NextAttemptAt = client.TimeOrNull(d.RunAt)
	}
	for i, one := range d.Attempts {
		shown.Attempts[i] = adminclient.DeliveryAttempt{At: one.At.UTC(), DurationMS: one.Duration.Milliseconds(),
			Status: one.Status, Error: one.Error, Response: strings.ToValidUTF8(string(one.Response), "\uFFFD")}
	}
	return shown
}
