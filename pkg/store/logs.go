package store

import (
	"context"

	"github.com/vecctl/vecctl/pkg/vault"
)

// LogAddition is an entry that AppendLog appends. One of the two is set.
type LogAddition struct {
	Leaf vault.LogLeaf
	// Statement is kept with its index.
	Statement *vault.LogStatement
	// Certificate is the UUID of a certificate whose Leaf is a vault.LogEntry, which completes it.
	Certificate string
}

// Logs are the institutions' logs of issued certificates. Complete appends to them: the
// certificates that one call approves with Effects.Log enter the log of their key in the
// order of the results, with one signed checkpoint for each log. Each key has a log of its own,
// so that an institution whose key is replaced begins another one and no log can fork.
//
// A change that revokes or replaces a certificate appends to its institution's list of
// revocations in the same transaction (vault.Certificate.RevocationSince).
type Logs interface {
	// AppendLog appends entries that no job brings to an institution's log, in their order,
	// with one signed checkpoint, and returns the index of the first. All have one key, else
	// they are Invalid. A certificate that is in a log already, or has no verified PDF, is
	// Illegal, and nothing is appended.
	AppendLog(ctx context.Context, institution uint32, entries []LogAddition) (first int64, err error)
	// CosignLog keeps the checkpoint of a log of a size with the cosignatures of witnesses: as the
	// log's own while it has that size, and where enough have signed as LogHead.Cosigned, unless
	// that is of a later size. NotFound where there is no such log, Invalid where it never had that
	// size.
	CosignLog(ctx context.Context, institution uint32, key string, cosigned vault.CosignedCheckpoint, enough bool) error
	// LogStatements returns the statements in the log with a public key, in the order of their
	// indexes.
	LogStatements(ctx context.Context, key string) ([]vault.LogStatement, error)
	// Revocations returns up to n lines of an institution's list of revocations, after as many
	// as are to be skipped.
	Revocations(ctx context.Context, institution uint32, skip uint64, n int) ([]vault.RevocationRecord, error)
	// RevocationCount returns how long that list is.
	RevocationCount(ctx context.Context, institution uint32) (uint64, error)
	// LogHeads returns an institution's logs, the newest last.
	LogHeads(ctx context.Context, institution uint32) ([]vault.LogHead, error)
	// LogEntries returns up to n entries of the log with a public key, from an index on.
	LogEntries(ctx context.Context, key string, from int64, n int) ([][]byte, error)
	// LogHashes returns hashes of a log's tree by their index (tlog.StoredHashIndex of
	// golang.org/x/mod/sumdb/tlog); NotFound where the log has no such hash.
	LogHashes(ctx context.Context, key string, indexes []int64) ([][32]byte, error)
}
