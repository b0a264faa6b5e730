package upload

import (
	"bytes"

	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault/caller"
)

// Forget forgets an institution's kept answers that tell about certificates, by UUID.
func Forget(t *tree.Tx, institution uint32, about map[string]bool) error {
	var gone [][]byte
	prefix := record.U32(institution)
	c := t.Cursor(replies)
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		var r caller.Reply
		if err := record.Decode(k, v, &r); err != nil {
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
		if err := t.Delete(replies, k); err != nil {
			return err
		}
	}
	return nil
}
