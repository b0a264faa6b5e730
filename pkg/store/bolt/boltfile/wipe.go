package boltfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// readers counts the read transactions that are open, by the generation in which they
// began, so that the end of those that began before a moment can be waited for.
type readers struct {
	mu         sync.Mutex
	generation uint64
	open       map[uint64]int
	changed    chan struct{} // closed when a transaction ends; nil where nobody waits
}

// begin notes that a read transaction begins; the caller calls the function at its end.
func (r *readers) begin() (end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	generation := r.generation
	if r.open == nil {
		r.open = map[uint64]int{}
	}
	r.open[generation]++
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.open[generation]--; r.open[generation] == 0 {
			delete(r.open, generation)
		}
		if r.changed != nil {
			close(r.changed)
			r.changed = nil
		}
	}
}

// waitForEarlier waits until all read transactions have ended that have begun by now.
func (r *readers) waitForEarlier(ctx context.Context) error {
	r.mu.Lock()
	r.generation++
	now := r.generation
	r.mu.Unlock()
	for {
		changed := r.earlierThan(now)
		if changed == nil {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// earlierThan returns a channel that is closed when a transaction ends; nil when none is
// open that began before a generation.
func (r *readers) earlierThan(generation uint64) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	for g := range r.open {
		if g >= generation {
			continue
		}
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		return r.changed
	}
	return nil
}

// wipeBucket holds zeros while free pages are overwritten.
var wipeBucket = []byte("wipe")

// wipeGroup is how many pages are overwritten in one transaction, so that other writers
// wait for a moment only.
const wipeGroup = 2048

// WipeFree overwrites the pages that are free, so that the file holds nothing any more of
// what was deleted from it before the call. It waits for the read transactions that began
// before, since they may still need such pages, and lets others go on. Interrupted, it
// leaves a file that is whole; it is to be called again then.
//
// Pages are overwritten by being used: a bucket of zeros takes all that are free, and is
// deleted. So a crash at any moment is one of a usual transaction.
func (f *File) WipeFree(ctx context.Context) error {
	f.wiping.Lock()
	defer f.wiping.Unlock()
	if err := f.dropWipeBucket(); err != nil {
		return err
	}
	// What the last transaction freed can be used when another one has ended, and no
	// reader is left that is older.
	if err := f.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket(wipeBucket); return err }); err != nil {
		return err
	}
	if err := f.readers.waitForEarlier(ctx); err != nil {
		return errors.Join(err, f.dropWipeBucket())
	}
	stats := f.db.Stats()
	pages := stats.FreePageN + stats.PendingPageN
	pages += pages/50 + wipeMargin
	for number := 0; pages > 0; {
		group := min(pages, wipeGroup)
		err := ctx.Err()
		if err == nil {
			err = f.Update(func(tx *bbolt.Tx) error { return fillPages(tx, &number, group) })
		}
		if err != nil {
			return errors.Join(err, f.dropWipeBucket())
		}
		pages -= group
	}
	return f.dropWipeBucket()
}

// wipeMargin is how many pages more are taken than are free: transactions of others may
// free some meanwhile.
const wipeMargin = 16

// fillPages writes as many pages of zeros as said. Two values fill a page: bbolt splits no
// node of fewer.
func fillPages(tx *bbolt.Tx, number *int, pages int) error {
	b := tx.Bucket(wipeBucket)
	b.FillPercent = 1
	const perPage, keySize = 2, 8
	zeros := make([]byte, (tx.DB().Info().PageSize-pageHeaderSize)/perPage-elementSize-keySize)
	for range perPage * pages {
		*number++
		if err := b.Put(binary.BigEndian.AppendUint64(nil, uint64(*number)), zeros); err != nil {
			return err
		}
	}
	return nil
}

// dropWipeBucket removes the zeros, also those of an earlier run that was interrupted.
func (f *File) dropWipeBucket() error {
	return f.Update(func(tx *bbolt.Tx) error {
		err := tx.DeleteBucket(wipeBucket)
		if errors.Is(err, bolterrors.ErrBucketNotFound) {
			return nil
		}
		return err
	})
}

// LivePages returns what writes a transaction's file with zeros in place of the pages that
// no tree has, so that nothing of what was deleted is in the copy.
func (f *File) LivePages(tx *bbolt.Tx) (io.WriterTo, error) {
	c := &pageChecker{file: f.os, size: tx.DB().Info().PageSize, seen: make([]bool, tx.Size()/int64(tx.DB().Info().PageSize))}
	roots := []uint64{uint64(tx.Cursor().Bucket().Root())}
	err := tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
		if b.Root() != 0 {
			roots = append(roots, uint64(b.Root()))
		}
		return nil
	})
	for _, root := range roots {
		if err == nil {
			err = c.checkTree(root)
		}
	}
	if err != nil {
		return nil, damagedError(err)
	}
	list, err := freelistPage(tx, f.os)
	if err != nil {
		return nil, err
	}
	for number := range uint64(metaPages) {
		c.seen[number] = true
	}
	if list < uint64(len(c.seen)) {
		c.seen[list] = true
	}
	return livePages{tx, c.seen, c.size}, nil
}

// freelistPage is the number of the page with the list of free pages.
func freelistPage(tx *bbolt.Tx, file *os.File) (uint64, error) {
	size := tx.DB().Info().PageSize
	meta := make([]byte, size)
	if _, err := file.ReadAt(meta, int64(tx.ID()%metaPages)*int64(size)); err != nil {
		return 0, fmt.Errorf("reading the meta page: %w", err)
	}
	return binary.NativeEndian.Uint64(meta[metaFreelist:]), nil
}

// livePages writes a transaction's file, without what no tree has.
type livePages struct {
	tx   *bbolt.Tx
	live []bool // first pages of nodes, by number
	size int
}

// WriteTo implements io.WriterTo.
func (l livePages) WriteTo(w io.Writer) (int64, error) {
	filter := &pageFilter{to: w, live: l.live, zeros: make([]byte, l.size), page: make([]byte, 0, l.size)}
	n, err := l.tx.WriteTo(filter)
	if err == nil && len(filter.page) > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// pageFilter passes on the pages that live, and zeros for the others.
type pageFilter struct {
	to       io.Writer
	live     []bool
	zeros    []byte
	page     []byte // the part of a page that has come
	number   uint64
	overflow uint32 // pages that still belong to a node
}

// Write implements io.Writer.
func (f *pageFilter) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n := min(len(p), len(f.zeros)-len(f.page))
		if len(f.page) == 0 && n == len(f.zeros) { // a whole page, which need not be gathered
			if err := f.pass(p[:n]); err != nil {
				return written, err
			}
		} else if f.page = append(f.page, p[:n]...); len(f.page) == len(f.zeros) {
			if err := f.pass(f.page); err != nil {
				return written, err
			}
			f.page = f.page[:0]
		}
		p, written = p[n:], written+n
	}
	return written, nil
}

// pass writes one page or zeros.
func (f *pageFilter) pass(page []byte) error {
	const overflowAt = 12 // in the header of a page
	switch {
	case f.overflow > 0:
		f.overflow--
	case f.number < uint64(len(f.live)) && f.live[f.number]:
		if f.number >= metaPages {
			f.overflow = binary.NativeEndian.Uint32(page[overflowAt:])
		}
	default:
		page = f.zeros
	}
	f.number++
	_, err := io.Copy(f.to, bytes.NewReader(page))
	return err
}
