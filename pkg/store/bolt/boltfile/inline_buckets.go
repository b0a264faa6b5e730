package boltfile

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A bucket that is small enough lies in its parent's leaf as a value: its root's
// number, which is 0, its sequence, then a page. bbolt copies such values to the
// program's own memory; an element that reaches beyond its page there ends the
// process as soon as memory is tidied. Elements of a leaf (bbolt,
// internal/common/page.go) hold flags, where their key begins, counted from the
// element itself, and the lengths of key and value.
const (
	bucketHeader = 16
	bucketFlag   = 0x01
)

// checkInline checks the small buckets that lie in the leaves under a page.
func (c *pageChecker) checkInline(page uint64) error {
	p, err := c.read(page)
	if err != nil {
		return err
	}
	for _, below := range p.children {
		if err := c.checkInline(below); err != nil {
			return err
		}
	}
	if !p.leaf {
		return nil
	}
	whole, err := c.readWhole(page)
	if err != nil {
		return err
	}
	return eachElement(whole, func(flags uint32, _, value []byte) error {
		if flags&bucketFlag == 0 || len(value) < bucketHeader || binary.NativeEndian.Uint64(value) != 0 {
			return nil
		}
		small := value[bucketHeader:]
		if len(small) < pageHeaderSize || binary.NativeEndian.Uint16(small[8:]) != leafFlag {
			return errors.New("a bucket in a page is not valid")
		}
		return eachElement(small, func(uint32, []byte, []byte) error { return nil })
	})
}

// readWhole reads a page with all that belongs to it.
func (c *pageChecker) readWhole(page uint64) ([]byte, error) {
	b := make([]byte, c.size)
	if _, err := c.file.ReadAt(b, int64(page)*int64(c.size)); err != nil {
		return nil, fmt.Errorf("reading page %d: %w", page, err)
	}
	overflow := uint64(binary.NativeEndian.Uint32(b[12:]))
	if overflow == 0 {
		return b, nil
	}
	if page+overflow >= uint64(len(c.seen)) {
		return nil, fmt.Errorf("page %d is longer than the file", page)
	}
	b = make([]byte, int64(overflow+1)*int64(c.size))
	if _, err := c.file.ReadAt(b, int64(page)*int64(c.size)); err != nil {
		return nil, fmt.Errorf("reading page %d: %w", page, err)
	}
	return b, nil
}

// eachElement visits the elements of a leaf, which must lie within it.
func eachElement(b []byte, visit func(flags uint32, key, value []byte) error) error {
	order := binary.NativeEndian
	count := int(order.Uint16(b[10:]))
	if pageHeaderSize+count*elementSize > len(b) {
		return errors.New("a leaf page has more elements than fit")
	}
	for i := range count {
		at := pageHeaderSize + i*elementSize
		flags, pos := order.Uint32(b[at:]), uint64(order.Uint32(b[at+4:]))
		key, value := uint64(order.Uint32(b[at+8:])), uint64(order.Uint32(b[at+12:]))
		begin := uint64(at) + pos
		if begin+key+value > uint64(len(b)) {
			return errors.New("an element reaches beyond its leaf")
		}
		if err := visit(flags, b[begin:begin+key], b[begin+key:begin+key+value]); err != nil {
			return err
		}
	}
	return nil
}
