// Package upload keeps uploaded files that no certificate has used yet, and the
// answers to calls that may be repeated.
package upload

import (
	"bytes"
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault/caller"
)

// The buckets; package schema draws them.
var (
	uploads     = []byte("uploads")
	uploadBlobs = []byte("upload_blobs")
	replies     = []byte("replies")
)

// Buckets are those that only this package writes to.
func Buckets() [][]byte { return [][]byte{uploads, uploadBlobs, replies} }

// BlobIndex is the bucket whose keys begin with the sums of the blobs that uploads
// need.
func BlobIndex() []byte { return uploadBlobs }

// Register implements store.Uploads.
type Register struct {
	read, write func(context.Context, func(*tree.Tx) error) error
}

// New works with functions that run another in a transaction.
func New(read, write func(context.Context, func(*tree.Tx) error) error) *Register {
	return &Register{read: read, write: write}
}

// Key is where an upload lies; nil for an ID that is no UUID.
func Key(institution uint32, id string) []byte {
	key := record.UUID(id)
	if key == nil {
		return nil
	}
	return record.Join(record.U32(institution), key)
}

func replyKey(n caller.ReplyName) []byte {
	return record.Join(record.U32(n.Institution), record.Text(n.Caller), []byte(n.Key))
}

// AddUpload implements store.Uploads.
func (s *Register) AddUpload(ctx context.Context, u caller.Upload, reply *caller.Reply) error {
	return s.write(ctx, func(t *tree.Tx) error {
		key := Key(u.Institution, u.ID)
		switch {
		case key == nil:
			return fault.New(fault.Invalid, "an upload needs a UUID")
		case t.Get(uploads, key) != nil:
			return fault.New(fault.Conflict, "the ID drawn for an upload is taken; draw another")
		}
		err := t.Keep(uploads, key, u)
		if err == nil {
			err = t.Put(uploadBlobs, record.Join([]byte(u.File.SHA256), key), nil)
		}
		if err == nil && reply != nil {
			err = PutReply(t, *reply)
		}
		return err
	})
}

func get(t *tree.Tx, key []byte) (*caller.Upload, error) {
	value := t.Get(uploads, key)
	if value == nil {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	var u caller.Upload
	return &u, record.Decode(key, value, &u)
}

// Drop forgets an upload that is there.
func Drop(t *tree.Tx, institution uint32, id string) error {
	key := Key(institution, id)
	u, err := get(t, key)
	if err != nil || u == nil {
		return err
	}
	if err := t.Delete(uploads, key); err != nil {
		return err
	}
	return t.Delete(uploadBlobs, record.Join([]byte(u.File.SHA256), key))
}

// Uploads implements store.Uploads.
func (s *Register) Uploads(ctx context.Context, institution uint32, ids []string) ([]*caller.Upload, error) {
	return tree.Run(ctx, s.read, func(t *tree.Tx) (found []*caller.Upload, err error) {
		found = make([]*caller.Upload, len(ids))
		for i, id := range ids {
			key := Key(institution, id)
			if key == nil {
				continue
			}
			if found[i], err = get(t, key); err != nil {
				return nil, err
			}
		}
		return found, nil
	})
}

// PutReply keeps an answer in place of an older one.
func PutReply(t *tree.Tx, r caller.Reply) error {
	return t.Keep(replies, replyKey(r.ReplyName), r)
}

// Reply implements store.Uploads.
func (s *Register) Reply(ctx context.Context, name caller.ReplyName) (caller.Reply, error) {
	return tree.Run(ctx, s.read, func(t *tree.Tx) (r caller.Reply, err error) {
		key := replyKey(name)
		value := t.Get(replies, key)
		if value == nil {
			return r, fault.New(fault.NotFound, "there is no answer under this key")
		}
		err = record.Decode(key, value, &r)
		return r, err
	})
}

// expireGroup is how many records are forgotten in one transaction.
const expireGroup = 1000

// Expire implements store.Uploads.
func (s *Register) Expire(ctx context.Context, now time.Time) (total int, err error) {
	for {
		old, err := tree.Run(ctx, s.read, func(t *tree.Tx) (bool, error) {
			found, err := stale(t, now, 1)
			return len(found) > 0, err
		})
		if err != nil || !old {
			return total, err // an idle home must not cost a write
		}
		n, err := tree.Run(ctx, s.write, func(t *tree.Tx) (int, error) {
			found, err := stale(t, now, expireGroup)
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

// Has tells whether an upload is there to be used; the key may be nil.
func Has(t *tree.Tx, key []byte) bool { return key != nil && t.Get(uploads, key) != nil }

// Needs tells whether an upload needs a blob.
func Needs(t *tree.Tx, sum string) bool { return t.Begins(uploadBlobs, []byte(sum)) }

type entry struct{ bucket, key []byte }

// stale lists records that are no longer usable.
func stale(t *tree.Tx, now time.Time, most int) (found []entry, err error) {
	c := t.Bucket(uploads).Cursor()
	for k, v := c.First(); k != nil && len(found) < most; k, v = c.Next() {
		var u caller.Upload
		if err := record.Decode(k, v, &u); err != nil {
			return nil, err
		}
		if !u.Usable(now) {
			found = append(found, entry{bucket: uploads, key: bytes.Clone(k)},
				entry{bucket: uploadBlobs, key: record.Join([]byte(u.File.SHA256), k)})
		}
	}
	c = t.Bucket(replies).Cursor()
	for k, v := c.First(); k != nil && len(found) < most; k, v = c.Next() {
		var r caller.Reply
		if err := record.Decode(k, v, &r); err != nil {
			return nil, err
		}
		if !r.Usable(now) {
			found = append(found, entry{bucket: replies, key: bytes.Clone(k)})
		}
	}
	return found, nil
}
