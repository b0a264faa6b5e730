package bolt_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// A file of this schema that lacks what was added since gets it.
func TestAFileWithoutAnAuditTrail(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	s, err := bolt.Open(path, time.Second)
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err == nil {
		err = errors.Join(db.Update(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("acts")) }), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	if found, err := s.AuditEntries(t.Context(), 0, 10); err != nil || len(found) != 0 {
		t.Errorf("%v, %v", found, err)
	}
}

func TestADamagedEntryOfTheAuditTrail(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	s, err := bolt.Open(path, time.Second)
	must(t, err)
	must(t, s.RecordAction(audit.NewContext(t.Context(), &audit.PendingAction{Action: audit.Action{Actor: "staff", Request: "POST /1", RemoteAddr: "local"}, At: time.Now()})))
	must(t, s.Close())
	edit(t, path, func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("acts"))
		key, value := b.Cursor().First()
		return b.Put(key, bytes.Replace(value, []byte("staff"), []byte("stuff"), 1))
	})
	_, err = open(t, path).AuditEntries(t.Context(), 0, 1)
	wantDamaged(t, "an entry that was changed", err)
	if message, _ := fault.Message(err); !strings.HasPrefix(message, "the audit trail: ") {
		t.Errorf("%q does not say where", message)
	}
}
