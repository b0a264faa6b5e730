package transparency

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is the hash of a node of the tree (RFC 6962, 2.1).
type Hash = tlog.Hash

// HashReader reads stored hashes by their index (StoredHashIndex of package tlog).
type HashReader = tlog.HashReader

// Growth is a tree with entries that are not stored yet.
type Growth struct {
	Size   int64 // of the tree with the new entries
	Root   Hash
	first  int64  // the index of the first new hash
	hashes []Hash // to be stored from first on
	stored HashReader
}

// Grow appends entries to a tree of a size whose hashes a reader has.
func Grow(size int64, entries [][]byte, stored HashReader) (*Growth, error) {
	g := &Growth{Size: size, first: tlog.StoredHashIndex(0, size), stored: newCache(stored)}
	if size == 0 {
		g.first = 0
	}
	for _, e := range entries {
		added, err := tlog.StoredHashes(g.Size, e, g)
		if err != nil {
			return nil, fmt.Errorf("append to the log: %w", err)
		}
		g.hashes = append(g.hashes, added...)
		g.Size++
	}
	var err error
	if g.Root, err = tlog.TreeHash(g.Size, g); err != nil {
		return nil, fmt.Errorf("hash the log: %w", err)
	}
	return g, nil
}

// New returns the hashes to be stored and the index of the first.
func (g *Growth) New() (first int64, hashes []Hash) { return g.first, g.hashes }

// ReadHashes implements HashReader over the stored and the new hashes.
func (g *Growth) ReadHashes(indexes []int64) ([]Hash, error) {
	out := make([]Hash, len(indexes))
	var missing, at []int64
	for i, index := range indexes {
		if n := index - g.first; n >= 0 {
			if n >= int64(len(g.hashes)) {
				return nil, fmt.Errorf("hash %d is not in the log", index)
			}
			out[i] = g.hashes[n]
			continue
		}
		missing, at = append(missing, index), append(at, int64(i))
	}
	if len(missing) == 0 {
		return out, nil
	}
	found, err := g.stored.ReadHashes(missing)
	if err != nil {
		return nil, err
	}
	for i, h := range found {
		out[at[i]] = h
	}
	return out, nil
}

// Prove returns the proof that the entry at an index is in a tree of a size.
func Prove(size, index int64, r HashReader) ([]Hash, error) {
	proof, err := tlog.ProveRecord(size, index, r)
	if err != nil {
		return nil, fmt.Errorf("prove entry %d of the log: %w", index, err)
	}
	return proof, nil
}

// cache keeps the hashes that were read: the proofs of one group need the same ones.
type cache struct {
	stored HashReader
	known  map[int64]Hash
}

func newCache(stored HashReader) *cache { return &cache{stored, map[int64]Hash{}} }

// ReadHashes implements HashReader.
func (c *cache) ReadHashes(indexes []int64) ([]Hash, error) {
	out := make([]Hash, len(indexes))
	var missing []int64
	for i, index := range indexes {
		h, ok := c.known[index]
		if !ok {
			missing = append(missing, index)
		}
		out[i] = h
	}
	if len(missing) == 0 {
		return out, nil
	}
	found, err := c.stored.ReadHashes(missing)
	if err != nil {
		return nil, err
	}
	for i, index := range missing {
		c.known[index] = found[i]
	}
	for i, index := range indexes {
		out[i] = c.known[index]
	}
	return out, nil
}
