package store

import (
	"context"
	"encoding/hex"
	"sync"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/pkg/store"
)

// maxCachedRows bounds what is remembered, which takes some 350 bytes a row.
const maxCachedRows = 1 << 17

// rowCache remembers rows that were read and judged, until they change.
type rowCache struct {
	mu   sync.RWMutex
	rows map[hashKey]string
	// writes counts the transactions that changed certifications: what was read
	// before one must not be remembered after it.
	writes uint64
}

type hashKey [32]byte

func keyOf(hash string) (key hashKey, ok bool) {
	if !authority.IsHash(hash) {
		return key, false
	}
	_, err := hex.Decode(key[:], []byte(hash))
	return key, err == nil
}

// find returns a row, "" where none is remembered, and how many writes there were.
func (r *rowCache) find(key hashKey) (row string, writes uint64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.rows[key], r.writes
}

// put keeps a row unless something was written since.
func (r *rowCache) put(key hashKey, row string, writes uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.writes != writes {
		return
	}
	if r.rows == nil {
		r.rows = map[hashKey]string{}
	}
	for other := range r.rows { // any one goes
		if len(r.rows) < maxCachedRows {
			break
		}
		delete(r.rows, other)
	}
	r.rows[key] = row
}

// forget drops the rows that a transaction wrote.
func (r *rowCache) forget(hashes []string) {
	if len(hashes) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes++
	for _, hash := range hashes {
		if key, ok := keyOf(hash); ok {
			delete(r.rows, key)
		}
	}
}

// Public finds by its hash what everybody may see of a certification, as
// Reader.Seen does, and has it judged, once until it changes: an error of the judge
// is returned.
func (l *Store) Public(ctx context.Context, hash string, judge func(authority.Certification) error) (authority.Certification, bool, error) {
	key, ok := keyOf(hash)
	if !ok {
		return authority.Certification{}, false, nil
	}
	row, writes := l.cache.find(key)
	if row != "" {
		c, err := parsePublic(hash, row)
		return c, err == nil, err
	}
	err := l.rows.View(ctx, func(r store.RowReader) (err error) {
		row, err = Reader{r}.publicRow(hash)
		return err
	})
	if err != nil || row == "" {
		return authority.Certification{}, false, err
	}
	c, err := parsePublic(hash, row)
	if err == nil {
		err = judge(c)
	}
	if err != nil {
		return c, false, err
	}
	l.cache.put(key, row, writes)
	return c, true, nil
}
