package bolt_test

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// TestUnknownTokenCost holds the looking up of an unknown secret to the work that a
// revoked one makes: the time of an answer must not tell them apart.
func TestUnknownTokenCost(t *testing.T) { //nolint:paralleltest // it counts what is allocated
	s := open(t, filepath.Join(t.TempDir(), "vault.db"))
	now := time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)
	token, _, err := apiaccess.NewToken(rand.Reader, apiaccess.Token{Institution: 1, Name: "one", Permissions: []apiaccess.Permission{apiaccess.MayList}}, now)
	must(t, err)
	must(t, s.AddToken(t.Context(), token))
	_, err = s.ChangeToken(t.Context(), 1, token.ID, func(t apiaccess.Token) (apiaccess.Token, error) { return t.Revoke(now) })
	must(t, err)
	// A mean, since the race detector at times takes away what would be used again.
	cost := func(hash string) float64 {
		const times = 1000
		return testing.AllocsPerRun(1, func() {
			for range times {
				_, _ = s.TokenByHash(t.Context(), hash)
			}
		}) / times
	}
	revoked, unknown := cost(token.Hash), cost(vault.HashSecret("unknown"))
	if unknown < revoked || unknown > revoked+4 {
		t.Errorf("an unknown secret costs %v allocations, a revoked one %v", unknown, revoked)
	}
}
