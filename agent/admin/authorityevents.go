package admin

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/wake"
)

// AuthorityEvents queues the authority's events for the webhooks of a store. Staff of any of
// the home's institutions may have registered them.
type AuthorityEvents struct {
	Institutions store.Institutions
	Deliveries   store.Deliveries
	Work         wake.Waker // is woken when there are deliveries
	Now          func() time.Time
}

// Send implements the authority's service.EventSink.
func (h *AuthorityEvents) Send(ctx context.Context, e authority.Event) error {
	all, err := h.Institutions.Institutions(ctx)
	if err != nil {
		return err
	}
	for _, i := range all {
		notification := webhook.RenderedNotification(webhook.Subscriber{Institution: i.ID, Store: e.Store}, vault.EventType(e.Name), e.Domain, e.Timestamp, e.Seq, e.Body)
		if err := h.Deliveries.Publish(ctx, notification, h.Now()); err != nil {
			return err
		}
	}
	h.Work.Wake()
	return nil
}
