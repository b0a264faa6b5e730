package institution

import (
	"sync"

	"github.com/vecctl/vecctl/pkg/vault/caller"
)

// remembered are tokens that calls were made with, by the hashes of their secrets,
// so that not every call reads its own. They are forgotten whenever one is changed.
type remembered struct {
	mu     sync.RWMutex
	byHash map[string]caller.Token
	age    uint64 // how often they were forgotten
}

// most bounds them.
const most = 10_000

// get returns a token; for one that is not there, the age tells put when it was
// looked for.
func (r *remembered) get(hash string) (token caller.Token, age uint64, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	token, ok = r.byHash[hash]
	return token, r.age, ok
}

// put remembers a token that was read since get, unless one was changed meanwhile:
// it could be that one, as it was before.
func (r *remembered) put(hash string, token caller.Token, age uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if age != r.age || len(r.byHash) >= most {
		return
	}
	if r.byHash == nil {
		r.byHash = map[string]caller.Token{}
	}
	r.byHash[hash] = token
}

func (r *remembered) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byHash, r.age = nil, r.age+1
}
