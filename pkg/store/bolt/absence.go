package bolt

import (
	"encoding/binary"
	"hash/fnv"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/pages"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
)

// proven returns the buckets in which a key that is not there decides something: a
// row whose key is in none of them is issued. A record that is damaged is found by
// its checksum when it is read, a record that is lost never is. So each of these
// buckets has a sum over all its entries, compared when the file is opened.
func proven() [][]byte { return [][]byte{byKey, frozen} }

func isProven(bucket []byte) bool {
	return string(bucket) == string(byKey) || string(bucket) == string(frozen)
}

// sumName is the key in meta under which a bucket's sum is kept.
func sumName(bucket []byte) []byte { return append([]byte("sum "), bucket...) }

// share is what an entry adds to its bucket's sum.
func share(key, value []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(key)
	_, _ = h.Write(value)
	return h.Sum64()
}

// tally notes that a proven bucket's entry gets a value, or none with nil.
func (t *txn) tally(bucket, key, value []byte) {
	if !isProven(bucket) {
		return
	}
	if t.sums == nil {
		t.sums = map[string]uint64{}
	}
	if old := t.Get(bucket, key); old != nil {
		t.sums[string(bucket)] -= share(key, old)
	}
	if value != nil {
		t.sums[string(bucket)] += share(key, value)
	}
}

func (t *txn) writeSums() error {
	for _, bucket := range proven() {
		delta, ok := t.sums[string(bucket)]
		if !ok {
			continue
		}
		now, err := t.keptSum(bucket)
		if err != nil {
			return err
		}
		name := sumName(bucket)
		if err := t.Put(metaBucket, name, record.Seal(name, record.U64(now+delta))); err != nil {
			return err
		}
	}
	return nil
}

// keptSum is a bucket's sum as it was last written.
func (t *txn) keptSum(bucket []byte) (uint64, error) {
	name := sumName(bucket)
	value := t.Get(metaBucket, name)
	if value == nil {
		return 0, nil
	}
	body, err := record.Unseal(name, value)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(body), nil
}

// toSum asks for what lies in the proven buckets, to be summed up by their names.
func toSum(totals map[string]uint64) []pages.Whole {
	var whole []pages.Whole
	for _, bucket := range proven() {
		whole = append(whole, pages.Whole{Bucket: bucket, Entry: func(key, value []byte) {
			totals[string(bucket)] += share(key, value)
		}})
	}
	return whole
}

// prove compares the proven buckets' totals with their sums.
func (t *txn) prove(totals map[string]uint64) error {
	for _, bucket := range proven() {
		kept, err := t.keptSum(bucket)
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

// total sums up a bucket as it stands.
func total(b *bbolt.Bucket) (sum uint64) {
	c := b.Cursor()
	for key, value := c.First(); key != nil; key, value = c.Next() {
		sum += share(key, value)
	}
	return sum
}

// sumUp writes the sums of a file whose program knew none.
func sumUp(tx *bbolt.Tx) error {
	for _, bucket := range proven() {
		name := sumName(bucket)
		if err := tx.Bucket(metaBucket).Put(name, record.Seal(name, record.U64(total(tx.Bucket(bucket))))); err != nil {
			return err
		}
	}
	return nil
}
