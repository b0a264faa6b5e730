package webhooks

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/vecctl/vecctl/agent/events"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// SuspensionAlarm shows staff which webhooks are suspended.
type SuspensionAlarm struct {
	Store  store.Endpoints
	Alarm  health.Alarm
	Events *events.Bus
	Log    *slog.Logger
}

// Check raises or clears the alarm, even when the caller of the change has gone.
func (a *SuspensionAlarm) Check(ctx context.Context) {
	all, err := a.Store.Endpoints(context.WithoutCancel(ctx), 0)
	if err != nil {
		return // the next reader of the store reports it
	}
	var suspended []string
	for _, e := range all {
		if e.Suspended() {
			suspended = append(suspended, e.ID)
		}
	}
	if len(suspended) == 0 {
		if a.Alarm.Clear() {
			a.Events.PublishNotice(adminclient.Notice{Level: "info", Message: "all webhooks take deliveries again"})
		}
		return
	}
	message := fmt.Sprintf("deliveries wait: %d in a row could not be delivered to webhook %s; see vecctl webhook deliveries, fix the endpoint, then: vecctl webhook update ID --active",
		webhook.SuspendAfter, strings.Join(suspended, ", "))
	if a.Alarm.Raise(message) {
		a.Log.Warn("webhooks are suspended", "endpoints", suspended)
		a.Events.PublishNotice(adminclient.Notice{Level: "warn", Message: message})
	}
}
