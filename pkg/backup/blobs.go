package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/blob"
)

// Documents up to small bytes are read ahead, ahead of them at a time, by a few
// goroutines, so that opening and hashing files keeps up with compressing them. A
// larger one is streamed.
const (
	maxReadAhead = 1 << 20
	readAhead    = 32
	maxReaders   = 2
)

// loadedBlob is a document on its way.
type loadedBlob struct {
	body     []byte
	sum      string
	modified time.Time
	file     blob.File // of a large one, which was not read
	size     int64
	err      error
}

// Blobs adds documents; open finds them by name. One that has gone, or cannot be
// read for what it is, counts as damaged and does not end the backup.
func (b *Writer) Blobs(ctx context.Context, names []string, open func(ctx context.Context, sum string) (blob.File, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	var working sync.WaitGroup
	defer working.Wait()
	defer cancel()
	readers := b.readers
	lanes, free := make([]chan *loadedBlob, readers), make([]chan *loadedBlob, readers)
	// Reader i takes every name whose place leaves i, so that order needs no sorting.
	// Each has buffers of its own: one that is ahead must not take the other's, for
	// whose document the writer waits.
	for i := range lanes {
		lanes[i], free[i] = make(chan *loadedBlob, readAhead/readers), make(chan *loadedBlob, readAhead/readers)
		for range readAhead / readers {
			free[i] <- &loadedBlob{}
		}
		working.Go(func() {
			for n := i; n < len(names); n += readers {
				select {
				case l := <-free[i]:
					l.load(ctx, names[n], open)
					lanes[i] <- l
				case <-ctx.Done():
					return
				}
			}
		})
	}
	for n, name := range names {
		var l *loadedBlob
		select {
		case l = <-lanes[n%readers]:
		case <-ctx.Done():
			return ctx.Err()
		}
		err := b.add(name, l)
		free[n%readers] <- l
		if err != nil {
			cancel()
			working.Wait()
			drain(lanes)
			return err
		}
	}
	return nil
}

// drain closes the files that nobody came to read.
func drain(lanes []chan *loadedBlob) {
	for _, lane := range lanes {
		for len(lane) > 0 {
			if l := <-lane; l.file != nil {
				_ = l.file.Close()
			}
		}
	}
}

// load reads a document, or opens it where it is large.
func (l *loadedBlob) load(ctx context.Context, name string, open func(context.Context, string) (blob.File, error)) {
	*l = loadedBlob{body: l.body[:0]}
	f, err := open(ctx, name)
	if err != nil {
		l.err = err
		return
	}
	info, err := f.Stat()
	if err != nil {
		l.err = errors.Join(err, f.Close())
		return
	}
	l.modified, l.size = info.ModTime(), info.Size()
	if l.size > maxReadAhead {
		l.file = f
		return
	}
	if int64(cap(l.body)) < l.size {
		l.body = make([]byte, l.size, maxReadAhead)
	}
	l.body = l.body[:l.size]
	_, err = io.ReadFull(f, l.body)
	l.err = errors.Join(err, f.Close())
	sum := sha256.Sum256(l.body)
	l.sum = hex.EncodeToString(sum[:])
}

// add writes a document that was read or opened.
func (b *Writer) add(name string, l *loadedBlob) error {
	switch {
	case errors.Is(l.err, fs.ErrNotExist):
		b.found.Damaged = append(b.found.Damaged, name)
		return nil
	case l.err != nil:
		return fmt.Errorf("reading the document %s: %w", name, l.err)
	case l.file == nil:
		return b.blob(name, l.sum, l.body, l.modified)
	}
	defer l.file.Close()
	sum, err := b.addEntry(blobPath(name), l.size, l.modified, l.file)
	if err != nil {
		return err
	}
	b.count(name, sum, l.size)
	return nil
}
