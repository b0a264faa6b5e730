package storetest

import (
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

func (f *fixture) newToken(institution uint32, name string) (apiaccess.Token, string) {
	f.Helper()
	t, secret, err := apiaccess.NewToken(f.random, apiaccess.Token{
		Institution: institution, Name: name, Permissions: []apiaccess.Permission{apiaccess.MayList}}, f.tick())
	f.check(err)
	return t, secret
}

func (f *fixture) token(institution uint32, name string) (apiaccess.Token, string) {
	f.Helper()
	t, secret := f.newToken(institution, name)
	f.check(f.store.AddToken(f.Context(), t))
	return t, secret
}

func tokens(f *fixture) {
	one, secret := f.token(f.a, "one")
	two, _ := f.token(f.a, "two")
	f.token(f.b, "other")
	f.wantKind(f.store.AddToken(f.Context(), one), fault.Conflict, "adding a token twice")
	found, err := f.store.TokenByHash(f.Context(), vault.HashSecret(secret))
	f.check(err)
	f.wantSame(found, one, "by the secret's hash")
	_, err = f.store.TokenByHash(f.Context(), vault.HashSecret(secret+"x"))
	f.wantKind(err, fault.NotFound, "an unknown secret")
	all, err := f.store.Tokens(f.Context(), f.a)
	f.check(err)
	f.wantSame(all, []apiaccess.Token{one, two}, "an institution's tokens")
	revoke := func(t apiaccess.Token) (apiaccess.Token, error) { return t.Revoke(f.now) }
	_, err = f.store.ChangeToken(f.Context(), f.b, one.ID, revoke)
	f.wantKind(err, fault.NotFound, "another institution's token")
	revoked, err := f.store.ChangeToken(f.Context(), f.a, one.ID, revoke)
	f.check(err)
	if revoked.Usable(f.now) {
		f.Error("a revoked token is usable")
	}
	_, err = f.store.ChangeToken(f.Context(), f.a, one.ID, revoke)
	f.wantKind(err, fault.Illegal, "revoking twice")
	found, err = f.store.TokenByHash(f.Context(), one.Hash)
	f.check(err)
	f.wantSame(found, revoked, "a revoked token")
}
