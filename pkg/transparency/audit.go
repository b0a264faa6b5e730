package transparency

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Finding is what an audit finds of a log.
type Finding string

// The findings.
const (
	Consistent Finding = "consistent" // everything published agrees, and continues what was seen before
	Forked     Finding = "forked"     // it has another history than the one that was seen before
	Shrunk     Finding = "shrunk"     // it is smaller than it was
	Damaged    Finding = "damaged"    // its entries and tiles do not give what its checkpoint states
	OtherKey   Finding = "other_key"  // its checkpoint is not signed by its key
	Removed    Finding = "removed"    // it was published here, and is no longer
)

// Audit is the outcome of an audit of one log.
type Audit struct {
	Finding    Finding
	Reason     string // a sentence; empty where the log is consistent
	Checkpoint Checkpoint
	Signed     []byte // the checkpoint as published
}

// AuditLog reads a whole log again: every entry and every tile of it, which must give the root
// of its checkpoint. The prefix is the log's folder in the publication. The log must continue the
// checkpoint that was seen before, if there is one. An error says that the audit could not be made.
func AuditLog(ctx context.Context, p Publication, prefix, public string, seen []byte) (Audit, error) {
	var before Checkpoint
	if len(seen) > 0 {
		var err error
		if before, err = OpenCheckpoint(seen, public); err != nil {
			return Audit{Finding: OtherKey, Reason: "the checkpoint that was seen before is signed by another key"}, nil //nolint:nilerr // it is a finding
		}
	}
	signed, err := p.ReadFile(ctx, prefix+"checkpoint")
	if fault.Is(err, fault.NotFound) {
		return Audit{Finding: Removed, Reason: "its checkpoint is not published"}, nil
	}
	if err != nil {
		return Audit{}, err
	}
	a := Audit{Signed: signed}
	if a.Checkpoint, err = OpenCheckpoint(signed, public); err != nil {
		a.Finding, a.Reason = OtherKey, "its checkpoint is not signed by its key" //nolint:nilerr // it is a finding
		return a, nil
	}
	if a.Checkpoint.Size < before.Size {
		a.Finding, a.Reason = Shrunk, fmt.Sprintf("it has %d entries, and had %d before", a.Checkpoint.Size, before.Size)
		return a, nil
	}
	r := replay{publication: p, prefix: prefix}
	switch err := r.readAll(ctx, a.Checkpoint.Size); {
	case fault.Is(err, fault.Damaged), fault.Is(err, fault.NotFound):
		a.Finding = Damaged
		a.Reason, _ = fault.Message(err)
		return a, nil
	case err != nil:
		return Audit{}, err
	}
	return a, r.compare(ctx, &a, before)
}

// replay is a log that is read again.
type replay struct {
	publication Publication
	prefix      string
	entries     int64
	hashes      []Hash // stored hashes, by index
}

// ReadHashes implements HashReader.
func (r *replay) ReadHashes(indexes []int64) ([]Hash, error) {
	out := make([]Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(r.hashes)) {
			return nil, fmt.Errorf("hash %d is not in the log", index)
		}
		out[i] = r.hashes[index]
	}
	return out, nil
}

// Hashes implements Source.
func (r *replay) Hashes(_ context.Context, indexes []int64) ([][32]byte, error) {
	found, err := r.ReadHashes(indexes)
	out := make([][32]byte, len(found))
	for i, h := range found {
		out[i] = h
	}
	return out, err
}

// errNoEntries is the error for entries that are read from hashes.
var errNoEntries = errors.New("the entries are not kept")

// Entries implements Source.
func (r *replay) Entries(context.Context, int64, int) ([][]byte, error) { return nil, errNoEntries }

// compare judges what was read.
func (r *replay) compare(ctx context.Context, a *Audit, before Checkpoint) error {
	root, err := tlog.TreeHash(a.Checkpoint.Size, r)
	if err != nil {
		return fmt.Errorf("hash the log: %w", err)
	}
	if root != a.Checkpoint.Root {
		a.Finding, a.Reason = Damaged, "its entries do not give the root of its checkpoint: an entry was changed, removed or added"
		return nil
	}
	if root, err = tlog.TreeHash(before.Size, r); err != nil {
		return fmt.Errorf("hash the log: %w", err)
	}
	if before.Size > 0 && root != before.Root {
		a.Finding, a.Reason = Forked, fmt.Sprintf("its first %d entries are not those that it had before", before.Size)
		return nil
	}
	switch err := r.compareTiles(ctx, a.Checkpoint.Size); {
	case fault.Is(err, fault.Damaged), fault.Is(err, fault.NotFound):
		a.Finding = Damaged
		a.Reason, _ = fault.Message(err)
	case err != nil:
		return err
	default:
		a.Finding = Consistent
	}
	return nil
}

// readAll reads the entries of a log of a size.
func (r *replay) readAll(ctx context.Context, size int64) error {
	for t := range tilesOf(size, -1) {
		path := torchwood.TilePath(t)
		bundle, err := r.publication.ReadFile(ctx, r.prefix+path)
		if err != nil {
			return err
		}
		for range t.W {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return fault.Newf(fault.Damaged, "%s ends too early", path)
			}
			n := 2 + int(binary.BigEndian.Uint16(bundle))
			added, err := tlog.StoredHashes(r.entries, bundle[2:n], r)
			if err != nil {
				return fmt.Errorf("hash the log: %w", err)
			}
			r.hashes, r.entries, bundle = append(r.hashes, added...), r.entries+1, bundle[n:]
		}
		if len(bundle) > 0 {
			return fault.Newf(fault.Damaged, "%s has more entries than it should", path)
		}
	}
	return nil
}

// compareTiles compares the published tiles with the entries.
func (r *replay) compareTiles(ctx context.Context, size int64) error {
	for t := range AllTiles(size) {
		if t.L < 0 {
			continue
		}
		path := torchwood.TilePath(t)
		want, err := ReadTile(ctx, path, size, r)
		if err != nil {
			return err
		}
		published, err := r.publication.ReadFile(ctx, r.prefix+path)
		if err != nil {
			return err
		}
		if !bytes.Equal(published, want) {
			return fault.Newf(fault.Damaged, "%s does not agree with the entries", path)
		}
	}
	return nil
}

// AllTiles lists the bundles of entries and the tiles of a log of a size, which are the files
// that it is published in.
func AllTiles(size int64) iter.Seq[tlog.Tile] {
	return func(yield func(tlog.Tile) bool) {
		for level := -1; level < 1 || size>>(torchwood.TileHeight*level) > 0; level++ {
			for t := range tilesOf(size, level) {
				if !yield(t) {
					return
				}
			}
		}
	}
}

// tilesOf lists the tiles of a level; those of level -1 are the bundles of entries.
func tilesOf(size int64, level int) iter.Seq[tlog.Tile] {
	return func(yield func(tlog.Tile) bool) {
		whole := size >> (torchwood.TileHeight * max(level, 0))
		for n := int64(0); n < (whole+torchwood.TileWidth-1)>>torchwood.TileHeight; n++ {
			width := min(whole-n<<torchwood.TileHeight, torchwood.TileWidth)
			if !yield(tlog.Tile{H: torchwood.TileHeight, L: level, N: n, W: int(width)}) {
				return
			}
		}
	}
}

// OriginOf is the name in a log's public key.
func OriginOf(public string) (string, error) {
	v, err := note.NewVerifier(public)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the log's public key cannot be read")
	}
	return v.Name(), nil
}
