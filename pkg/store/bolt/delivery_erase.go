package bolt

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// eraseDeliveries removes the personal data from deliveries about certificates, sent or
// not.
func (t *txn) eraseDeliveries(institution uint32, about map[string]bool) error {
	var keys [][]byte
	prefix := boltfile.U32(institution)
	c := t.Cursor(deliveriesBucket)
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix) && len(about) > 0; k, v = c.Next() {
		d, err := decodeDelivery(k, v)
		if err != nil {
			return err
		}
		if about[d.Subject] {
			keys = append(keys, bytes.Clone(k))
		}
	}
	for _, key := range keys {
		body, err := boltfile.VerifyChecksum(key, t.Get(deliveryBodiesBucket, key))
		if err != nil {
			return err
		}
		erased, err := withoutPersonalData(body)
		if err != nil {
			return err
		}
		if err := t.Put(deliveryBodiesBucket, key, boltfile.AddChecksum(key, erased)); err != nil {
			return err
		}
	}
	return nil
}

// withoutPersonalData is a delivery's body without the fields about a recipient.
func withoutPersonalData(body []byte) ([]byte, error) {
	var fields map[string]any
	numbers := json.NewDecoder(bytes.NewReader(body))
	numbers.UseNumber()
	if err := numbers.Decode(&fields); err != nil {
		return []byte("{}"), nil //nolint:nilerr // whatever it was, it goes
	}
	for _, f := range vault.Fields() {
		if _, there := fields[f.Key]; there && f.Personal {
			fields[f.Key] = ""
		}
	}
	erased, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("erasing what webhooks were told: %w", err)
	}
	return erased, nil
}
