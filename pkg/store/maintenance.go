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
	// Verify reads everything, and tells of each record and each entry of an index that is not
	// what was written. It returns how many records were read. What is so damaged that the rest
	// cannot be read is an error of kind Damaged. Writers go on meanwhile.
	Verify(ctx context.Context, found Inspector) (records int, err error)
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

// Inspector is told what Verify finds.
type Inspector interface {
	// Damaged is told of what is not what was written.
	Damaged(d Damage)
	// Needs is told of each content that a sound record needs, by its SHA-256 in hexadecimal,
	// with the UUID of the certificate or upload.
	Needs(sum, uuid string)
}

// Damage is something in a store that is not what was written.
type Damage struct {
	Kind    string // of the record, as the store calls it: "certificates"
	Key     string // of the record, in hexadecimal
	UUID    string // of the certificate that it is of, where that is known
	Message string
}
