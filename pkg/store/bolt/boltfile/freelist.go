package boltfile

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
	freelistFlag  = 0x10
	pageIDSize    = 8 // bytes
	metaFreelist  = pageHeaderSize + 32
	metaHighWater = pageHeaderSize + 40
	metaPages     = 2
	countOverflow = 0xffff
)

// checkFreelist checks that the free pages are pages that no tree has. The trees were visited
// before, of whose leaves only the first page is known.
func (c *pageChecker) checkFreelist(tx *bbolt.Tx) error {
	order := binary.NativeEndian
	meta := make([]byte, c.size)
	if _, err := c.file.ReadAt(meta, int64(tx.ID()%metaPages)*int64(c.size)); err != nil {
		return fmt.Errorf("reading the meta page: %w", err)
	}
	list, end := order.Uint64(meta[metaFreelist:]), order.Uint64(meta[metaHighWater:])
	if list >= uint64(len(c.seen)) || c.seen[list] {
		return errors.New("the list of free pages is not valid")
	}
	b, err := c.readWhole(list)
	if err != nil {
		return err
	}
	if order.Uint64(b) != list || order.Uint16(b[8:]) != freelistFlag {
		return errors.New("the list of free pages is not valid")
	}
	count, ids := uint64(order.Uint16(b[10:])), b[pageHeaderSize:]
	if count == countOverflow {
		count, ids = order.Uint64(ids), ids[pageIDSize:]
	}
	if count > uint64(len(ids)/pageIDSize) {
		return errors.New("the list of free pages is longer than its pages")
	}
	for before := uint64(metaPages - 1); count > 0; count, ids = count-1, ids[pageIDSize:] {
		id := order.Uint64(ids)
		if id <= before || id >= end || id == list || id < uint64(len(c.seen)) && c.seen[id] {
			return fmt.Errorf("page %d is in use or does not exist, and is listed as free", id)
		}
		before = id
	}
	return nil
}
