package store

import (
	"context"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Logs are the institutions' logs of issued certificates. Complete appends to them: the
// certificates that one call approves with Effects.Log enter the log of their key in the
// order of the results, with one signed checkpoint for each log. Each key has a log of its own,
// so that an institution whose key is replaced begins another one and no log can fork.
type Logs interface {
	// LogHeads returns an institution's logs, the newest last.
	LogHeads(ctx context.Context, institution uint32) ([]vault.LogHead, error)
	// LogEntries returns up to n entries of the log with a public key, from an index on.
	LogEntries(ctx context.Context, key string, from int64, n int) ([][]byte, error)
	// LogHashes returns hashes of a log's tree by their index (tlog.StoredHashIndex of
	// golang.org/x/mod/sumdb/tlog); NotFound where the log has no such hash.
	LogHashes(ctx context.Context, key string, indexes []int64) ([][32]byte, error)
}
