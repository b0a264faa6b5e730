package signing

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

// logEntry enters a verified PDF in its institution's log and puts the proof into its signature.
type logEntry struct {
	key    *transparency.Key
	salt   transparency.Salt
	update pdf.Update
	at     time.Time
}

var _ vault.LogEntry = logEntry{}

func newLogEntry(key *transparency.Key, update pdf.Update, at time.Time) (logEntry, error) {
	e := logEntry{key: key, update: update, at: at}
	if _, err := rand.Read(e.salt[:]); err != nil {
		return e, fmt.Errorf("draw a salt: %w", err)
	}
	return e, nil
}

// LogKey implements vault.LogEntry.
func (e logEntry) LogKey() string { return e.key.Public() }

// Entry implements vault.LogEntry.
func (e logEntry) Entry() []byte {
	return transparency.CertificateEntry(e.salt, e.update.SignedBytes)
}

// At implements vault.LogEntry.
func (e logEntry) At() time.Time { return e.at }

// SignCheckpoint implements vault.LogEntry.
func (e logEntry) SignCheckpoint(size int64, root [32]byte) ([]byte, error) {
	return e.key.Sign(size, root)
}

// Complete implements vault.LogEntry.
func (e logEntry) Complete(c vault.Certificate, p vault.LogProof) (vault.Certificate, []byte, error) {
	hashes := make([]transparency.Hash, len(p.Hashes))
	for i, h := range p.Hashes {
		hashes[i] = h
	}
	with, err := e.update.WithLogProof(transparency.FormatProof(p.Index, e.salt, hashes, p.Checkpoint))
	if err != nil {
		return c, nil, fmt.Errorf("put a log proof into a signature: %w", err)
	}
	verified := *c.Verified
	verified.SHA256 = hex.EncodeToString(with.SHA256[:])
	c.Verified = &verified
	c.Log = &vault.LogPlace{Log: vault.LogID(e.key.Public()), Index: p.Index, Salt: e.salt[:]}
	return c, with.Bytes, nil
}
