package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

func noToken() error { return fault.New(fault.NotFound, "Token not found.") }

// AddToken implements store.Tokens.
func (s *Store) AddToken(ctx context.Context, token apiaccess.Token) error {
	return s.update(ctx, func(t *txn) error {
		if t.Get(tokenByHashBucket, []byte(token.Hash)) != nil || t.Get(tokensBucket, []byte(token.ID)) != nil {
			return fault.New(fault.Conflict, "the token exists already")
		}
		if err := t.Put(tokenByHashBucket, []byte(token.Hash), []byte(token.ID)); err != nil {
			return err
		}
		return t.putToken(token)
	})
}

func (t *txn) putToken(token apiaccess.Token) error {
	t.about.note(token.Institution, "token "+token.Name+" ("+token.ID+")", "")
	return t.PutRecord(tokensBucket, []byte(token.ID), token)
}

func (t *txn) token(id []byte) (apiaccess.Token, error) {
	var token apiaccess.Token
	value := t.Get(tokensBucket, id)
	if value == nil {
		return token, noToken()
	}
	err := boltfile.Decode(id, value, &token)
	return token, err
}

// TokenByHash implements store.Tokens.
func (s *Store) TokenByHash(ctx context.Context, hash string) (apiaccess.Token, error) {
	known, age, ok := s.tokenCache.get(hash)
	if ok {
		return known, ctx.Err()
	}
	read, err := readTx(ctx, s, func(t *txn) (apiaccess.Token, error) {
		id := t.Get(tokenByHashBucket, []byte(hash))
		if id == nil {
			return apiaccess.Token{}, t.missingToken()
		}
		token, err := t.token(id)
		if err == nil && token.Hash != hash {
			err = boltfile.IndexDamaged(tokenByHashBucket, []byte(hash))
		}
		return token, err
	})
	if err == nil && read.RevokedAt.IsZero() {
		s.tokenCache.put(hash, read, age)
	}
	return read, err
}

// missingToken reads any token instead of one that does not exist, so that the time of a
// response does not distinguish an unknown secret from a revoked one.
func (t *txn) missingToken() error {
	if id, _ := t.Cursor(tokensBucket).First(); id != nil {
		_, _ = t.token(id) // what is wrong with it is not this caller's
	}
	return noToken()
}

// ChangeToken implements store.Tokens.
func (s *Store) ChangeToken(ctx context.Context, institution uint32, id string, change func(apiaccess.Token) (apiaccess.Token, error)) (apiaccess.Token, error) {
	defer s.tokenCache.clear()
	return writeTx(ctx, s, func(t *txn) (apiaccess.Token, error) {
		old, err := t.token([]byte(id))
		if err != nil {
			return old, err
		}
		if old.Institution != institution {
			return old, noToken()
		}
		changed, err := change(old)
		if err != nil {
			return old, err
		}
		return changed, t.putToken(changed)
	})
}

// Tokens implements store.Tokens.
func (s *Store) Tokens(ctx context.Context, institution uint32) ([]apiaccess.Token, error) {
	return readTx(ctx, s, func(t *txn) (all []apiaccess.Token, err error) {
		err = t.Bucket(tokensBucket).ForEach(func(k, v []byte) error {
			var token apiaccess.Token
			if err := boltfile.Decode(k, v, &token); err != nil {
				return err
			}
			if token.Institution == institution {
				all = append(all, token)
			}
			return nil
		})
		return all, err
	})
}
