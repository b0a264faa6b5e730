package agent

import (
	"net/http"

	"github.com/vecctl/vecctl/agent/health"
)

// instrument counts a face's calls. An answer that says that the disk is full makes
// the agent look at it.
func (a *Agent) instrument(name string, next http.Handler) http.Handler {
	return a.health.Instrument(name, next, func(status int) {
		if status == http.StatusInsufficientStorage {
			a.disk.Check()
		}
	})
}

// wireDisk prepares the watch over the disk, without what it wakes; it starts nothing.
func (a *Agent) wireDisk() {
	a.disk = health.NewDiskMonitor(health.DiskMonitorOptions{
		Home: a.Home, Disk: a.Home, Alarm: health.Alarm{Health: a.health, Name: "disk", Blocking: true}, Events: &a.events, Now: a.Now, Log: a.Log,
	})
}

// Accepting is nil when the agent takes what is new, else the reason, of kind
// fault.Full.
func (a *Agent) Accepting() error { return a.disk.Accepting() }
