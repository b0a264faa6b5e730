// Package pages looks whether the trees of a bbolt file are trees. bbolt follows
// a damaged reference that leads back to a page above for ever, until the stack
// overflows, and then nothing can keep the process from ending.
package pages

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"go.etcd.io/bbolt"
)

// The layout of a page (bbolt, internal/common/page.go): a header of 16 bytes with
// the page's number, flags, count of elements and overflow; in a branch, elements
// of 16 bytes whose last eight are the number of a page below.
const (
	header  = 16
	element = 16
	branch  = 0x01
	leaf    = 0x02
	deepest = 32
)

type checker struct {
	file io.ReaderAt
	size int
	seen []bool // by number
}

// Check reads the branches of every tree, about one page in a hundred. It returns
// what is wrong with the first one that is no tree.
func Check(tx *bbolt.Tx, file io.ReaderAt) error {
	size := tx.DB().Info().PageSize
	c := &checker{file: file, size: size, seen: make([]bool, tx.Size()/int64(size))}
	if err := c.tree(uint64(tx.Cursor().Bucket().Root())); err != nil {
		return err
	}
	if err := c.inline(uint64(tx.Cursor().Bucket().Root())); err != nil {
		return err
	}
	return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
		if b.Root() == 0 {
			return nil // so small that it lies in its parent's page
		}
		if err := c.tree(uint64(b.Root())); err != nil {
			return fmt.Errorf("bucket %s: %w", name, err)
		}
		return nil
	})
}

// tree checks the tree under a page. All its leaves lie at one depth.
func (c *checker) tree(root uint64) error {
	depth := 0
	for page := root; ; depth++ {
		below, isLeaf, err := c.read(page)
		if err != nil {
			return err
		}
		if isLeaf {
			break
		}
		if depth == deepest || len(below) == 0 {
			return errors.New("branches without leaves")
		}
		page = below[0]
	}
	return c.visit(root, depth)
}

func (c *checker) visit(page uint64, depth int) error {
	if page >= uint64(len(c.seen)) || c.seen[page] {
		return fmt.Errorf("page %d is referred to twice or does not exist", page)
	}
	c.seen[page] = true
	if depth == 0 {
		return nil
	}
	below, isLeaf, err := c.read(page)
	if err != nil {
		return err
	}
	if isLeaf {
		return fmt.Errorf("page %d is a leaf among branches", page)
	}
	for _, p := range below {
		if err := c.visit(p, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// read returns the numbers of the pages below a branch.
func (c *checker) read(page uint64) (below []uint64, isLeaf bool, err error) {
	if page >= uint64(len(c.seen)) {
		return nil, false, fmt.Errorf("page %d does not exist", page)
	}
	b := make([]byte, c.size)
	if _, err := c.file.ReadAt(b, int64(page)*int64(c.size)); err != nil {
		return nil, false, fmt.Errorf("reading page %d: %w", page, err)
	}
	order := binary.NativeEndian // bbolt writes in the machine's order
	flags, count, overflow := order.Uint16(b[8:]), int(order.Uint16(b[10:])), int64(order.Uint32(b[12:]))
	switch {
	case order.Uint64(b) != page, flags != branch && flags != leaf:
		return nil, false, fmt.Errorf("page %d is none", page)
	case flags == leaf:
		return nil, true, nil
	case overflow > 0:
		b = make([]byte, min((overflow+1)*int64(c.size), header+int64(count)*element))
		if _, err := c.file.ReadAt(b, int64(page)*int64(c.size)); err != nil {
			return nil, false, fmt.Errorf("reading page %d: %w", page, err)
		}
	}
	if header+count*element > len(b) {
		return nil, false, fmt.Errorf("page %d holds too much", page)
	}
	for i := range count {
		below = append(below, order.Uint64(b[header+i*element+8:]))
	}
	return below, false, nil
}
