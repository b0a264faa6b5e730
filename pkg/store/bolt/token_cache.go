package bolt

import (
	"sync"

	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// tokenCache are tokens that calls were made with, by the hashes of their secrets,
// so that not every call reads its own. They are forgotten whenever one is changed.
type tokenCache struct {
	mu         sync.RWMutex
	byHash     map[string]apiaccess.Token
	generation uint64 // how often they were forgotten
}

// maxCachedTokens bounds them.
const maxCachedTokens = 10_000

// get returns a token; for one that is not there, the age tells put when it was
// looked for.
func (r *tokenCache) get(hash string) (token apiaccess.Token, age uint64, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	token, ok = r.byHash[hash]
	return token, r.generation, ok
}

// put remembers a token that was read since get, unless one was changed meanwhile:
// it could be that one, as it was before.
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
