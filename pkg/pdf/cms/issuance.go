package cms

import (
	"crypto/sha256"
	"crypto/x509"
	"sync"
)

// maxIssuances are remembered at most.
const maxIssuances = 4096

// Issuances remembers which certificate made which: of a folder of documents, most come
// from the same few signers. Nil remembers nothing. It is safe for concurrent use.
type Issuances struct {
	mu    sync.Mutex
	known map[[2 * sha256.Size]byte]bool
}

// MadeBy is the function of that name, asked once for each pair of certificates.
func (i *Issuances) MadeBy(c, issuer *x509.Certificate) bool {
	if i == nil {
		return MadeBy(c, issuer)
	}
	var key [2 * sha256.Size]byte
	first, second := sha256.Sum256(c.Raw), sha256.Sum256(issuer.Raw)
	copy(key[:], first[:])
	copy(key[sha256.Size:], second[:])
	i.mu.Lock()
	made, ok := i.known[key]
	i.mu.Unlock()
	if ok {
		return made
	}
	made = MadeBy(c, issuer)
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.known == nil || len(i.known) >= maxIssuances {
		i.known = map[[2 * sha256.Size]byte]bool{}
	}
	i.known[key] = made
	return made
}
