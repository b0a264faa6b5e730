package agent

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/vecctl/vecctl/agent/backup"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/open"
)

func (a *Agent) backupMaker() *backup.Maker {
	return &backup.Maker{Home: a.backupHome, HomeID: a.institutions.HomeID, Institution: func() string { return a.Institution().Name },
		Version: a.Build.Version, Now: a.Now, Random: a.Random, Log: a.Log}
}

// backupHome is the home as a backup sees it.
func (a *Agent) backupHome() backup.Home {
	d := a.Home
	rel := func(path string) string {
		inside, err := filepath.Rel(string(d), path)
		if err != nil {
			return path
		}
		return filepath.ToSlash(inside)
	}
	h := backup.Home{
		Root: string(d), Store: a.store, Blobs: a.blobs, Database: rel(d.Database()), Outcomes: rel(d.Verified()),
		Incoming: []string{rel(d.Drop()), rel(d.Incoming())}, Omitted: d.TransientFiles(),
	}
	if a.dropFolder.Load() != nil { // an agent, not a command
		h.CallersWaited = a.uploads.Waited
	}
	return h
}

// Compact returns the room that is free inside a home's database to the disk, and
// records the action of its context. While an agent holds the home it is refused:
// fault.Locked.
func Compact(ctx context.Context, d home.Dir, wait time.Duration) error {
	s, err := open.Store(open.File(d.Database()), wait)
	if fault.Is(err, fault.Locked) {
		return d.LockedError(err)
	}
	if err != nil {
		return err
	}
	if err := s.RecordAction(ctx); err != nil {
		return errors.Join(err, s.Close())
	}
	return s.Compact()
}
