package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// An act is written down once, with the first thing that it changes, and only when
// that was done.
func TestTheAuditTrail(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "vault.db"))
	now := time.Date(2026, 5, 2, 10, 0, 0, 0, time.UTC)
	during := func(what string) *audit.PendingAction {
		return &audit.PendingAction{Action: audit.Action{Actor: "staff", Request: what, RemoteAddr: "local"}, At: now}
	}
	var work sync.WaitGroup
	const many = 50
	for i := range many {
		work.Go(func() {
			ctx := audit.NewContext(t.Context(), during(fmt.Sprintf("POST /%d", i)))
			for n := range 2 {
				_, err := s.OpenBatch(ctx, vault.Batch{ID: fmt.Sprintf("b%d-%d", i, n), Institution: 1, Digest: fmt.Sprintf("d%d-%d", i, n), CreatedAt: now})
				if err = errors.Join(err, s.RecordAction(ctx)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	if _, err := s.Change(audit.NewContext(t.Context(), during("POST /refused")), 1, "9e3b101f-c264-4f97-945f-20dfa7163768", nil); err == nil {
		t.Error("a certificate that is not there was changed")
	}
	var last audit.Entry
	seen := map[string]bool{}
	for {
		found, err := s.AuditEntries(t.Context(), last.Seq, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			break
		}
		for _, e := range found {
			if err := e.VerifyAfter(last); err != nil {
				t.Fatal(err)
			}
			if seen[e.Request] {
				t.Errorf("%s is there twice", e.Request)
			}
			last, seen[e.Request] = e, true
		}
	}
	if len(seen) != many || last.Seq != many {
		t.Errorf("%d acts, the last %v", len(seen), last)
	}
}

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

// Compacting keeps everything but the room that was freed.
func TestCompact(t *testing.T) {
	t.Parallel()
	path, all := populated(t)
	s, err := bolt.Open(path, time.Second)
	if err == nil {
		err = s.Compact(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	for _, c := range all {
		if found, err := s.Certificate(t.Context(), 1, c.UUID); err != nil || found.Reference != c.Reference {
			t.Errorf("%s is %+v, %v", c.UUID, found, err)
		}
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
