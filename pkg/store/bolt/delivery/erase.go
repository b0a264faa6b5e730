package delivery

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
)

// Erase takes the data out of what webhooks were told, or are still to be told,
// about certificates.
func Erase(t *tree.Tx, institution uint32, about map[string]bool) error {
	var keys [][]byte
	prefix := record.U32(institution)
	c := t.Cursor(deliveries)
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix) && len(about) > 0; k, v = c.Next() {
		d, err := unpackDelivery(k, v)
		if err != nil {
			return err
		}
		if about[d.Subject] {
			keys = append(keys, bytes.Clone(k))
		}
	}
	for _, key := range keys {
		body, err := record.Unseal(key, t.Get(deliveryBodies, key))
		if err != nil {
			return err
		}
		erased, err := withoutPerson(body)
		if err != nil {
			return err
		}
		if err := t.Put(deliveryBodies, key, record.Seal(key, erased)); err != nil {
			return err
		}
	}
	return nil
}

// withoutPerson is a delivery's body without the fields about a recipient.
func withoutPerson(body []byte) ([]byte, error) {
	var fields map[string]any
	numbers := json.NewDecoder(bytes.NewReader(body))
	numbers.UseNumber()
	if err := numbers.Decode(&fields); err != nil {
		return []byte("{}"), nil //nolint:nilerr // whatever it was, it goes
	}
	for _, name := range []string{"applicant_email", "certificate_title", "full_name"} {
		if _, there := fields[name]; there {
			fields[name] = ""
		}
	}
	erased, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("erasing what webhooks were told: %w", err)
	}
	return erased, nil
}
