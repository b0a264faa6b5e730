package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The bucket; schema.go draws all.
var correctionsBucket = []byte("corrections")

// correctionBuckets returns the buckets above, for the schema.
func correctionBuckets() [][]byte { return [][]byte{correctionsBucket} }

func correctionKey(institution uint32, id uint64) []byte {
	return boltfile.JoinKey(boltfile.U32(institution), boltfile.U64(id))
}

// AddCorrection implements store.Corrections.
func (s *Store) AddCorrection(ctx context.Context, c vault.CorrectionRequest) (vault.CorrectionRequest, error) {
	return writeTx(ctx, s, func(t *txn) (vault.CorrectionRequest, error) {
		open, err := t.listCorrections(c.Institution, func(o vault.CorrectionRequest) bool { return o.Certificate == c.Certificate && !o.Done() })
		if err != nil {
			return c, err
		}
		if len(open) >= vault.MaxOpenCorrectionRequests {
			return c, fault.New(fault.Unavailable, "Earlier requests about this certificate are still open; the institution will answer them.")
		}
		if c.ID, err = t.Bucket(correctionsBucket).NextSequence(); err != nil {
			return c, fmt.Errorf("numbering a correction: %w", err)
		}
		return c, t.PutRecord(correctionsBucket, correctionKey(c.Institution, c.ID), c)
	})
}

// listCorrections reads those of an institution that are chosen.
func (t *txn) listCorrections(institution uint32, chosen func(vault.CorrectionRequest) bool) (found []vault.CorrectionRequest, err error) {
	prefix, c := boltfile.U32(institution), t.Bucket(correctionsBucket).Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		var one vault.CorrectionRequest
		if err := boltfile.Decode(k, v, &one); err != nil {
			return nil, err
		}
		if chosen(one) {
			found = append(found, one)
		}
	}
	return found, nil
}

// Corrections implements store.Corrections.
func (s *Store) Corrections(ctx context.Context, institution uint32, all bool) ([]vault.CorrectionRequest, error) {
	return readTx(ctx, s, func(t *txn) ([]vault.CorrectionRequest, error) {
		return t.listCorrections(institution, func(c vault.CorrectionRequest) bool { return all || !c.Done() })
	})
}

// ChangeCorrection implements store.Corrections.
func (s *Store) ChangeCorrection(ctx context.Context, institution uint32, id uint64,
	change func(vault.CorrectionRequest) (vault.CorrectionRequest, error)) (vault.CorrectionRequest, error) {
	return writeTx(ctx, s, func(t *txn) (vault.CorrectionRequest, error) {
		var old vault.CorrectionRequest
		at := correctionKey(institution, id)
		value := t.Get(correctionsBucket, at)
		if value == nil {
			return old, fault.Newf(fault.NotFound, "There is no correction %d.", id)
		}
		if err := boltfile.Decode(at, value, &old); err != nil {
			return old, err
		}
		changed, err := change(old)
		if err != nil {
			return old, err
		}
		t.about.note(institution, fmt.Sprintf("correction %d of certificate %s", id, old.Certificate), "")
		return changed, t.PutRecord(correctionsBucket, at, changed)
	})
}

// DeleteCorrections implements store.Corrections.
func (s *Store) DeleteCorrections(ctx context.Context, institution uint32, certificate string) error {
	return s.update(ctx, func(t *txn) error { return t.deleteCorrections(institution, certificate) })
}

// deleteCorrections removes all requests about a certificate.
func (t *txn) deleteCorrections(institution uint32, certificate string) error {
	found, err := t.listCorrections(institution, func(c vault.CorrectionRequest) bool { return c.Certificate == certificate })
	for _, c := range found {
		if err == nil {
			err = t.Delete(correctionsBucket, correctionKey(institution, c.ID))
		}
	}
	return err
}
