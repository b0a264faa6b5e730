// Package count keeps how many certificates institutions and batches have in each
// state.
package count

import (
	"maps"
	"slices"

	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The bucket; package schema draws it.
var counts = []byte("counts")

// Buckets are those that only this package writes to.
func Buckets() [][]byte { return [][]byte{counts} }

func key(institution uint32, batch string) []byte {
	return record.Join(record.U32(institution), []byte(batch))
}

// Of reads the counts of an institution's batch, or with "" those of all that the
// institution has.
func Of(t *tree.Tx, institution uint32, batch string) (vault.Counts, error) {
	return get(t, key(institution, batch))
}

func get(t *tree.Tx, key []byte) (c vault.Counts, err error) {
	if value := t.Get(counts, key); value != nil {
		err = record.Decode(key, value, &c)
	}
	return c, err
}

// Changes are what counts grow by: they change many times in one transaction and
// are written once.
type Changes map[string]vault.Counts

// Add notes that an institution and a batch have n more certificates in a state.
func (c *Changes) Add(of vault.Certificate, n int) {
	c.add(key(of.Institution, ""), of.Status, n)
	if of.Batch != "" {
		c.add(key(of.Institution, of.Batch), of.Status, n)
	}
}

func (c *Changes) add(key []byte, status vault.Status, n int) {
	if *c == nil {
		*c = Changes{}
	}
	delta := (*c)[string(key)]
	delta.Add(status, n)
	(*c)[string(key)] = delta
}

// Write adds the changes to what is kept, in the order of the keys.
func (c Changes) Write(t *tree.Tx) error {
	for _, k := range slices.Sorted(maps.Keys(c)) {
		now, err := get(t, []byte(k))
		if err != nil {
			return err
		}
		for _, s := range vault.Statuses() {
			now.Add(s, c[k].Of(s))
		}
		if err := t.Keep(counts, []byte(k), now); err != nil {
			return err
		}
	}
	return nil
}
