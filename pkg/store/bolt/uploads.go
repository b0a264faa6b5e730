package bolt

import (
	"bytes"
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// uploadKey is where an upload lies; nil for an ID that is no UUID.
func uploadKey(institution uint32, id string) []byte {
	key := uuidKey(id)
	if key == nil {
		return nil
	}
	return join(u32(institution), key)
}

func replyKey(n vault.ReplyName) []byte {
	return join(u32(n.Institution), text(n.Caller), []byte(n.Key))
}

// AddUpload implements store.Uploads.
func (s *Store) AddUpload(ctx context.Context, u vault.Upload, reply *vault.Reply) error {
	_, err := write(ctx, s, func(t *txn) (struct{}, error) {
		key := uploadKey(u.Institution, u.ID)
		switch {
		case key == nil:
			return struct{}{}, fault.New(fault.Invalid, "an upload needs a UUID")
		case t.get(uploads, key) != nil:
			return struct{}{}, fault.New(fault.Conflict, "the ID drawn for an upload is taken; draw another")
		}
		value, err := encode(key, u)
		if err != nil {
			return struct{}{}, err
		}
		err = t.putAll([]entry{{uploads, key, value}, {uploadBlobs, join([]byte(u.File.SHA256), key), nil}})
		if err == nil && reply != nil {
			err = t.putReply(*reply)
		}
		return struct{}{}, err
	})
	return err
}

func (t *txn) upload(key []byte) (*vault.Upload, error) {
	value := t.get(uploads, key)
	if value == nil {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	var u vault.Upload
	return &u, decode(key, value, &u)
}

// dropUpload forgets an upload that is there.
func (t *txn) dropUpload(institution uint32, id string) error {
	key := uploadKey(institution, id)
	u, err := t.upload(key)
	if err != nil || u == nil {
		return err
	}
	if err := t.delete(uploads, key); err != nil {
		return err
	}
	return t.delete(uploadBlobs, join([]byte(u.File.SHA256), key))
}

// Uploads implements store.Uploads.
func (s *Store) Uploads(ctx context.Context, institution uint32, ids []string) ([]*vault.Upload, error) {
	return read(ctx, s, func(t *txn) (found []*vault.Upload, err error) {
		found = make([]*vault.Upload, len(ids))
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

func (t *txn) putReply(r vault.Reply) error {
	key := replyKey(r.ReplyName)
	value, err := encode(key, r)
	if err != nil {
		return err
	}
	return t.put(replies, key, value)
}

// Reply implements store.Uploads.
func (s *Store) Reply(ctx context.Context, name vault.ReplyName) (vault.Reply, error) {
	return read(ctx, s, func(t *txn) (r vault.Reply, err error) {
		key := replyKey(name)
		value := t.get(replies, key)
		if value == nil {
			return r, fault.New(fault.NotFound, "there is no answer under this key")
		}
		err = decode(key, value, &r)
		return r, err
	})
}

// expireGroup is how many records are forgotten in one transaction.
const expireGroup = 1000

// Expire implements store.Uploads.
func (s *Store) Expire(ctx context.Context, now time.Time) (total int, err error) {
	for {
		old, err := read(ctx, s, func(t *txn) (bool, error) {
			stale, err := t.stale(now, 1)
			return len(stale) > 0, err
		})
		if err != nil || !old {
			return total, err // an idle home must not cost a write
		}
		n, err := write(ctx, s, func(t *txn) (int, error) {
			stale, err := t.stale(now, expireGroup)
			if err != nil {
				return 0, err
			}
			for _, e := range stale {
				if err := t.delete(e.bucket, e.key); err != nil {
					return 0, err
				}
			}
			return len(stale), nil
		})
		if err != nil {
			return total, err
		}
		total += n
	}
}

// stale lists records that are no longer usable.
func (t *txn) stale(now time.Time, most int) (found []entry, err error) {
	c := t.bucket(uploads).Cursor()
	for k, v := c.First(); k != nil && len(found) < most; k, v = c.Next() {
		var u vault.Upload
		if err := decode(k, v, &u); err != nil {
			return nil, err
		}
		if !u.Usable(now) {
			found = append(found, entry{bucket: uploads, key: bytes.Clone(k)},
				entry{bucket: uploadBlobs, key: join([]byte(u.File.SHA256), k)})
		}
	}
	c = t.bucket(replies).Cursor()
	for k, v := c.First(); k != nil && len(found) < most; k, v = c.Next() {
		var r vault.Reply
		if err := decode(k, v, &r); err != nil {
			return nil, err
		}
		if !r.Usable(now) {
			found = append(found, entry{bucket: replies, key: bytes.Clone(k)})
		}
	}
	if len(found) >= most {
		return found, nil
	}
	links, err := t.staleLinks(now)
	return append(found, links...), err
}
