package mailer

import (
	"fmt"
	"log/slog"

	"github.com/vecctl/vecctl/agent/events"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

// OutageAlarm shows staff that mails do not go out.
type OutageAlarm struct {
	Alarm  health.Alarm
	Events *events.Bus
	Log    *slog.Logger
}

// Report raises the alarm with the reason why mails do not go out; nil clears it.
func (d *OutageAlarm) Report(err error) {
	if err == nil {
		if d.Alarm.Clear() {
			d.Log.Info("mails go out again")
			d.Events.PublishNotice(adminclient.Notice{Level: "info", Message: "mails go out again"})
		}
		return
	}
	message := outageReason(err)
	if d.Alarm.Raise(message) {
		d.Log.Error("mails are held up", "reason", message)
		d.Events.PublishNotice(adminclient.Notice{Level: "error", Message: message})
	}
}

// outageReason says why mails wait, without what a server said.
func outageReason(err error) string {
	if message, ok := fault.Message(err); ok {
		return "mails wait: " + message
	}
	return fmt.Sprintf("mails wait: %v", err)
}
