// Package boltfile is one bbolt file that one process owns, with its transactions, keys
// and records, each with a checksum. Whatever is wrong with the file or the disk comes
// back as an error: bbolt itself panics over damage, and may then hold its locks for
// ever.
//
// Opening checks that the trees of the file are trees. bbolt follows a damaged
// reference that leads back to a page above for ever, until the stack overflows, and
// then nothing can keep the process from ending.
package boltfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

// File is an open file.
type File struct {
	db       *bbolt.DB
	os       *os.File // db's
	unusable atomic.Bool
	readers  readers
	wiping   sync.Mutex
	failure  fsutil.FlushFailure
}

// Open opens or makes a file, for its owner only. It waits at most wait for another
// process to release it; then the error's kind is Locked. The trees of all buckets
// are checked, of those that are named down to the leaves.
func Open(path string, wait time.Duration, whole ...CheckedBucket) (*File, error) {
	f := &File{}
	err := recoverDamage(func() (err error) {
		f.db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout: max(wait, time.Millisecond), FreelistType: bbolt.FreelistMapType, InitialMmapSize: mapSize(),
			OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
				opened, err := os.OpenFile(name, flag, mode)
				f.os = opened
				return opened, err
			},
		})
		return err
	})
	if err != nil {
		if f.os != nil {
			_ = f.os.Close() // its lock goes with it, after a panic too
		}
		return nil, openError(err)
	}
	f.db.AllocSize = growthStep
	// What a killed process wrote and did not flush can be read, and may be gone tomorrow.
	// What is found done must be done.
	if err := f.db.Sync(); err != nil {
		return nil, errors.Join(f.fail(err), f.Close())
	}
	// bbolt leaves an existing file's permissions as they are.
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(diskError(err, "closing the database to others"), f.Close())
	}
	err = f.View(func(tx *bbolt.Tx) error {
		if err := CheckPages(tx, f.os, whole...); err != nil {
			return damagedError(err)
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// A file that outgrows its map must be mapped anew, which waits for the end of
// every reader, and writers wait with it. A large map costs nothing but addresses,
// and lets a backup read for as long as it must.
const (
	maxMapSize = 8 << 30
	growthStep = 1 << 20 // bytes that a file grows by
)

func mapSize() int {
	if runtime.GOOS == "windows" {
		return 0 // there the file would become as long as the map
	}
	return int(min(int64(maxMapSize), math.MaxInt))
}

func openError(err error) error {
	if errors.Is(err, bolterrors.ErrTimeout) {
		return fault.Wrap(fault.Locked, err, "another process holds the database")
	}
	if _, ok := fault.Message(err); ok {
		return err
	}
	if _, ok := errors.AsType[syscall.Errno](err); ok {
		return diskError(err, "opening the database")
	}
	return fault.Wrap(fault.Damaged, err, "the database file is damaged, or is not a database; restore the home from a backup")
}

// Close waits for transactions that are under way and closes the file.
func (f *File) Close() error {
	if f.unusable.Load() {
		return f.os.Close() // what bbolt waits for will never come
	}
	path := f.db.Path()
	if err := f.db.Close(); err != nil {
		return fmt.Errorf("closing the database: %w", err)
	}
	if f.failure.Err() != nil {
		// The system keeps in memory what it could not write: the next who opens the file
		// must see what the disk has.
		dropCached(path)
	}
	return nil
}

// WaitFailure returns why the file is not written any more as soon as that is so, and the error of
// ctx when that ends before.
func (f *File) WaitFailure(ctx context.Context) error { return f.failure.Wait(ctx) }

// fail notes that what was written may lie on the disk or not.
func (f *File) fail(err error) error { return f.failure.Set("the database", f.db.Path(), err) }

// Size is the file's length in bytes.
func (f *File) Size() (size int64) {
	_ = f.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil })
	return size
}

// View runs a function in a read transaction.
func (f *File) View(fn func(*bbolt.Tx) error) error {
	defer f.readers.begin()()
	// What is read after a failure may be what is not on the disk.
	if err := f.failure.Err(); err != nil {
		return err
	}
	return recoverDamage(func() error { return f.db.View(fn) })
}

// CheckAllPages checks the trees of all buckets down to the leaves. bbolt has a check of its own,
// which follows damaged references in a goroutine where nothing can recover it.
func (f *File) CheckAllPages() error {
	return f.View(func(tx *bbolt.Tx) error {
		var all []CheckedBucket
		err := tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
			all = append(all, CheckedBucket{Name: bytes.Clone(name), Visit: func(_, _ []byte) {}})
			return nil
		})
		if err != nil {
			return err
		}
		if err := CheckPages(tx, f.os, all...); err != nil {
			return damagedError(err)
		}
		return nil
	})
}

// Update runs a function in a write transaction, which is durable when Update
// returns. When the file is so damaged that bbolt can neither finish a transaction
// nor undo it, no other can begin. Neither can one after a commit that failed to reach the disk:
// nobody knows whether it is there.
func (f *File) Update(fn func(*bbolt.Tx) error) error {
	if f.unusable.Load() {
		return damagedError(errors.New("an earlier transaction could not be undone"))
	}
	if err := f.failure.Err(); err != nil {
		return err
	}
	var tx *bbolt.Tx
	committing := false
	err := recoverDamage(func() error {
		return f.db.Update(func(t *bbolt.Tx) error {
			tx = t
			err := fn(t)
			committing = err == nil
			return err
		})
	})
	if tx == nil && fault.Is(err, fault.Damaged) || tx != nil && tx.DB() != nil {
		f.unusable.Store(true)
	}
	if _, ok := fault.Message(err); err != nil && !ok {
		if committing && !refusedByDisk(err) {
			return f.fail(err)
		}
		return diskError(err, "writing to the database")
	}
	return err
}

// refusedByDisk reports whether a commit failed since the disk did not take its pages, before
// the one that makes them count: the file is then what it was. A flush that fails for the same
// reason is another matter.
func refusedByDisk(err error) bool {
	if strings.HasPrefix(err.Error(), "file resize error") { // bbolt hides the cause; nothing was written
		return true
	}
	_, writing := errors.AsType[*fs.PathError](err)
	return writing && (errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG))
}

// recoverDamage turns the panics with which bbolt meets a damaged file, and the memory
// fault of a file that was cut off, into an error.
func recoverDamage(fn func() error) (err error) {
	before := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(before)
	defer func() {
		if p := recover(); p != nil {
			err = damagedError(fmt.Errorf("%v", p))
		}
	}()
	return fn()
}

func damagedError(cause error) error {
	return fault.Wrap(fault.Damaged, cause, "the database is damaged; stop here and restore the home from a backup")
}

// asFault gives an error of the disk its kind; nil stays nil.
func asFault(err error, doing string) error {
	if _, ok := fault.Message(err); err == nil || ok {
		return err
	}
	return diskError(err, doing)
}

// diskError tells a full disk and a place that cannot be written from other
// failures.
func diskError(err error, doing string) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fault.Wrap(fault.Full, err, doing+": the disk is full; make room, then run the same command again")
	case errors.Is(err, bolterrors.ErrIncompatibleValue): // a value that is marked as a bucket, or the reverse
		return damagedError(err)
	case errors.Is(err, syscall.EFBIG): // what a damaged length makes bbolt try
		return fault.Wrap(fault.Damaged, err, doing+": the database is damaged, or larger than a file may be here; restore the home from a backup")
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fault.Wrap(fault.Full, err, doing+": it cannot be written; make it writable for this user, or name another home with --home")
	}
	return fmt.Errorf("%s: %w", doing, err)
}
