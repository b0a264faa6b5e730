package store

import (
	"context"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Logs are the institutions' logs of issued certificates. Complete appends to them: the
// certificates that one call approves with Effects.Log enter the log in the order of the
// results, with one signed checkpoint for each institution. A log has one key: an entry
// for a log with another key than its institution's is refused as Illegal.
type Logs interface {
	// LogHead returns what an institution's log is at present; the zero value where it has none.
	LogHead(ctx context.Context, institution uint32) (vault.LogHead, error)
	// LogEntries returns up to n entries of a log from an index on.
	LogEntries(ctx context.Context, institution uint32, from int64, n int) ([][]byte, error)
	// LogHashes returns hashes of a log's tree by their index (tlog.StoredHashIndex of
	// golang.org/x/mod/sumdb/tlog); NotFound where the log has no such hash.
	LogHashes(ctx context.Context, institution uint32, indexes []int64) ([][32]byte, error)
}
