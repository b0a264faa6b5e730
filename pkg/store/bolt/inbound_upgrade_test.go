package bolt_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// TestUpgradeOfReceivedEvents knows the events that an earlier program kept by their bodies
// too, and those that it added or deleted after this one had been there.
func TestUpgradeOfReceivedEvents(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	body := func(i int) []byte { return fmt.Appendf(nil, `{"event":"e","n":%d}`, i) }
	s := open(t, path)
	add := func(i int, id string, aliases ...string) bool {
		_, isNew, err := s.AddInboundEvent(t.Context(), webhook.InboundEvent{Identity: id, Aliases: aliases, At: now, Event: "e", Body: body(i)})
		if err != nil {
			t.Error(err)
		}
		return isNew
	}
	reopen := func() {
		t.Helper()
		must(t, s.Close())
		var err error
		s, err = bolt.Open(path, time.Second)
		must(t, err)
		t.Cleanup(func() { _ = s.Close() })
	}
	var many sync.WaitGroup
	for i := range 1100 {
		many.Go(func() { add(i, fmt.Sprint("id", i)) }) // as an earlier program does
	}
	many.Wait()
	reopen()
	for _, i := range []int{0, 1, 1000, 1099} {
		if add(i, webhook.BodyIdentity(body(i))) {
			t.Errorf("event %d was played again", i)
		}
	}
	add(1100, "id1100", webhook.BodyIdentity(body(1100)))
	add(1101, "id1101") // an earlier program comes back
	reopen()
	if add(1101, webhook.BodyIdentity(body(1101))) {
		t.Error("an event of an earlier program that came back was played again")
	}
	must(t, s.Close())
	edit(t, path, func(tx *bbolt.Tx) error { // it deletes an event and knows no alias
		if err := tx.Bucket([]byte("received_by_name")).Delete([]byte("id1100")); err != nil {
			return err
		}
		return tx.Bucket([]byte("received")).Delete([]byte{0, 0, 0, 0, 0, 0, 0x04, 0x4d})
	})
	reopen()
	if !add(1100, "id1100", webhook.BodyIdentity(body(1100))) {
		t.Error("an event that was deleted is known")
	}
}
