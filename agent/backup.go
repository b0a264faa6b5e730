package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strconv"
	"time"

	files "github.com/vecctl/vecctl/agent/backup"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/backup"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt"
)

func (a *Agent) backups() *files.Maker {
	return &files.Maker{Home: a.kept, HomeID: a.homeID, Institution: func() string { return a.Institution().Name },
		Version: a.Build.Version, Now: a.Now, Random: a.Random, Log: a.Log}
}

// kept is the home as a backup sees it.
func (a *Agent) kept() files.Home {
	d := a.Home
	rel := func(path string) string {
		inside, err := filepath.Rel(string(d), path)
		if err != nil {
			return path
		}
		return filepath.ToSlash(inside)
	}
	return files.Home{
		Root: string(d), Store: a.store, Blobs: a.blobs, Database: rel(d.Database()), Outcomes: rel(d.Verified()),
		Arriving: []string{rel(d.Drop()), rel(d.Incoming())}, Omitted: d.Passing(),
	}
}

// homeID tells homes apart; it stays the same when a home is moved or restored.
func (a *Agent) homeID() string {
	first, _ := a.seats.ByID(1)
	sum := sha256.Sum256([]byte(strconv.FormatInt(first.CreatedAt.UnixNano(), 10)))
	const length = 4
	return hex.EncodeToString(sum[:length])
}

// Compact gives the room that is free inside a home's database back to the disk, and
// writes the act of its context down. An agent that holds the home keeps it from
// that: fault.Locked.
func Compact(ctx context.Context, d home.Dir, wait time.Duration) error {
	s, err := bolt.Open(d.Database(), wait)
	if fault.Is(err, fault.Locked) {
		return d.Locked(err)
	}
	if err != nil {
		return err
	}
	if err := s.NoteAct(ctx); err != nil {
		return errors.Join(err, s.Close())
	}
	return s.Compact(d.Database())
}

// Restore puts a backup in the place of a home that is not there yet, with the act of
// its context in the audit trail. Missing
// counts documents that were damaged or missing already when the backup was made.
func Restore(ctx context.Context, s backup.Set, d home.Dir) (found backup.Contents, missing int, err error) {
	found, err = s.Restore(ctx, string(d), func(staged string) error {
		gone, err := files.Missing(ctx, staged, filepath.Base(d.Database()))
		missing = len(gone)
		if err == nil {
			err = noteIn(ctx, filepath.Join(staged, filepath.Base(d.Database())))
		}
		if fault.Is(err, fault.Illegal) {
			return err // a newer program's; its words are clear
		}
		return fault.At("the database in the backup", blob.DiskError(err, "looking at it"))
	})
	return found, missing + len(found.Damaged), err
}

// noteIn writes the act of a context down in a database that nobody else holds.
func noteIn(ctx context.Context, path string) error {
	s, err := bolt.Open(path, time.Second)
	if err != nil {
		return err
	}
	return errors.Join(s.NoteAct(ctx), s.Close())
}
