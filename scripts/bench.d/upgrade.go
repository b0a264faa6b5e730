package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/vecctl/vecctl/pkg/store/bolt/search"
)

// benchUpgrade starts an agent over many certificates that an older version kept: the
// first start upgrades the home, and keeps the database as it was; later ones do not.
func benchUpgrade(s setup, t *table) error {
	home := filepath.Join(s.dir, fmt.Sprintf("upgrade-%d", idleCertificates))
	if err := fillHome(s, home); err != nil {
		return err
	}
	database := filepath.Join(home, "vault.db")
	var first, copied, later []float64
	for range s.repeat {
		if err := makeOld(database); err != nil {
			return err
		}
		took, err := timed(func() error {
			return quiet("sh", "-c", fmt.Sprintf("cp %q %q && sync %q", database, database+".copy", database+".copy"))
		})
		if err != nil {
			return err
		}
		copied = append(copied, took)
		for _, into := range []*[]float64{&first, &later} {
			agent, started, err := startAgent(s, home)
			if err != nil {
				return err
			}
			stopAgent(agent)
			*into = append(*into, started)
		}
		if _, err := os.Stat(database + ".schema-2"); err != nil {
			return fmt.Errorf("the home was not upgraded: %w", err)
		}
		if err := errors.Join(os.Remove(database+".schema-2"), os.Remove(database+".copy")); err != nil {
			return err
		}
	}
	t.below("upgraded home, 100,000 certificates: start", later, 2, seconds)
	// It writes the database a second time, durably, so it cannot be faster than cp.
	t.told("  the first one, which upgrades it", first, seconds)
	t.told("  cp of the database, flushed", copied, seconds)
	return nil
}

// makeOld makes a database one of the second schema, which found certificates by
// other indexes.
func makeOld(path string) error {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range search.Buckets() {
			if err := tx.DeleteBucket(name); err != nil && !errors.Is(err, bolterrors.ErrBucketNotFound) {
				return err
			}
		}
		return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte{0, 0, 0, 0, 0, 0, 0, 2})
	})
	return errors.Join(err, db.Close())
}
