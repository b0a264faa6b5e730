package bolt

import (
	"bytes"
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// The buckets; schema.go draws all.
var (
	uploadsBucket     = []byte("uploads")
	uploadBlobsBucket = []byte("upload_blobs")
	responsesBucket   = []byte("replies")
)

// uploadBuckets returns the buckets above, for the schema.
func uploadBuckets() [][]byte { return [][]byte{uploadsBucket, uploadBlobsBucket, responsesBucket} }

// uploadKey is where an upload lies; nil for an ID that is no UUID.
func uploadKey(institution uint32, id string) []byte {
	key := boltfile.UUID(id)
	if key == nil {
		return nil
	}
	return boltfile.JoinKey(boltfile.U32(institution), key)
}

func responseKey(n apiaccess.IdempotencyKey) []byte {
	return boltfile.JoinKey(boltfile.U32(n.Institution), boltfile.TerminatedText(n.Caller), []byte(n.Key))
}

// AddUpload implements store.Uploads.
func (s *Store) AddUpload(ctx context.Context, u apiaccess.Upload, reply *apiaccess.StoredResponse) error {
	return s.update(ctx, func(t *txn) error {
		key := uploadKey(u.Institution, u.ID)
		switch {
		case key == nil:
			return fault.New(fault.Invalid, "an upload needs a UUID")
		case t.Get(uploadsBucket, key) != nil:
			return fault.New(fault.Conflict, "the ID drawn for an upload is taken; draw another")
		}
		t.about.note(u.Institution, "file "+u.ID, "")
		err := t.PutRecord(uploadsBucket, key, u)
		if err == nil {
			err = t.Put(uploadBlobsBucket, boltfile.JoinKey([]byte(u.File.SHA256), key), nil)
		}
		if err == nil && reply != nil {
			err = t.putResponse(*reply)
		}
		return err
	})
}

func (t *txn) upload(key []byte) (*apiaccess.Upload, error) {
	value := t.Get(uploadsBucket, key)
	if value == nil {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	var u apiaccess.Upload
	return &u, boltfile.Decode(key, value, &u)
}

// deleteUpload removes an upload that exists.
func (t *txn) deleteUpload(institution uint32, id string) error {
	key := uploadKey(institution, id)
	u, err := t.upload(key)
	if err != nil || u == nil {
		return err
	}
	if err := t.Delete(uploadsBucket, key); err != nil {
		return err
	}
	return t.Delete(uploadBlobsBucket, boltfile.JoinKey([]byte(u.File.SHA256), key))
}

// Uploads implements store.Uploads.
func (s *Store) Uploads(ctx context.Context, institution uint32, ids []string) ([]*apiaccess.Upload, error) {
	return readTx(ctx, s, func(t *txn) (found []*apiaccess.Upload, err error) {
		found = make([]*apiaccess.Upload, len(ids))
		for i, id := range ids {
			key := uploadKey(institution, id)
			if key == nil {
				continue
			}
			if found[i], err = t.upload(key); err != nil {
				return nil, err
			}
		}
		return found, nil
	})
}

// putResponse keeps a response in place of an older one.
func (t *txn) putResponse(r apiaccess.StoredResponse) error {
	return t.PutRecord(responsesBucket, responseKey(r.IdempotencyKey), r)
}

// StoredResponse implements store.Uploads.
func (s *Store) StoredResponse(ctx context.Context, name apiaccess.IdempotencyKey) (apiaccess.StoredResponse, error) {
	return readTx(ctx, s, func(t *txn) (r apiaccess.StoredResponse, err error) {
		key := responseKey(name)
		value := t.Get(responsesBucket, key)
		if value == nil {
			return r, fault.New(fault.NotFound, "no answer is stored under this key")
		}
		err = boltfile.Decode(key, value, &r)
		return r, err
	})
}

// expiryBatch is how many records are removed in one transaction.
const expiryBatch = 1000

// deleteExpiredUploads removes uploads and stored responses that are no longer usable and
// returns how many records that were.
func (s *Store) deleteExpiredUploads(ctx context.Context, now time.Time) (total int, err error) {
	for {
		old, err := readTx(ctx, s, func(t *txn) (bool, error) {
			found, err := t.expiredUploads(now, 1)
			return len(found) > 0, err
		})
		if err != nil || !old {
			return total, err // an idle home must not cost a write
		}
		n, err := writeTx(ctx, s, func(t *txn) (int, error) {
			found, err := t.expiredUploads(now, expiryBatch)
			if err != nil {
				return 0, err
			}
			for _, e := range found {
				if err := t.Delete(e.bucket, e.key); err != nil {
					return 0, err
				}
			}
			return len(found), nil
		})
		if err != nil {
			return total, err
		}
		total += n
	}
}

// hasUpload reports whether an upload is there to be used; the key may be nil.
func (t *txn) hasUpload(key []byte) bool {
	return key != nil && t.Get(uploadsBucket, key) != nil
}

// uploadNeedsBlob reports whether an upload needs a blob.
func (t *txn) uploadNeedsBlob(sum string) bool {
	return t.HasPrefix(uploadBlobsBucket, []byte(sum))
}

type expiredKey struct{ bucket, key []byte }

// expiredUploads lists records that are no longer usable.
func (t *txn) expiredUploads(now time.Time, most int) (found []expiredKey, err error) {
	c := t.Bucket(uploadsBucket).Cursor()
	for k, v := c.First(); k != nil && len(found) < most; k, v = c.Next() {
		var u apiaccess.Upload
		if err := boltfile.Decode(k, v, &u); err != nil {
			return nil, err
		}
		if !u.Usable(now) {
			found = append(found, expiredKey{bucket: uploadsBucket, key: bytes.Clone(k)},
				expiredKey{bucket: uploadBlobsBucket, key: boltfile.JoinKey([]byte(u.File.SHA256), k)})
		}
	}
	c = t.Bucket(responsesBucket).Cursor()
	for k, v := c.First(); k != nil && len(found) < most; k, v = c.Next() {
		var r apiaccess.StoredResponse
		if err := boltfile.Decode(k, v, &r); err != nil {
			return nil, err
		}
		if !r.Usable(now) {
			found = append(found, expiredKey{bucket: responsesBucket, key: bytes.Clone(k)})
		}
	}
	return found, nil
}
