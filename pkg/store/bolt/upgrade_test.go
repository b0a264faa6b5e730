package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// TestUpgrade opens a file of the first schema, which had no uploads.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := bolt.Open(path, time.Second)
	must(err)
	_, err = s.AddInstitution(t.Context(), vault.Institution{Name: "University", TimeZone: "UTC"})
	must(err)
	must(s.Close())
	db, err := bbolt.Open(path, 0o600, nil)
	must(err)
	must(db.Update(func(tx *bbolt.Tx) error {
		for _, name := range []string{"uploads", "upload_blobs", "replies"} {
			if err := tx.DeleteBucket([]byte(name)); err != nil {
				return err
			}
		}
		return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte{0, 0, 0, 0, 0, 0, 0, 1})
	}))
	must(db.Close())

	s = open(t, path)
	// Who wants to go back has the file as it was.
	before, err := bbolt.Open(path+".schema-1", 0o600, &bbolt.Options{ReadOnly: true})
	must(err)
	must(before.View(func(tx *bbolt.Tx) error {
		if tx.Bucket([]byte("uploads")) != nil || tx.Bucket([]byte("institutions")) == nil {
			t.Error("what was kept is not the file before the upgrade")
		}
		return nil
	}))
	must(before.Close())
	if i, err := s.CurrentInstitution(t.Context()); err != nil || i.Name != "University" {
		t.Errorf("the institution is %+v, %v", i, err)
	}
	const id = "9e3b101f-c264-4f97-945f-20dfa7163768"
	must(s.AddUpload(t.Context(), apiaccess.Upload{ID: id, Institution: 1}, nil))
	if found, err := s.Uploads(t.Context(), 1, []string{id}); err != nil || found[0] == nil {
		t.Errorf("the upload is %v, %v", found, err)
	}
}

// TestUpgradeOfTheIndex opens a file of the second schema, which found certificates
// by other indexes.
func TestUpgradeOfTheIndex(t *testing.T) {
	t.Parallel()
	path, all := populated(t)
	edit(t, path, func(tx *bbolt.Tx) error {
		for _, name := range []string{"columns", "pieces", "by_status", "texts"} {
			if err := tx.DeleteBucket([]byte(name)); err != nil {
				return err
			}
		}
		for _, name := range []string{"grams", "by_status", "texts"} {
			b, err := tx.CreateBucket([]byte(name))
			if err != nil {
				return err
			}
			if err := b.Put([]byte("\x00\x00\x00\x01approved\x00\x00\x00\x00\x00"), []byte("what an older program kept")); err != nil {
				return err
			}
		}
		return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte{0, 0, 0, 0, 0, 0, 0, 2})
	})
	s := open(t, path)
	for filter, want := range map[store.Filter]int{
		{Status: vault.Approved}: 1, {Status: vault.Processing}: len(all) - 1, {Search: "recipient 3"}: 1, {Search: "re"}: len(all), {Batch: "batch"}: len(all),
	} {
		filter.Institution = 1
		if page, err := s.List(t.Context(), filter, 1, 15); err != nil || page.Total != want {
			t.Errorf("%+v: %d, %v, want %d", filter, page.Total, err, want)
		}
	}
}

// TestUpgradeOfTheCauses opens a file of a program that did not index why certificates
// failed, and one that such a program has written to since.
func TestUpgradeOfTheCauses(t *testing.T) {
	t.Parallel()
	path, all := populated(t)
	failFor := func(name, code string) {
		t.Helper()
		s := open(t, path)
		_, err := s.Change(t.Context(), 1, name, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.Fail(vault.Failure{Code: code, Reason: "for a test"}, now)
		})
		must(t, err)
		must(t, s.Close())
	}
	wantCauses := func(want string) {
		t.Helper()
		s := open(t, path)
		groups, err := s.Failures(t.Context(), 1, "")
		must(t, err)
		got := ""
		for _, g := range groups {
			page, err := s.List(t.Context(), store.Filter{Institution: 1, Failure: g.Code}, 1, 10)
			must(t, err)
			got += fmt.Sprintf("%s %d %d; ", g.Code, g.Count, page.Total)
		}
		must(t, s.Close())
		if got != want {
			t.Errorf("causes %q, want %q", got, want)
		}
	}
	failFor(all[1].UUID, "damaged")
	failFor(all[2].UUID, "encrypted")
	edit(t, path, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("by_failure")) })
	wantCauses("damaged 1 1; encrypted 1 1; ")

	// The older program keeps the bucket as it is.
	var before [][2][]byte
	edit(t, path, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("by_failure")).ForEach(func(k, v []byte) error {
			before = append(before, [2][]byte{bytes.Clone(k), bytes.Clone(v)})
			return nil
		})
	})
	failFor(all[3].UUID, "damaged")
	edit(t, path, func(tx *bbolt.Tx) error {
		if err := tx.DeleteBucket([]byte("by_failure")); err != nil {
			return err
		}
		b, err := tx.CreateBucket([]byte("by_failure"))
		for _, entry := range before {
			err = errors.Join(err, b.Put(entry[0], entry[1]))
		}
		return err
	})
	wantCauses("damaged 2 2; encrypted 1 1; ")

	// A damaged record is listed, and says what is wrong when it is read; the store opens.
	edit(t, path, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("by_failure")) })
	flipIn(t, path, "certificates")
	s := open(t, path)
	_, err := s.Failures(t.Context(), 1, "")
	wantDamaged(t, "failures", err)
}

// TestUpgradeOfVerifiedPDFs opens a file of an earlier build, which had no index of
// verified PDFs, and one in which making it was interrupted.
func TestUpgradeOfVerifiedPDFs(t *testing.T) {
	t.Parallel()
	const sum = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	path := filepath.Join(t.TempDir(), "vault.db")
	s := open(t, path)
	all := populate(t, s)
	c, err := s.Change(t.Context(), 1, all[3].UUID, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Approve(vault.Verified{TailSize: 4, SHA256: sum}, []byte("the tail of it"), now)
	})
	must(t, err)
	must(t, s.Close())
	edit(t, path, func(tx *bbolt.Tx) error {
		if err := tx.Bucket([]byte("meta")).Delete([]byte("verified index")); err != nil {
			return err
		}
		return tx.DeleteBucket([]byte("by_verified"))
	})
	for range 2 {
		s, err := bolt.Open(path, time.Second)
		must(t, err)
		found, err := s.ByVerifiedSHA256(t.Context(), sum)
		if err != nil || found[0] == nil || found[0].UUID != c.UUID {
			t.Errorf("found %+v, %v", found, err)
		}
		must(t, s.Close())
		edit(t, path, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Delete([]byte("verified index")) })
	}
}
