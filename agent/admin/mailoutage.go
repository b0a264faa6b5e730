package admin

import (
	"fmt"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

// ReportOutage is told why mails do not go out, and when they do again.
func (d *Mails) ReportOutage(err error) {
	if err == nil {
		if d.OutageAlarm.Clear() {
			d.Log.Info("mails go out again")
			d.Notify(adminclient.Notice{Level: "info", Message: "mails go out again"})
		}
		return
	}
	message := outageReason(err)
	if d.OutageAlarm.Raise(message) {
		d.Log.Error("mails are held up", "reason", message)
		d.Notify(adminclient.Notice{Level: "error", Message: message})
	}
}

// outageReason says why mails wait, without what a server said.
func outageReason(err error) string {
	if message, ok := fault.Message(err); ok {
		return "mails wait: " + message
	}
	return fmt.Sprintf("mails wait: %v", err)
}
