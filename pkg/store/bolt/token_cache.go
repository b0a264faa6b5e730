package bolt

import (
	"sync"

	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// tokenCache holds tokens that calls were made with, by the hashes of their secrets, so that
// not every call reads its token. It is cleared whenever a token changes.
type tokenCache struct {
	mu         sync.RWMutex
	byHash     map[string]apiaccess.Token
	generation uint64 // how often it was cleared
}

// maxCachedTokens bounds the cache.
const maxCachedTokens = 10_000

// get returns a token. For one that is not cached, put takes the generation as the age of
// what is then read.
func (r *tokenCache) get(hash string) (token apiaccess.Token, age uint64, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	token, ok = r.byHash[hash]
	return token, r.generation, ok
}

// put keeps a token that was read since get, unless a token was changed meanwhile: it could
// be this one, as it was before.
func (r *tokenCache) put(hash string, token apiaccess.Token, age uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if age != r.generation || len(r.byHash) >= maxCachedTokens {
		return
	}
	if r.byHash == nil {
		r.byHash = map[string]apiaccess.Token{}
	}
	r.byHash[hash] = token
}

func (r *tokenCache) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byHash, r.generation = nil, r.generation+1
}
