package backup

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/vecctl/vecctl/pkg/backup"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/store/open"
)

// Restore puts a backup in the place of a home that does not exist yet, with the action of
// its context in the audit trail. Missing counts documents that were damaged or missing
// already when the backup was made. The database is the home's, at its root.
func Restore(ctx context.Context, s backup.Chain, root, database string) (found backup.Contents, missing int, err error) {
	database = filepath.Base(database)
	found, err = s.Restore(ctx, root, func(staged string) error {
		gone, err := Missing(ctx, staged, database)
		missing = len(gone)
		if err == nil {
			err = recordRestore(ctx, filepath.Join(staged, database))
		}
		if fault.Is(err, fault.Illegal) {
			return err // a newer program's; its words are clear
		}
		return fault.At("the database in the backup", fsutil.DiskError(err, "looking at it"))
	})
	return found, missing + len(found.Damaged), err
}

// recordRestore writes the audit entry of a context's action to a database that no other
// process holds.
func recordRestore(ctx context.Context, path string) error {
	s, err := open.Store(open.File(path), time.Second)
	if err != nil {
		return err
	}
	return errors.Join(s.RecordAction(ctx), s.Close())
}
