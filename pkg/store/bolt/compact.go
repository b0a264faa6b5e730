package bolt

import (
	"errors"
	"os"
	"path/filepath"
)

// Compact closes the store and writes its file anew without the room that was freed
// in it. The file at path is the old one or the new one, whole, whatever happens.
func (s *Store) Compact(path string) error {
	const doing = "compacting the database"
	temp := path + ".compact"
	if err := os.RemoveAll(temp); err != nil {
		return errors.Join(s.file.DiskError(err, doing), s.Close())
	}
	err := s.file.CopyTo(temp)
	if err == nil {
		err = os.Rename(temp, path) // the lock stays with the old file, which nobody else can open any more
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		err = errors.Join(err, os.RemoveAll(temp))
	}
	return errors.Join(s.file.DiskError(err, doing), s.Close())
}
