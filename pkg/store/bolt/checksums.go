package bolt

import (
	"encoding/binary"
	"hash/fnv"
	"maps"
	"slices"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
)

// The store keeps sums over all entries of buckets in which a missing key decides
// something: a row whose key is in none of them is issued. A damaged record is found by its
// checksum when it is read. A lost record would never be found, so these sums are compared
// when the file is opened.

// checksumKey is the key in meta under which a bucket's sum is kept.
func checksumKey(bucket []byte) []byte { return append([]byte("sum "), bucket...) }

// entryHash is what an entry adds to its bucket's sum.
func entryHash(key, value []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(key)
	_, _ = h.Write(value)
	return h.Sum64()
}

// checksumDelta are what the sums of buckets grow by, by the buckets' names.
type checksumDelta map[string]uint64

// Note records that an entry of a bucket is about to get a value, or with nil to go.
func (c *checksumDelta) Note(t *boltfile.Tx, bucket, key, value []byte) {
	if *c == nil {
		*c = checksumDelta{}
	}
	if old := t.Get(bucket, key); old != nil {
		(*c)[string(bucket)] -= entryHash(key, old)
	}
	if value != nil {
		(*c)[string(bucket)] += entryHash(key, value)
	}
}

// Write adds the changes to what is kept.
func (c checksumDelta) Write(t *boltfile.Tx) error {
	for _, bucket := range slices.Sorted(maps.Keys(c)) {
		now, err := storedChecksum(t, []byte(bucket))
		if err != nil {
			return err
		}
		if err := putChecksum(t, []byte(bucket), now+c[bucket]); err != nil {
			return err
		}
	}
	return nil
}

func putChecksum(t *boltfile.Tx, bucket []byte, sum uint64) error {
	key := checksumKey(bucket)
	return t.Put(metaBucket, key, boltfile.AddChecksum(key, boltfile.U64(sum)))
}

// storedChecksum is a bucket's sum as it was last written.
func storedChecksum(t *boltfile.Tx, bucket []byte) (uint64, error) {
	key := checksumKey(bucket)
	value := t.Get(metaBucket, key)
	if value == nil {
		return 0, nil
	}
	body, err := boltfile.VerifyChecksum(key, value)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(body), nil
}

// sumBuckets has the entries of buckets summed up in totals, by the buckets' names.
func sumBuckets(buckets [][]byte, totals map[string]uint64) []boltfile.CheckedBucket {
	var whole []boltfile.CheckedBucket
	for _, bucket := range buckets {
		whole = append(whole, boltfile.CheckedBucket{Name: bucket, Visit: func(key, value []byte) {
			totals[string(bucket)] += entryHash(key, value)
		}})
	}
	return whole
}

// verifyChecksums compares buckets' totals with the sums that are kept.
func verifyChecksums(t *boltfile.Tx, buckets [][]byte, totals map[string]uint64) error {
	for _, bucket := range buckets {
		kept, err := storedChecksum(t, bucket)
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

// initChecksums writes the sums of buckets as they are, for a file that has none yet.
func initChecksums(t *boltfile.Tx, buckets [][]byte) error {
	for _, bucket := range buckets {
		var total uint64
		c := t.Cursor(bucket)
		for key, value := c.First(); key != nil; key, value = c.Next() {
			total += entryHash(key, value)
		}
		if err := putChecksum(t, bucket, total); err != nil {
			return err
		}
	}
	return nil
}
