package agent

import (
	"errors"
	"os"
	"time"

	"github.com/vecctl/vecctl/agent/bulk"
	"github.com/vecctl/vecctl/agent/drop"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/pkg/client/staff"
)

// DropOptions say which folder is watched, and how. The zero value watches the
// home's own with the standard times.
type DropOptions struct {
	Folder       string        // "" is the home's own
	Poll         bool          // look every second, without events
	Settle, Wait time.Duration // 0 is drop.DefaultSettle, drop.DefaultWait
}

// newDrop prepares the watch over the drop folder, which is made where it is
// missing.
func (a *Agent) newDrop(o DropOptions) (*drop.Watcher, error) {
	if o.Folder == "" {
		o.Folder = a.Home.Drop()
	}
	if err := a.Home.CheckDrop(o.Folder); err != nil {
		return nil, err
	}
	// Only the last part is made: a share that is not mounted is not to be
	// replaced by a folder on this disk.
	if err := os.Mkdir(o.Folder, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		a.Log.Warn("the drop folder cannot be made", "folder", o.Folder, "error", err)
	}
	if o.Settle == 0 {
		o.Settle = drop.DefaultSettle
	}
	if o.Wait == 0 {
		o.Wait = drop.DefaultWait
	}
	issuer := &bulk.Drops{Options: a.bulk(), Find: a.seats.ByID, Current: a.currentID, Outcomes: a.Home.Verified()}
	return drop.New(drop.Options{
		Folder: o.Folder, Incoming: a.Home.Incoming(), Verified: a.Home.Verified(), Failed: a.Home.Failed(),
		Settle: o.Settle, Wait: o.Wait, Poll: o.Poll,
		Tell: a.tellDrop, Issuer: issuer, Institution: a.currentID, Now: a.Now, Log: a.Log,
	}), nil
}

const dropProblem = "drop"

// tellDrop puts trouble with the drop folder where every face shows it.
func (a *Agent) tellDrop(trouble string) {
	if trouble == "" {
		a.health.Clear(dropProblem)
		return
	}
	a.health.Raise(health.Problem{Name: dropProblem, Message: trouble})
}

// shapeDrop is how the drop folder is, as the panel says it; nil where none is
// watched.
func (a *Agent) shapeDrop() *staff.DropFolder {
	w := a.dropFolder.Load()
	if w == nil {
		return nil
	}
	return w.Status().Shape()
}
