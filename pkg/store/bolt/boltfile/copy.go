package boltfile

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// Compact closes the file and writes it anew without the room that was freed in it.
// The file is the old one or the new one, whole, whatever happens.
func (f *File) Compact() error {
	const doing = "compacting the database"
	path := f.db.Path()
	temp := path + ".compact"
	if err := os.RemoveAll(temp); err != nil {
		return errors.Join(diskError(err, doing), f.Close())
	}
	err := f.compactTo(temp)
	if err == nil {
		err = os.Rename(temp, path) // the lock stays with the old file, which nobody else can open any more
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		err = errors.Join(err, os.RemoveAll(temp))
	}
	return errors.Join(asFault(err, doing), f.Close())
}

// compactTo writes what the file holds, without the room that was freed in it, into
// a new file, durably.
func (f *File) compactTo(path string) error {
	return recoverDamage(func() error {
		to, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
		if err != nil {
			return err
		}
		const group = 4 << 20 // bytes in one transaction
		return errors.Join(bbolt.Compact(to, f.db, group), to.Sync(), to.Close())
	})
}

// Copy writes the file as it is into another, durably, whole or not at all. What is
// being done is for the error.
func (f *File) Copy(path, doing string) error {
	temp := path + ".part"
	to, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return diskError(err, doing)
	}
	err = f.View(func(tx *bbolt.Tx) error {
		const buffer = 1 << 20
		out := bufio.NewWriterSize(to, buffer)
		_, err := tx.WriteTo(out)
		return errors.Join(err, out.Flush())
	})
	if err = errors.Join(err, to.Sync(), to.Close()); err == nil {
		err = os.Rename(temp, path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		err = errors.Join(err, os.Remove(temp))
	}
	return asFault(err, doing)
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
