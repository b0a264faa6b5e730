package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/bulk"
	"github.com/vecctl/vecctl/agent/drop"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
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
	return drop.New(drop.Options{
		Folder: o.Folder, Incoming: a.Home.Incoming(), Verified: a.Home.Verified(), Failed: a.Home.Failed(),
		Settle: o.Settle, Wait: o.Wait, Poll: o.Poll,
		Tell: a.tellDrop, Issuer: dropped{a}, Institution: a.currentID, Now: a.Now, Log: a.Log,
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
func (a *Agent) shapeDrop() *client.DropFolder {
	w := a.dropFolder.Load()
	if w == nil {
		return nil
	}
	return w.Status().Shape()
}

// dropped issues what the drop folder brings.
type dropped struct{ agent *Agent }

// Issue implements drop.Issuer.
func (d dropped) Issue(ctx context.Context, b drop.Batch) (drop.Outcome, error) {
	if err := d.agent.Accepting(); err != nil {
		return drop.Outcome{}, err
	}
	institution, ok := d.agent.seats.ByID(b.Institution)
	if !ok {
		return drop.Outcome{}, fmt.Errorf("a dropped batch is of institution %d, which does not exist", b.Institution)
	}
	report, batch, err := bulk.Issue(ctx, d.agent.bulk(), bulk.Order{
		Institution: institution, Trigger: vault.DropFolder, Progress: b.Progress,
		Dropped: &bulk.Dropped{Begun: b.Begun, Lost: b.Lost},
		Request: client.BulkRequest{Name: b.Name, Manifest: b.Manifest, Files: b.Files, Out: b.Out, Skip: true},
	})
	if errors.Is(err, intake.ErrChanging) {
		err = errors.Join(drop.ErrChanging, err)
	}
	name := filepath.Join(d.agent.verified(b.Institution), batch.Name)
	if rel, ok := strings.CutPrefix(name, d.agent.Home.Verified()+string(filepath.Separator)); ok {
		name = filepath.ToSlash(rel)
	}
	return drop.Outcome{Name: name, Report: report}, err
}

// Issued implements drop.Issuer.
func (d dropped) Issued(ctx context.Context, m *manifest.Manifest) (map[int]bool, error) {
	held, err := bulk.IssuedRows(ctx, d.agent.store, d.agent.Institution().ID, m)
	if err != nil {
		return nil, err
	}
	rows := make(map[int]bool, len(held))
	for row := range held {
		rows[row] = true
	}
	return rows, nil
}
