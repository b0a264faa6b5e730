package bolt

import (
	"maps"
	"slices"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The bucket; schema.go draws all.
var countsBucket = []byte("counts")

// countBuckets returns the buckets above, for the schema.
func countBuckets() [][]byte { return [][]byte{countsBucket} }

func countKey(institution uint32, batch string) []byte {
	return boltfile.JoinKey(boltfile.U32(institution), []byte(batch))
}

// counts reads the counts of an institution's batch, or with "" those of all that the
// institution has.
func (t *txn) counts(institution uint32, batch string) (vault.Counts, error) {
	return readCounts(t.Tx, countKey(institution, batch))
}

func readCounts(t *boltfile.Tx, key []byte) (c vault.Counts, err error) {
	if value := t.Get(countsBucket, key); value != nil {
		err = boltfile.Decode(key, value, &c)
	}
	return c, err
}

// countDelta are what counts grow by: they change many times in one transaction and
// are written once.
type countDelta map[string]vault.Counts

// Add records that an institution and a batch have n more certificates in a state.
func (c *countDelta) Add(of vault.Certificate, n int) {
	c.addTo(countKey(of.Institution, ""), of.Status, n)
	if of.Batch != "" {
		c.addTo(countKey(of.Institution, of.Batch), of.Status, n)
	}
}

func (c *countDelta) addTo(key []byte, status vault.Status, n int) {
	if *c == nil {
		*c = countDelta{}
	}
	delta := (*c)[string(key)]
	delta.Add(status, n)
	(*c)[string(key)] = delta
}

// Write adds the changes to what is kept, in the order of the keys.
func (c countDelta) Write(t *boltfile.Tx) error {
	for _, k := range slices.Sorted(maps.Keys(c)) {
		now, err := readCounts(t, []byte(k))
		if err != nil {
			return err
		}
		for _, s := range vault.Statuses() {
			now.Add(s, c[k].Of(s))
		}
		if err := t.PutRecord(countsBucket, []byte(k), now); err != nil {
			return err
		}
	}
	return nil
}
