package bolt

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// keepBefore copies the file of an older schema beside itself before it is
// upgraded. The upgrade is one transaction, so this is for those who want to go
// back. A copy that is there already is of an upgrade that was interrupted, or of
// one that somebody went back from: this one takes its place.
func (s *Store) keepBefore(path string, found uint64) error {
	name := fmt.Sprintf("%s.schema-%d", path, found)
	temp := name + ".part"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return s.file.DiskError(err, "keeping the database as it was before the upgrade")
	}
	err = s.file.View(func(tx *bbolt.Tx) error {
		const buffer = 1 << 20
		out := bufio.NewWriterSize(f, buffer)
		_, err := tx.WriteTo(out)
		return errors.Join(err, out.Flush())
	})
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(temp, name)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(name))
	}
	if err != nil {
		err = errors.Join(err, os.Remove(temp))
	}
	return s.file.DiskError(err, "keeping the database as it was before the upgrade")
}

// syncFolder makes names in a folder durable, where a folder can be flushed.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	_ = f.Sync() // not every system has that
	return f.Close()
}
