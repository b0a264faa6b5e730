package transparency

import (
	"context"
	"fmt"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/vecctl/vecctl/pkg/fault"
)

// PublishedLog is a log in a publication. All that is read of it leads to its checkpoint.
type PublishedLog struct {
	Checkpoint Checkpoint
	Signed     []byte // the checkpoint as published
	Key        string // public

	tree   tlog.Tree
	client *torchwood.Client
	tiles  tileFiles
}

// OpenPublishedLog opens the log with a public key; NotFound where the publication does not have
// it, Invalid where its checkpoint is not signed by that key.
func OpenPublishedLog(ctx context.Context, p Publication, public string) (*PublishedLog, error) {
	prefix := LogPrefix(public)
	signed, err := p.ReadFile(ctx, prefix+"checkpoint")
	if err != nil {
		return nil, err
	}
	l := &PublishedLog{Signed: signed, Key: public, tiles: tileFiles{p, prefix}}
	if l.Checkpoint, err = OpenCheckpoint(signed, public); err != nil {
		return nil, err
	}
	l.tree = tlog.Tree{N: l.Checkpoint.Size, Hash: l.Checkpoint.Root}
	if l.client, err = torchwood.NewClient(l.tiles); err != nil {
		return nil, fmt.Errorf("read a published log: %w", err)
	}
	return l, nil
}

// Entry returns an entry that is proven to be in the log.
func (l *PublishedLog) Entry(ctx context.Context, index int64) ([]byte, error) {
	if index < 0 || index >= l.tree.N {
		return nil, fault.Newf(fault.Damaged, "the log has no entry %d", index)
	}
	entry, _, err := l.client.Entry(ctx, l.tree, index)
	if err != nil {
		return nil, fault.Wrap(fault.Damaged, err, fmt.Sprintf("entry %d of the published log does not lead to its checkpoint", index))
	}
	return entry, nil
}

// Continues checks that the log has the same entries as a tree that it was before, or that it is
// the same: Conflict where it does not.
func (l *PublishedLog) Continues(ctx context.Context, before Checkpoint) error {
	switch {
	case before.Origin != l.Checkpoint.Origin:
		return fault.New(fault.Conflict, "it is another log")
	case before.Size > l.tree.N:
		return fault.Newf(fault.Conflict, "it has %d entries, and had %d before", l.tree.N, before.Size)
	case before.Size == 0:
		return nil
	}
	root, err := tlog.TreeHash(before.Size, torchwood.TileHashReaderWithContext(ctx, l.tree, l.tiles))
	if err != nil {
		return fault.Wrap(fault.Damaged, err, "the tiles of the published log do not lead to its checkpoint")
	}
	if root != before.Root {
		return fault.Newf(fault.Conflict, "its first %d entries are others than before", before.Size)
	}
	return nil
}

// tileFiles reads tiles of a publication.
type tileFiles struct {
	publication Publication
	prefix      string
}

var _ torchwood.TileReader = tileFiles{}

// ReadTiles implements torchwood.TileReader.
func (f tileFiles) ReadTiles(ctx context.Context, tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, t := range tiles {
		var err error
		if data[i], err = f.ReadEndpoint(ctx, torchwood.TilePath(t)); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// SaveTiles implements torchwood.TileReader.
func (tileFiles) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadEndpoint implements torchwood.TileReader.
func (f tileFiles) ReadEndpoint(ctx context.Context, path string) ([]byte, error) {
	return f.publication.ReadFile(ctx, f.prefix+path)
}
