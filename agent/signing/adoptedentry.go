package signing

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

// adoptedEntry enters a verified PDF that was issued before in its institution's log. The file was
// handed out and stays as it is; a proof in it is that of the log before.
type adoptedEntry struct {
	logEntry

	signedBytes [sha256.Size]byte
	tail        []byte
}

var _ vault.LogEntry = adoptedEntry{}

// NewAdoptedEntry is the log entry of a verified PDF with a SHA-256 of what its signature covers.
func NewAdoptedEntry(key *transparency.Key, signedBytes [sha256.Size]byte, tail []byte, at time.Time) (vault.LogEntry, error) {
	e := adoptedEntry{logEntry: logEntry{key: key, at: at}, signedBytes: signedBytes, tail: tail}
	if _, err := rand.Read(e.salt[:]); err != nil {
		return nil, fmt.Errorf("draw a salt: %w", err)
	}
	return e, nil
}

// Entry implements vault.LogEntry.
func (e adoptedEntry) Entry() []byte { return transparency.CertificateEntry(e.salt, e.signedBytes) }

// Complete implements vault.LogEntry.
func (e adoptedEntry) Complete(c vault.Certificate, p vault.LogProof) (vault.Certificate, []byte, error) {
	c.Log = &vault.LogPlace{Log: vault.LogID(e.key.Public()), Index: p.Index, Salt: e.salt[:]}
	return c, e.tail, nil
}
