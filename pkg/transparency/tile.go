package transparency

import (
	"context"
	"encoding/binary"
	"fmt"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Source is a log whose tiles are read.
type Source interface {
	// Hashes returns stored hashes by their index.
	Hashes(ctx context.Context, indexes []int64) ([][32]byte, error)
	// Entries returns n entries from an index on.
	Entries(ctx context.Context, from int64, n int) ([][]byte, error)
}

// errNoTile is the error for a tile that a log of this size does not have.
func errNoTile(path string) error {
	return fault.Newf(fault.NotFound, "the log has no tile %q", path)
}

// ReadTile returns the tile at a path such as "tile/0/x001/234", or the bundle of entries at
// "tile/entries/000.p/7", of a log of a size (c2sp.org/tlog-tiles). A tile that the log does
// not have is NotFound.
func ReadTile(ctx context.Context, path string, size int64, s Source) ([]byte, error) {
	t, err := torchwood.ParseTilePath(path)
	if err != nil {
		return nil, errNoTile(path)
	}
	// How many whole subtrees the log has at the tile's lowest level, and how many of them
	// the tile takes.
	whole := size
	for range max(t.L, 0) {
		whole >>= torchwood.TileHeight
	}
	if t.N > whole>>torchwood.TileHeight || t.N<<torchwood.TileHeight+int64(t.W) > whole {
		return nil, errNoTile(path)
	}
	if t.L < 0 {
		return readEntries(ctx, t, s)
	}
	data, err := tlog.ReadTileData(t, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found, err := s.Hashes(ctx, indexes)
		hashes := make([]tlog.Hash, len(found))
		for i, h := range found {
			hashes[i] = h
		}
		return hashes, err
	}))
	if err != nil {
		return nil, fmt.Errorf("read a tile of the log: %w", err)
	}
	return data, nil
}

// readEntries reads a bundle of entries, each behind its length in two bytes.
func readEntries(ctx context.Context, t tlog.Tile, s Source) ([]byte, error) {
	entries, err := s.Entries(ctx, t.N<<torchwood.TileHeight, t.W)
	if err != nil {
		return nil, err
	}
	if len(entries) != t.W {
		return nil, fault.New(fault.Damaged, "entries of the log are missing; restore the home from a backup")
	}
	var bundle []byte
	for _, e := range entries {
		bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(e)))
		bundle = append(bundle, e...)
	}
	return bundle, nil
}
