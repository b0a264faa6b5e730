// Package sum keeps sums over all entries of buckets in which a key that is not
// there decides something: a row whose key is in none of them is issued. A record
// that is damaged is found by its checksum when it is read, a record that is lost
// never is, so these sums are compared when the file is opened.
package sum

import (
	"encoding/binary"
	"hash/fnv"
	"maps"
	"slices"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/pages"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
)

// meta holds the sums; package schema draws it.
var meta = []byte("meta")

// name is the key in meta under which a bucket's sum is kept.
func name(bucket []byte) []byte { return append([]byte("sum "), bucket...) }

// share is what an entry adds to its bucket's sum.
func share(key, value []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(key)
	_, _ = h.Write(value)
	return h.Sum64()
}

// Changes are what the sums of buckets grow by, by the buckets' names.
type Changes map[string]uint64

// Note notes that an entry of a bucket is about to get a value, or none with nil.
func (c *Changes) Note(t *tree.Tx, bucket, key, value []byte) {
	if *c == nil {
		*c = Changes{}
	}
	if old := t.Get(bucket, key); old != nil {
		(*c)[string(bucket)] -= share(key, old)
	}
	if value != nil {
		(*c)[string(bucket)] += share(key, value)
	}
}

// Write adds the changes to what is kept.
func (c Changes) Write(t *tree.Tx) error {
	for _, bucket := range slices.Sorted(maps.Keys(c)) {
		now, err := kept(t, []byte(bucket))
		if err != nil {
			return err
		}
		if err := put(t, []byte(bucket), now+c[bucket]); err != nil {
			return err
		}
	}
	return nil
}

func put(t *tree.Tx, bucket []byte, sum uint64) error {
	key := name(bucket)
	return t.Put(meta, key, record.Seal(key, record.U64(sum)))
}

// kept is a bucket's sum as it was last written.
func kept(t *tree.Tx, bucket []byte) (uint64, error) {
	key := name(bucket)
	value := t.Get(meta, key)
	if value == nil {
		return 0, nil
	}
	body, err := record.Unseal(key, value)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(body), nil
}

// Of asks for what lies in buckets, to be summed up in totals by their names.
func Of(buckets [][]byte, totals map[string]uint64) []pages.Whole {
	var whole []pages.Whole
	for _, bucket := range buckets {
		whole = append(whole, pages.Whole{Bucket: bucket, Entry: func(key, value []byte) {
			totals[string(bucket)] += share(key, value)
		}})
	}
	return whole
}

// Prove compares buckets' totals with the sums that are kept.
func Prove(t *tree.Tx, buckets [][]byte, totals map[string]uint64) error {
	for _, bucket := range buckets {
		kept, err := kept(t, bucket)
		if err != nil {
			return err
		}
		if totals[string(bucket)] != kept {
			return fault.Newf(fault.Damaged, "the database is damaged (entries of %s were lost or altered); "+
				"stop here and restore the home from a backup", bucket)
		}
	}
	return nil
}

// Begin writes the sums of buckets as they stand, in a file whose program knew none.
func Begin(t *tree.Tx, buckets [][]byte) error {
	for _, bucket := range buckets {
		var total uint64
		c := t.Cursor(bucket)
		for key, value := c.First(); key != nil; key, value = c.Next() {
			total += share(key, value)
		}
		if err := put(t, bucket, total); err != nil {
			return err
		}
	}
	return nil
}
