package store

import (
	"context"
	"io"
)

// Maintenance are the operations on the store as a whole.
type Maintenance interface {
	// Size returns how many bytes the store takes; 0 where that is not known.
	Size() int64
	// Snapshot runs a function with the store as it is now. Writers go on meanwhile. A
	// store that is not a file of the home is Illegal; its message names the means by
	// which such a store is backed up.
	Snapshot(ctx context.Context, fn func(Snapshot) error) error
	// Compact returns the room that is free inside the store to the disk, and closes the
	// store, whatever it returns. When the process dies meanwhile the store is as it
	// was before or as it is after.
	Compact() error
	// Wipe overwrites the room that is free inside the store, so that what was deleted
	// before the call is nowhere in it. It waits for readers that began before; others and
	// writers go on. Interrupted, it is to be called again.
	Wipe(ctx context.Context) error
	// WaitFailure waits until ctx ends. When the store finds that what it wrote may or may not
	// be durable, it writes nothing more, every later call fails, and WaitFailure returns the
	// reason, of kind Damaged: another process must read anew what is there.
	WaitFailure(ctx context.Context) error
	// Close waits for transactions that are under way and closes the store.
	Close() error
}

// Snapshot is a store as it was at one moment. It is valid until the function that got it
// returns.
type Snapshot struct {
	// WriterTo writes the store as one file, Size bytes long, which can be opened as a
	// store. What was deleted before is nowhere in it.
	io.WriterTo
	Size int64
	// Blobs are the SHA-256 of all contents that certificates, uploads and unconfirmed
	// applications need, in hexadecimal, sorted, each once.
	Blobs []string
}
