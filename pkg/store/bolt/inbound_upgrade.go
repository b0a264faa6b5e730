package bolt

import (
	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// indexBodies lets the received events that an earlier program kept be found by their bodies
// too. Events of this program are found so from the beginning: going back from the newest,
// the first that is found ends the search.
func indexBodies(f *boltfile.File) error {
	var lacking [][]byte // keys, newest first
	err := f.View(func(tx *bbolt.Tx) error {
		t := boltfile.NewTx(tx, isAppendOnly)
		c := t.Bucket(inboundBucket).Cursor()
		for k, v := c.Last(); k != nil; k, v = c.Prev() {
			var r webhook.InboundEvent
			if boltfile.Decode(k, v, &r) != nil {
				continue // what reads it says so
			}
			if t.Get(inboundByIdentityBucket, []byte(webhook.BodyIdentity(r.Body))) != nil {
				return nil
			}
			lacking = append(lacking, append([]byte{}, k...))
		}
		return nil
	})
	// From the oldest on: what was interrupted is continued at the next start.
	const portion = 1000
	for len(lacking) > 0 && err == nil {
		rest := max(0, len(lacking)-portion)
		err = f.Update(func(tx *bbolt.Tx) error { return indexBodiesOf(boltfile.NewTx(tx, isAppendOnly), lacking[rest:]) })
		lacking = lacking[:rest]
	}
	return err
}

func indexBodiesOf(t *boltfile.Tx, keys [][]byte) error {
	for _, k := range keys {
		var r webhook.InboundEvent
		if err := boltfile.Decode(k, t.Get(inboundBucket, k), &r); err != nil {
			return err
		}
		if err := t.Put(inboundByIdentityBucket, []byte(webhook.BodyIdentity(r.Body)), k); err != nil {
			return err
		}
	}
	return nil
}
