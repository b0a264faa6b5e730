package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

func noToken() error { return fault.New(fault.NotFound, "Token not found.") }

// AddToken implements store.Tokens.
func (s *institutionTable) AddToken(ctx context.Context, token apiaccess.Token) error {
	return s.write(ctx, func(t *boltfile.Tx) error {
		if t.Get(tokenByHashBucket, []byte(token.Hash)) != nil || t.Get(tokensBucket, []byte(token.ID)) != nil {
			return fault.New(fault.Conflict, "the token exists already")
		}
		if err := t.Put(tokenByHashBucket, []byte(token.Hash), []byte(token.ID)); err != nil {
			return err
		}
		return putToken(t, token)
	})
}

func putToken(t *boltfile.Tx, token apiaccess.Token) error {
	return t.PutRecord(tokensBucket, []byte(token.ID), token)
}

func getToken(t *boltfile.Tx, id []byte) (apiaccess.Token, error) {
	var token apiaccess.Token
	value := t.Get(tokensBucket, id)
	if value == nil {
		return token, noToken()
	}
	err := boltfile.Decode(id, value, &token)
	return token, err
}

// TokenByHash implements store.Tokens.
func (s *institutionTable) TokenByHash(ctx context.Context, hash string) (apiaccess.Token, error) {
	known, age, ok := s.tokenCache.get(hash)
	if ok {
		return known, ctx.Err()
	}
	read, err := boltfile.RunTx(ctx, s.read, func(t *boltfile.Tx) (apiaccess.Token, error) {
		id := t.Get(tokenByHashBucket, []byte(hash))
		if id == nil {
			return apiaccess.Token{}, missingToken(t)
		}
		token, err := getToken(t, id)
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

// missingToken reads any token in the place of one that there is not, so that the time
// of an answer does not tell an unknown secret from a revoked one.
func missingToken(t *boltfile.Tx) error {
	if id, _ := t.Cursor(tokensBucket).First(); id != nil {
		_, _ = getToken(t, id) // what is wrong with it is not this caller's
	}
	return noToken()
}

// ChangeToken implements store.Tokens.
func (s *institutionTable) ChangeToken(ctx context.Context, institution uint32, id string, change func(apiaccess.Token) (apiaccess.Token, error)) (apiaccess.Token, error) {
	defer s.tokenCache.clear()
	return boltfile.RunTx(ctx, s.write, func(t *boltfile.Tx) (apiaccess.Token, error) {
		old, err := getToken(t, []byte(id))
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
		return changed, putToken(t, changed)
	})
}

// Tokens implements store.Tokens.
func (s *institutionTable) Tokens(ctx context.Context, institution uint32) ([]apiaccess.Token, error) {
	return boltfile.RunTx(ctx, s.read, func(t *boltfile.Tx) (all []apiaccess.Token, err error) {
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
