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

// Deliveries lists what was delivered, newest first.
func (s *Service) Deliveries(ctx context.Context, f adminclient.DeliveryFilter) ([]adminclient.WebhookDelivery, error) {
	filter, err := s.deliveryFilter(ctx, f)
	if err != nil {
		return nil, err
	}
	n := defaultDeliveries
	if f.Limit > 0 {
		n = min(f.Limit, maxDeliveries)
	}
	all, err := s.store.Deliveries(ctx, filter, n)
	if err != nil {
		return nil, err
	}
	shown := make([]adminclient.WebhookDelivery, len(all))
	for i, d := range all {
		shown[i] = deliveryToAPI(d, nil)
	}
	return shown, nil
}

func (s *Service) deliveryFilter(ctx context.Context, f adminclient.DeliveryFilter) (webhook.Filter, error) {
	filter := webhook.Filter{Institution: s.institutionID(ctx), Endpoint: f.Webhook, State: webhook.State(f.Status), From: f.From, To: f.To, Before: f.Before}
	switch filter.State {
	case "", webhook.Pending, webhook.Delivered, webhook.GivenUp:
		return filter, nil
	}
	return filter, fault.InvalidFields([]fault.Field{{Name: "status",
		Message: fmt.Sprintf("%q is no status of a delivery; want pending, success or failed", f.Status)}})
}

// Delivery returns one delivery with its body.
func (s *Service) Delivery(ctx context.Context, id string) (adminclient.WebhookDelivery, error) {
	d, err := s.store.Delivery(ctx, s.institutionID(ctx), id)
	return deliveryToAPI(d.Delivery, d.Body), err
}

// Redeliver asks for deliveries anew: those named, all of them or none, else those that
// a filter selects.
func (s *Service) Redeliver(ctx context.Context, r adminclient.Redelivery) (int, error) {
	defer s.suspensions.Check(ctx)
	defer s.dispatcher.Wake()
	institution := s.institutionID(ctx)
	if len(r.Deliveries) > 0 {
		return len(r.Deliveries), s.store.Redeliver(ctx, institution, r.Deliveries, s.now())
	}
	if r.Filter == nil {
		return 0, fault.New(fault.Invalid, "no deliveries were named; name them, or select them")
	}
	filter, err := s.deliveryFilter(ctx, *r.Filter)
	if err != nil {
		return 0, err
	}
	live, err := s.activeWebhooks(ctx)
	if err != nil {
		return 0, err
	}
	for n := 0; ; {
		page, err := s.store.Deliveries(ctx, filter, maxDeliveries)
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
		if err := s.store.Redeliver(ctx, institution, names, s.now()); err != nil {
			return n, err
		}
		n += len(names)
		if len(page) < maxDeliveries {
			return n, nil
		}
	}
}

func (s *Service) activeWebhooks(ctx context.Context) (map[string]bool, error) {
	all, err := s.store.Endpoints(ctx, s.institutionID(ctx))
	live := map[string]bool{}
	for _, e := range all {
		live[e.ID] = true
	}
	return live, err
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
