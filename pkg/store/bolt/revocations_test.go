package bolt

import (
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// A file of an earlier build has no list of revocations. Opening it makes the list, once.
func TestRevocationsOfAnEarlierBuildAreListed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	s, err := Open(path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	err = s.file.Update(func(tx *bbolt.Tx) error {
		w := boltfile.NewTx(tx, isAppendOnly)
		for i, c := range []vault.Certificate{
			{Identity: vault.Identity{UUID: "a", Reference: "A"}, Institution: 1, Status: vault.Revoked, Revocation: &vault.Revocation{At: at.Add(time.Hour), Reason: "mistaken"}},
			{Identity: vault.Identity{UUID: "b", Reference: "B"}, Institution: 1, Status: vault.Approved, SupersededBy: "c", UpdatedAt: at},
			{Identity: vault.Identity{UUID: "c", Reference: "C"}, Institution: 1, Status: vault.Approved, Supersedes: "b"},
			{Identity: vault.Identity{UUID: "d", Reference: "D"}, Institution: 2, Status: vault.Revoked, Revocation: &vault.Revocation{At: at}},
		} {
			c.ID = uint64(i + 1)
			if err := w.PutRecord(certificatesBucket, boltfile.U64(c.ID), c); err != nil {
				return err
			}
		}
		return w.Delete(metaBucket, revocationsKey)
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = Open(path, time.Second); err != nil {
			t.Fatal(err)
		}
		list, err := s.Revocations(t.Context(), 1, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		want := []vault.RevocationRecord{
			{Reference: "B", Status: vault.ValiditySuperseded, At: at, Successor: "C"},
			{Reference: "A", Status: vault.ValidityRevoked, At: at.Add(time.Hour)},
		}
		if len(list) != 2 || list[0] != want[0] || list[1] != want[1] {
			t.Errorf("the list is %+v", list)
		}
		if n, err := s.RevocationCount(t.Context(), 2); err != nil || n != 1 {
			t.Errorf("the other institution has %d revocations (%v)", n, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
