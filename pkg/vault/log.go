package vault

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// LogLeaf is an entry on its way into a log. The methods must only compute.
type LogLeaf interface {
	// LogKey is the public key of the log, which names the log too.
	LogKey() string
	// Entry is what the log keeps: 32 bytes that hold nothing about a person.
	Entry() []byte
	// At is the time of the entry.
	At() time.Time
	// SignCheckpoint signs the log with its number of entries and the hash of its tree's root.
	SignCheckpoint(size int64, root [32]byte) ([]byte, error)
}

// LogEntry is a certificate on its way into its institution's log of issued certificates. A
// store appends the entries of the certificates that one transaction approves, has the grown
// log signed once, and completes each certificate with its proof, in that transaction.
type LogEntry interface {
	LogLeaf
	// Complete returns the certificate with its place in the log, and its tail with the proof;
	// no tail where the verified PDF stays as it is.
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
	// Later says that the certificate entered the log after it was issued: its proof is not in its
	// verified PDF.
	Later bool `json:"later,omitempty"`
}

// StatementKind says what a statement in a log is about.
type StatementKind string

// The kinds of statements.
const (
	StatesRevocations StatementKind = "revocations" // the list of revocations and supersessions
	StatesAudit       StatementKind = "audit"       // the head of the audit trail
)

// LogStatement is an entry of a log that is not of a certificate: what it says was known to its
// institution when it was entered, and cannot be dated back afterwards.
type LogStatement struct {
	Index  int64         `json:"index"`
	Kind   StatementKind `json:"kind"`
	At     time.Time     `json:"at"`
	Count  uint64        `json:"count"`  // revocations that it covers; the number of the audit entry
	SHA256 string        `json:"sha256"` // of the covered lines; the hash of the audit entry
	Signed string        `json:"signed"` // the statement as a signed note
}

// RevocationRecord is a line of an institution's list of revocations and supersessions. The
// list only grows, in the order in which they were made, and holds nothing about a person.
type RevocationRecord struct {
	Reference string    `json:"reference_id"`
	Status    Validity  `json:"status"` // revoked or superseded
	At        time.Time `json:"at"`
	Successor string    `json:"superseded_by,omitempty"` // reference ID
}

// RevocationSince returns the line for what a change did to a certificate; false where the change
// neither revoked nor replaced it. The successor of a replaced one is left to the store.
func (c Certificate) RevocationSince(old Certificate) (RevocationRecord, bool) {
	r := RevocationRecord{Reference: c.Reference}
	switch {
	case c.Revocation != nil && old.Revocation == nil:
		r.Status, r.At = ValidityRevoked, c.Revocation.At
	case c.SupersededBy != "" && old.SupersededBy == "":
		r.Status, r.At = ValiditySuperseded, c.UpdatedAt
	default:
		return r, false
	}
	r.At = r.At.UTC().Truncate(time.Second)
	return r, true
}

// LogHead is what a log is at present.
type LogHead struct {
	Key        string    `json:"key"` // public
	CreatedAt  time.Time `json:"created_at"`
	Size       int64     `json:"size"`
	Checkpoint []byte    `json:"checkpoint"` // signed
	// Cosigned is the last checkpoint that enough witnesses have cosigned; nil where none is.
	Cosigned *CosignedCheckpoint `json:"cosigned,omitempty"`
}

// CosignedCheckpoint is a checkpoint with the cosignatures of witnesses.
type CosignedCheckpoint struct {
	Size       int64  `json:"size"`
	Checkpoint []byte `json:"checkpoint"` // signed by the log and the witnesses
}

// OweCosignatures records at approval that the certificate's log proof is to get the cosignatures of
// witnesses.
func (c Certificate) OweCosignatures(fx Effects, now time.Time) (Certificate, Effects) {
	v := *c.Verified
	v.CosignaturesOwed = true
	c.Verified = &v
	fx.Jobs = append(slices.Clone(fx.Jobs), Job{Kind: JobCosign, RunAt: now, CreatedAt: now})
	return c, fx
}

// AddCosignatures gives a certificate a log proof with cosignatures: its verified PDF, which had the
// SHA-256 before when it was read, now ends with another tail of the same length. No tail says that
// none can be added any more.
func (c Certificate) AddCosignatures(before, sha256 string, tail []byte, now time.Time) (Certificate, Effects, error) {
	switch {
	case c.Verified == nil || !c.Verified.CosignaturesOwed:
		return c, Effects{}, fault.Newf(fault.Illegal, "certificate %s lacks no cosignatures", c.Reference)
	case c.Verified.SHA256 != before:
		return c, Effects{}, fault.Newf(fault.Conflict, "the verified PDF of certificate %s has changed meanwhile", c.Reference)
	case tail != nil && int64(len(tail)) != c.Verified.TailSize:
		return c, Effects{}, fault.New(fault.Invalid, "cosignatures must not change the length of a verified PDF")
	}
	v := *c.Verified
	if v.CosignaturesOwed = false; tail != nil && sha256 != before {
		v.Earlier = append(slices.Clone(v.Earlier), v.SHA256)
		v.SHA256 = sha256
	}
	c.Verified, c.UpdatedAt = &v, now
	return c, Effects{Tail: tail}, nil
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

// CheckUnlogged refuses a certificate that cannot enter a log after it was issued.
func (c Certificate) CheckUnlogged() error {
	switch {
	case c.Log != nil:
		return fault.Newf(fault.Illegal, "certificate %s is in a log already", c.Reference)
	case c.Verified == nil || c.ErasedAt != nil:
		return fault.Newf(fault.Illegal, "certificate %s has no verified PDF", c.Reference)
	}
	return nil
}
