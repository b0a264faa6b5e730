package receipt

import (
	"context"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

// ForgetReceived implements store.Receipts.
func (s *Register) ForgetReceived(ctx context.Context, before time.Time, n int) (int, error) {
	return tree.Forget(ctx, s.read, s.write, func(t *tree.Tx) ([]hook.Received, error) { return old(t, before, n) }, drop)
}

// old finds events of which nothing is to be done any more.
func old(t *tree.Tx, before time.Time, n int) (found []hook.Received, err error) {
	c := t.Cursor(received)
	for k, v := c.First(); k != nil && len(found) < n; k, v = c.Next() {
		var r hook.Received
		if err := record.Decode(k, v, &r); err != nil {
			return nil, err
		}
		if !r.At.Before(before) {
			break // all that follow came later
		}
		if !slices.ContainsFunc(r.Tasks, func(one hook.Task) bool { return one.State == hook.Pending }) {
			found = append(found, r)
		}
	}
	return found, nil
}

func drop(t *tree.Tx, r hook.Received) error {
	if err := t.Delete(receivedByName, []byte(r.Identity)); err != nil {
		return err
	}
	return t.Delete(received, record.U64(r.Seq))
}
