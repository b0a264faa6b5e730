package agent

import (
	"net/http"
	"path/filepath"
	"time"

	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/space"
	"github.com/vecctl/vecctl/pkg/client/staff"
)

// vitals answers the questions of health about all of the home's institutions.
type vitals struct {
	*Agent
	health.Books
}

var _ health.Source = vitals{}

// KeyEnds implements health.Source.
func (v vitals) KeyEnds() time.Time { return v.seats.KeyEnds() }

// DiskFree implements health.Source.
func (v vitals) DiskFree() (uint64, error) {
	d, err := v.Home.Disk()
	return d.Free, err
}

// measured counts a face's calls. An answer that says that the disk is full makes
// the agent look at it.
func (a *Agent) measured(name string, next http.Handler) http.Handler {
	return a.health.Measure(name, next, func(status int) {
		if status == http.StatusInsufficientStorage {
			a.space.Check()
		}
	})
}

// problems are what staff should know.
func (a *Agent) problems() []staff.Problem {
	shown := []staff.Problem{}
	for _, p := range a.health.Problems() {
		shown = append(shown, staff.Problem{Kind: p.Name, Message: p.Message})
	}
	return append(shown, a.seats.Problems()...)
}

// wireSpace prepares the watch over the disk; it starts nothing.
func (a *Agent) wireSpace() {
	a.space = space.New(space.Options{
		Disk: func() (free, total uint64, err error) {
			d, err := a.Home.Disk()
			return d.Free, d.Total, err
		},
		Probe: filepath.Join(a.Home.Blobs(), "tmp"), Home: string(a.Home), Full: health.Alarm{Health: a.health, Name: "disk", Blocking: true},
		Tell: a.feed.Notice, Trouble: a.feed.Trouble, Wake: func() { a.processor.Wake() }, Now: a.Now, Log: a.Log,
	})
}

// Accepting is nil when the agent takes what is new, else the reason, of kind
// fault.Full.
func (a *Agent) Accepting() error { return a.space.Accepting() }
