package pages

import (
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

// The list of free pages has no checksum, and bbolt writes whatever page it names. Its
// page has the header, then the numbers in ascending order; a count that does not fit
// the header stands before them (bbolt, internal/common/page.go). Its own number, and
// that of the first page behind the last, stand in the meta of the transaction, which
// is page 0 or 1 by the transaction's number (meta.go).
const (
	freelist     = 0x10
	idSize       = 8 // bytes
	metaFreelist = header + 32
	metaEnd      = header + 40
	metas        = 2
	countBehind  = 0xffff
)

// free checks that the free pages are pages that no tree has. The trees were visited
// before, of whose leaves only the first page is known.
func (c *checker) free(tx *bbolt.Tx) error {
	order := binary.NativeEndian
	meta := make([]byte, c.size)
	if _, err := c.file.ReadAt(meta, int64(tx.ID()%metas)*int64(c.size)); err != nil {
		return fmt.Errorf("reading the meta page: %w", err)
	}
	list, end := order.Uint64(meta[metaFreelist:]), order.Uint64(meta[metaEnd:])
	if list >= uint64(len(c.seen)) || c.seen[list] {
		return errors.New("the list of free pages is none")
	}
	b, err := c.whole(list)
	if err != nil {
		return err
	}
	if order.Uint64(b) != list || order.Uint16(b[8:]) != freelist {
		return errors.New("the list of free pages is none")
	}
	count, ids := uint64(order.Uint16(b[10:])), b[header:]
	if count == countBehind {
		count, ids = order.Uint64(ids), ids[idSize:]
	}
	if count > uint64(len(ids)/idSize) {
		return errors.New("the list of free pages is longer than its pages")
	}
	for before := uint64(metas - 1); count > 0; count, ids = count-1, ids[idSize:] {
		id := order.Uint64(ids)
		if id <= before || id >= end || id == list || id < uint64(len(c.seen)) && c.seen[id] {
			return fmt.Errorf("page %d is in use or does not exist, and is listed as free", id)
		}
		before = id
	}
	return nil
}
