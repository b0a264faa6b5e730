package mails

import (
	"fmt"

	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/fault"
)

// Held is told why mails do not go out, and when they do again.
func (d *Desk) Held(err error) {
	if err == nil {
		if d.HeldUp.Clear() {
			d.Log.Info("mails go out again")
			d.Tell(staff.Notice{Level: "info", Message: "mails go out again"})
		}
		return
	}
	message := trouble(err)
	if d.HeldUp.Raise(message) {
		d.Log.Error("mails are held up", "reason", message)
		d.Tell(staff.Notice{Level: "error", Message: message})
	}
}

// trouble says why mails wait, without what a server said.
func trouble(err error) string {
	if message, ok := fault.Message(err); ok {
		return "mails wait: " + message
	}
	return fmt.Sprintf("mails wait: %v", err)
}
