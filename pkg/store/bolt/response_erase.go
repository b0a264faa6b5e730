package bolt

import (
	"bytes"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// eraseResponses removes an institution's stored responses that name certificates, by UUID.
func (t *txn) eraseResponses(institution uint32, about map[string]bool) error {
	var gone [][]byte
	prefix := boltfile.U32(institution)
	c := t.Cursor(responsesBucket)
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		var r apiaccess.StoredResponse
		if err := boltfile.Decode(k, v, &r); err != nil {
			return err
		}
		for uuid := range about {
			if bytes.Contains(r.Body, []byte(uuid)) {
				gone = append(gone, bytes.Clone(k))
				break
			}
		}
	}
	for _, k := range gone {
		if err := t.Delete(responsesBucket, k); err != nil {
			return err
		}
	}
	return nil
}
