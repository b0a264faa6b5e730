package agent

import (
	"errors"
	"os"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/dropfolder"
	"github.com/vecctl/vecctl/agent/health"
)

// newDropWatcher prepares the watch over the drop folder, which is made where it is
// missing.
func (a *Agent) newDropWatcher() (*dropfolder.Watcher, error) {
	o := a.config.Drop
	if err := a.Home.CheckDrop(o.Folder); err != nil {
		return nil, err
	}
	// Only the last part is made: a share that is not mounted is not to be
	// replaced by a folder on this disk.
	if err := os.Mkdir(o.Folder, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		a.Log.Warn("the drop folder cannot be created", "folder", o.Folder, "error", err)
	}
	return dropfolder.New(dropfolder.Options{
		Folder: o.Folder, Incoming: a.Home.Incoming(), Results: a.Home.Verified(), Failed: a.Home.Failed(),
		Settle: o.Settle, Wait: o.Wait, Poll: o.Poll,
		Answers: dropAnswers(o), OnTrouble: a.reportDropTrouble, Issuer: a.batches, Now: a.Now, Log: a.Log,
	}), nil
}

// dropAnswers are the settings about every dropped manifest.
func dropAnswers(o config.Drop) dropfolder.Answers {
	a := dropfolder.Answers{DateFormat: o.DateFormat, Delimiter: o.Delimiter, Encoding: o.Encoding, Map: o.Map, Sheet: o.Sheet,
		Hidden: o.Hidden, Names: o.Names, Template: o.Template}
	if o.Strict {
		a.Strict = &o.Strict
	}
	return a
}

const dropProblem = "drop"

// reportDropTrouble puts trouble with the drop folder where every face shows it.
func (a *Agent) reportDropTrouble(trouble string) {
	if trouble == "" {
		a.health.Clear(dropProblem)
		return
	}
	a.health.Raise(health.Problem{Name: dropProblem, Message: trouble})
}
