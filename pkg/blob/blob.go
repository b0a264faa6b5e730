// Package blob keeps whole contents under the SHA-256 of their bytes. Store is the
// contract; package blobtest is the contract as a test suite, and every store must pass it.
// Folder keeps them in a folder of files.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Store keeps contents. A content is there whole or not at all, and it is durable before
// its name may be written anywhere: Stage reads it, Commit stores it, and then a record
// may name it. What no record names is swept. A Store is safe for concurrent use.
//
// A call whose context has ended before it is refused with the context's error.
type Store interface {
	// Stage reads r to its end and sets its content aside. Content of more than limit
	// bytes is Invalid; an error of r is returned wrapped.
	Stage(ctx context.Context, r io.Reader, limit int64) (*Staged, error)
	// Commit stores staged contents, of which some may be the same; when it returns they
	// are durable and may be named. A content that is stored already counts as new for
	// the sweep. What was discarded is passed over.
	Commit(ctx context.Context, staged ...*Staged) error
	// Open opens a stored content. One that is missing is Damaged, and fs.ErrNotExist
	// is among its causes.
	Open(ctx context.Context, sum string) (File, error)
	// List returns the names of all contents, in order.
	List(ctx context.Context) ([]string, error)
	// Sweep removes contents of a part (from 0 to Parts-1) that were last stored before a
	// moment and that are not referenced, and returns how many. One that is stored again
	// meanwhile stays.
	Sweep(ctx context.Context, part int, before time.Time, referenced Referenced) (int, error)
	// Remove removes a content that is not referenced, whatever its age, and reports
	// whether it did. One that does not exist is no error.
	Remove(ctx context.Context, sum string, referenced Referenced) (bool, error)
	// Hold keeps all contents from being swept and removed until release is called, which
	// must be once: for a caller that copies what the records of a moment name.
	Hold(ctx context.Context) (release func(), err error)
}

// Parts is how many parts the contents are swept in: the first byte of a content's SHA-256
// is its part.
const Parts = 256

// Referenced reports whether any record needs a content.
type Referenced func(ctx context.Context, sum string) (bool, error)

// File is a content that is open for reading. The time in what Stat returns is when the
// content was last stored.
type File interface {
	fs.File
	io.ReaderAt
	io.Seeker
}

// Staged is content that was read to its end but is not stored yet.
type Staged struct {
	Digest
	// Content is what the store keeps of it; nil where only the digest was asked for.
	Content StagedContent
}

// StagedContent is what a store keeps of a content that is not stored yet.
type StagedContent interface {
	Open() (File, error)
	// Discard drops it. It may be called twice, and after a commit.
	Discard()
}

// Open opens the staged content for reading.
func (st *Staged) Open() (File, error) {
	if st.Content == nil {
		return nil, fault.New(fault.Internal, "the content was not kept")
	}
	return st.Content.Open()
}

// Discard drops content that will not be stored. It may be called twice, and
// after a commit.
func (st *Staged) Discard() {
	if st.Content != nil {
		st.Content.Discard()
	}
}

// ValidSum reports whether a text is a content's name: a SHA-256 in hexadecimal.
func ValidSum(sum string) bool {
	b, err := hex.DecodeString(sum)
	return err == nil && len(b) == sha256.Size
}

// Missing is the error of a content that is not stored.
func Missing(cause error) error {
	return fault.Wrap(fault.Damaged, cause, "a stored document is missing from the home's blobs folder; restore it from a backup")
}

// InvalidSum is the error of a text that is no content's name.
func InvalidSum() error { return fault.New(fault.Invalid, "that is not a content's name") }
