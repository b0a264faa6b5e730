package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

func noToken() error { return fault.New(fault.NotFound, "Token not found.") }

// AddToken implements store.Tokens.
func (s *Store) AddToken(ctx context.Context, token vault.Token) error {
	_, err := write(ctx, s, func(t *txn) (vault.Token, error) {
		if t.get(byHash, []byte(token.Hash)) != nil || t.get(tokens, []byte(token.ID)) != nil {
			return token, fault.New(fault.Conflict, "the token exists already")
		}
		if err := t.put(byHash, []byte(token.Hash), []byte(token.ID)); err != nil {
			return token, err
		}
		return token, t.putToken(token)
	})
	return err
}

func (t *txn) putToken(token vault.Token) error {
	key := []byte(token.ID)
	value, err := encode(key, token)
	if err != nil {
		return err
	}
	return t.put(tokens, key, value)
}

func (t *txn) token(id []byte) (vault.Token, error) {
	var token vault.Token
	value := t.get(tokens, id)
	if value == nil {
		return token, noToken()
	}
	err := decode(id, value, &token)
	return token, err
}

// TokenByHash implements store.Tokens.
func (s *Store) TokenByHash(ctx context.Context, hash string) (vault.Token, error) {
	return read(ctx, s, func(t *txn) (vault.Token, error) {
		token, err := t.token(t.get(byHash, []byte(hash)))
		if err == nil && token.Hash != hash {
			err = wrongEntry(byHash, []byte(hash))
		}
		return token, err
	})
}

// ChangeToken implements store.Tokens.
func (s *Store) ChangeToken(ctx context.Context, institution uint32, id string, change func(vault.Token) (vault.Token, error)) (vault.Token, error) {
	return write(ctx, s, func(t *txn) (vault.Token, error) {
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
func (s *Store) Tokens(ctx context.Context, institution uint32) ([]vault.Token, error) {
	return read(ctx, s, func(t *txn) (all []vault.Token, err error) {
		err = t.bucket(tokens).ForEach(func(k, v []byte) error {
			var token vault.Token
			if err := decode(k, v, &token); err != nil {
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
