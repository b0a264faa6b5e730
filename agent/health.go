package agent

import (
	"net/http"
	"path/filepath"

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

// wireDisk prepares the watch over the disk; it starts nothing.
func (a *Agent) wireDisk() {
	a.disk = health.NewDiskMonitor(health.DiskMonitorOptions{
		Disk: func() (free, total uint64, err error) {
			d, err := a.Home.Disk()
			return d.Free, d.Total, err
		},
		Probe: filepath.Join(a.Home.Blobs(), "tmp"), Home: string(a.Home), Alarm: health.Alarm{Health: a.health, Name: "disk", Blocking: true},
		Notify: a.events.PublishNotice, OnError: a.events.PublishError, Wake: func() { a.processor.Wake() }, Now: a.Now, Log: a.Log,
	})
}

// Accepting is nil when the agent takes what is new, else the reason, of kind
// fault.Full.
func (a *Agent) Accepting() error { return a.disk.Accepting() }
