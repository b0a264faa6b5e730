package backup

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/open"
)

// Missing opens the database of a home that was just restored, at a path relative
// to its root, and returns the documents that it names and that are not there.
func Missing(ctx context.Context, root, database string) (missing []string, err error) {
	path := filepath.Join(root, database)
	if _, err := os.Stat(path); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "the backup holds no database; use another one")
	}
	s, err := open.Store(open.File(path), time.Second)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	err = s.Snapshot(ctx, func(now store.Snapshot) error {
		for _, sum := range now.Blobs {
			_, err := os.Stat(filepath.Join(root, blobsFolder, sum[:2], sum))
			if errors.Is(err, fs.ErrNotExist) {
				missing = append(missing, sum)
			} else if err != nil {
				return err
			}
		}
		return nil
	})
	return missing, err
}
