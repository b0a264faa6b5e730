package transparency_test

import (
	"context"
	"fmt"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/transparency"
)

// published is a log that others read by its tiles.
type published struct {
	stored
	entries [][]byte
}

func (p *published) Hashes(_ context.Context, indexes []int64) ([][32]byte, error) {
	found, err := p.ReadHashes(indexes)
	out := make([][32]byte, len(found))
	for i, h := range found {
		out[i] = h
	}
	return out, err
}

func (p *published) Entries(_ context.Context, from int64, n int) ([][]byte, error) {
	return p.entries[from:min(from+int64(n), int64(len(p.entries)))], nil
}

// ReadTiles implements torchwood.TileReader.
func (p *published) ReadTiles(ctx context.Context, tiles []tlog.Tile) (data [][]byte, err error) {
	for _, t := range tiles {
		b, err := transparency.ReadTile(ctx, torchwood.TilePath(t), int64(len(p.entries)), p)
		if err != nil {
			return nil, err
		}
		data = append(data, b)
	}
	return data, nil
}

func (p *published) SaveTiles([]tlog.Tile, [][]byte) {}

func (p *published) ReadEndpoint(context.Context, string) ([]byte, error) {
	return nil, fault.New(fault.NotFound, "nothing else is published")
}

// Another program reads every entry of logs of many sizes by their tiles, and proves each.
func TestTilesAreReadByOthers(t *testing.T) {
	for _, size := range []int{1, 2, 255, 256, 257, 700, 66_000} {
		p := &published{}
		for i := range size {
			p.entries = append(p.entries, fmt.Appendf(nil, "entry %d", i))
		}
		root := p.grow(t, 0, p.entries...).Root
		c, err := torchwood.NewClient(p)
		if err != nil {
			t.Fatal(err)
		}
		tree, n := tlog.Tree{N: int64(size), Hash: root}, 0
		for i, e := range c.AllEntries(t.Context(), tree, 0) {
			if string(e) != string(p.entries[i]) {
				t.Fatalf("entry %d of %d is %q", i, size, e)
			}
			n++
		}
		if c.Err() != nil || n != size {
			t.Errorf("%d of %d entries were read: %v", n, size, c.Err())
		}
		if _, _, err := c.Entry(t.Context(), tree, int64(size/2)); err != nil {
			t.Errorf("an entry of %d: %v", size, err)
		}
	}
}

func TestTilesThatAreNotThere(t *testing.T) {
	p := &published{}
	for i := range 300 {
		p.entries = append(p.entries, []byte{byte(i)})
	}
	p.grow(t, 0, p.entries...)
	for _, path := range []string{"", "tile", "tile/0", "tile/0/1", "tile/0/002", "tile/0/001", "tile/0/001.p/45", "tile/1/000", "tile/1/000.p/2", "tile/entries/001",
		"tile/9/000", "tile/0/-01", "tile/0/x999/999", "tile/63/x123/x456/x789/x123/x456/789.p/255", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/../000"} {
		if b, err := transparency.ReadTile(t.Context(), path, 300, p); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q has %d bytes, error %v", path, len(b), err)
		}
	}
	for _, path := range []string{"tile/0/000", "tile/0/001.p/44", "tile/0/001.p/3", "tile/1/000.p/1", "tile/entries/001.p/44"} {
		if _, err := transparency.ReadTile(t.Context(), path, 300, p); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
}
