package vault

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// LogEntry is a certificate on its way into its institution's log of issued certificates. A
// store appends the entries of the certificates that one transaction approves, has the grown
// log signed once, and completes each certificate with its proof, in that transaction. The
// methods must only compute.
type LogEntry interface {
	// LogKey is the public key of the log, which names the log too.
	LogKey() string
	// Entry is what the log keeps: 32 bytes that hold nothing about a person.
	Entry() []byte
	// At is the time of the entry.
	At() time.Time
	// SignCheckpoint signs the log with its number of entries and the hash of its tree's root.
	SignCheckpoint(size int64, root [32]byte) ([]byte, error)
	// Complete returns the certificate with its place in the log, and its tail with the proof.
	Complete(c Certificate, proof LogProof) (Certificate, []byte, error)
}

// LogProof says where in a log an entry is, and proves it.
type LogProof struct {
	Index      int64      // from 0
	Hashes     [][32]byte // from the entry to the root (RFC 6962, 2.1.1)
	Checkpoint []byte     // signed
}

// LogPlace is where a certificate is in a log.
type LogPlace struct {
	Log   string `json:"log"` // ID of the log
	Index int64  `json:"index"`
	Salt  []byte `json:"salt,omitempty"` // links the entry to the document; erased with the person
}

// LogHead is what a log is at present.
type LogHead struct {
	Key        string    `json:"key"` // public
	CreatedAt  time.Time `json:"created_at"`
	Size       int64     `json:"size"`
	Checkpoint []byte    `json:"checkpoint"` // signed
}

// LogID tells logs apart: LogHash in hexadecimal.
func LogID(key string) string {
	hash := LogHash(key)
	return hex.EncodeToString(hash[:])
}

// LogHash is the first eight bytes of the SHA-256 of a log's public key.
func LogHash(key string) [8]byte {
	sum := sha256.Sum256([]byte(key))
	return [8]byte(sum[:8])
}
