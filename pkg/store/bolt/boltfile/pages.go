package boltfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.etcd.io/bbolt"
)

// The layout of a page (bbolt, internal/common/page.go): a header of 16 bytes with
// the page's number, flags, count of elements and overflow, then elements of 16
// bytes. A branch's are the offset and the size of a key and the number of a page
// below; a leaf's are flags, and the offset and the sizes of a key and its value.
// Offsets count from the element's own begin.
const (
	pageHeaderSize = 16
	elementSize    = 16
	branchFlag     = 0x01
	leafFlag       = 0x02
	maxDepth       = 32
)

// CheckedBucket is a bucket whose leaves are read too.
type CheckedBucket struct {
	Name []byte
	// Visit is told of each entry once. Both slices are valid during the call.
	Visit func(key, value []byte)
}

type pageChecker struct {
	file  io.ReaderAt
	size  int
	seen  []bool                  // by number
	entry func(key, value []byte) // nil where leaves are not read
}

// page is what is needed of one.
type page struct {
	leaf     bool
	keys     [][]byte
	children []uint64 // of a branch
	values   [][]byte // of a leaf
}

// CheckPages reads the branches of every tree, about one page in a hundred, and of some
// buckets the leaves too, so that what lies in them is also found. It returns what
// is wrong with the first one that is no tree, or with the list of free pages. It
// reads the file and not the map of it, whose pages would stay in memory.
func CheckPages(tx *bbolt.Tx, file io.ReaderAt, whole ...CheckedBucket) error {
	size := tx.DB().Info().PageSize
	c := &pageChecker{file: file, size: size, seen: make([]bool, tx.Size()/int64(size))}
	if err := c.checkTree(uint64(tx.Cursor().Bucket().Root())); err != nil {
		return err
	}
	if err := c.checkInline(uint64(tx.Cursor().Bucket().Root())); err != nil {
		return err
	}
	err := tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
		c.entry = nil
		if i := slices.IndexFunc(whole, func(w CheckedBucket) bool { return bytes.Equal(w.Name, name) }); i >= 0 {
			c.entry = whole[i].Visit
		}
		if b.Root() == 0 { // so small that it lies in its parent's page
			if c.entry == nil {
				return nil
			}
			return b.ForEach(func(key, value []byte) error { c.entry(key, value); return nil })
		}
		if err := c.checkTree(uint64(b.Root())); err != nil {
			return fmt.Errorf("bucket %s: %w", name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.checkFreelist(tx)
}

// checkTree checks the tree under a page. All its leaves lie at one depth.
func (c *pageChecker) checkTree(root uint64) error {
	depth := 0
	for number := root; ; depth++ {
		p, err := c.read(number)
		if err != nil {
			return err
		}
		if p.leaf {
			break
		}
		if depth == maxDepth || len(p.children) == 0 {
			return errors.New("branches without leaves")
		}
		number = p.children[0]
	}
	return c.visit(root, depth, nil, nil)
}

// visit checks the tree under a page, whose keys are low or above and below high.
// A bound that is nil is none.
func (c *pageChecker) visit(number uint64, depth int, low, high []byte) error {
	if number >= uint64(len(c.seen)) || c.seen[number] {
		return fmt.Errorf("page %d is referred to twice or does not exist", number)
	}
	c.seen[number] = true
	if depth == 0 && c.entry == nil {
		return nil
	}
	p, err := c.read(number)
	switch {
	case err != nil:
		return err
	case p.leaf != (depth == 0):
		return fmt.Errorf("page %d is a leaf among branches, or a branch among leaves", number)
	case !inOrder(p.keys, low, high):
		return fmt.Errorf("page %d holds keys that belong elsewhere", number)
	}
	for i, value := range p.values {
		c.entry(p.keys[i], value)
	}
	for i, below := range p.children {
		upper := high
		if i+1 < len(p.keys) {
			upper = p.keys[i+1]
		}
		if err := c.visit(below, depth-1, p.keys[i], upper); err != nil {
			return err
		}
	}
	return nil
}

// inOrder reports whether keys ascend and lie between bounds.
func inOrder(keys [][]byte, low, high []byte) bool {
	for _, key := range keys {
		if bytes.Compare(key, low) < 0 || high != nil && bytes.Compare(key, high) >= 0 {
			return false
		}
		low = key
	}
	return true
}

func (c *pageChecker) read(number uint64) (p page, err error) {
	if number >= uint64(len(c.seen)) {
		return p, fmt.Errorf("page %d does not exist", number)
	}
	b := make([]byte, c.size)
	if _, err := c.file.ReadAt(b, int64(number)*int64(c.size)); err != nil {
		return p, fmt.Errorf("reading page %d: %w", number, err)
	}
	order := binary.NativeEndian // bbolt writes in the machine's order
	flags := order.Uint16(b[8:])
	if p.leaf = flags == leafFlag; order.Uint64(b) != number || !p.leaf && flags != branchFlag {
		return p, fmt.Errorf("page %d is not a valid page", number)
	}
	if p.leaf && c.entry == nil {
		return p, nil
	}
	if b, err = c.readWhole(number); err != nil {
		return p, err
	}
	if p.leaf {
		err = eachElement(b, func(_ uint32, key, value []byte) error {
			p.keys, p.values = append(p.keys, key), append(p.values, value)
			return nil
		})
		return p, err
	}
	err = p.parseBranch(b)
	return p, err
}

// parseBranch reads a branch's elements.
func (p *page) parseBranch(b []byte) error {
	order := binary.NativeEndian
	count := int(order.Uint16(b[10:]))
	if pageHeaderSize+count*elementSize > len(b) {
		return errors.New("a branch page has more elements than fit")
	}
	for i := range count {
		at := pageHeaderSize + i*elementSize
		begin, size := int64(at)+int64(order.Uint32(b[at:])), int64(order.Uint32(b[at+4:]))
		if begin+size > int64(len(b)) {
			return errors.New("a key lies outside its page")
		}
		p.keys = append(p.keys, b[begin:begin+size])
		p.children = append(p.children, order.Uint64(b[at+8:]))
	}
	return nil
}
