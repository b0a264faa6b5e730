package institution

import (
	"context"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault/caller"
)

func noToken() error { return fault.New(fault.NotFound, "Token not found.") }

// AddToken implements store.Tokens.
func (s *Register) AddToken(ctx context.Context, token caller.Token) error {
	return s.write(ctx, func(t *tree.Tx) error {
		if t.Get(byHash, []byte(token.Hash)) != nil || t.Get(tokens, []byte(token.ID)) != nil {
			return fault.New(fault.Conflict, "the token exists already")
		}
		if err := t.Put(byHash, []byte(token.Hash), []byte(token.ID)); err != nil {
			return err
		}
		return putToken(t, token)
	})
}

func putToken(t *tree.Tx, token caller.Token) error {
	return t.Keep(tokens, []byte(token.ID), token)
}

func token(t *tree.Tx, id []byte) (caller.Token, error) {
	var token caller.Token
	value := t.Get(tokens, id)
	if value == nil {
		return token, noToken()
	}
	err := record.Decode(id, value, &token)
	return token, err
}

// TokenByHash implements store.Tokens.
func (s *Register) TokenByHash(ctx context.Context, hash string) (caller.Token, error) {
	known, age, ok := s.remembered.get(hash)
	if ok {
		return known, ctx.Err()
	}
	read, err := tree.Run(ctx, s.read, func(t *tree.Tx) (caller.Token, error) {
		id := t.Get(byHash, []byte(hash))
		if id == nil {
			return caller.Token{}, standIn(t)
		}
		token, err := token(t, id)
		if err == nil && token.Hash != hash {
			err = record.Misplaced(byHash, []byte(hash))
		}
		return token, err
	})
	if err == nil && read.RevokedAt.IsZero() {
		s.remembered.put(hash, read, age)
	}
	return read, err
}

// standIn reads any token in the place of one that there is not, so that the time
// of an answer does not tell an unknown secret from a revoked one.
func standIn(t *tree.Tx) error {
	if id, _ := t.Cursor(tokens).First(); id != nil {
		_, _ = token(t, id) // what is wrong with it is not this caller's
	}
	return noToken()
}

// ChangeToken implements store.Tokens.
func (s *Register) ChangeToken(ctx context.Context, institution uint32, id string, change func(caller.Token) (caller.Token, error)) (caller.Token, error) {
	defer s.remembered.forget()
	return tree.Run(ctx, s.write, func(t *tree.Tx) (caller.Token, error) {
		old, err := token(t, []byte(id))
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
func (s *Register) Tokens(ctx context.Context, institution uint32) ([]caller.Token, error) {
	return tree.Run(ctx, s.read, func(t *tree.Tx) (all []caller.Token, err error) {
		err = t.Bucket(tokens).ForEach(func(k, v []byte) error {
			var token caller.Token
			if err := record.Decode(k, v, &token); err != nil {
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
