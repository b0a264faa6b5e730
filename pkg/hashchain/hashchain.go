// Package hashchain makes lists of which each entry holds the hash of the one before:
// anyone who changes one must change all after it.
package hashchain

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Entry is what holds an entry to the others; the zero Link stands before the first.
type Entry struct {
	Seq      uint64 // from 1
	PrevHash string // the hash of the entry before; "" in the first
	Hash     string
}

// Hash is the SHA-256 of an entry's JSON, in hexadecimal. The entry's own hash must
// be "" in it.
func Hash(bare any) (string, error) {
	body, err := json.Marshal(bare)
	if err != nil {
		return "", fmt.Errorf("encoding an entry: %w", err)
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), nil
}

// Verify checks that an entry, which is given without its hash too, is whole and
// stands behind the one before it; Damaged when not. The list's name is for the
// message.
func Verify(list string, before, entry Entry, bare any) error {
	hash, err := Hash(bare)
	switch {
	case err != nil:
		return err
	case entry.Seq != before.Seq+1:
		return fault.Newf(fault.Damaged, "entry %d of %s is followed by %d; entries are missing", before.Seq, list, entry.Seq)
	case entry.PrevHash != before.Hash:
		return fault.Newf(fault.Damaged, "entry %d of %s does not follow from entry %d; one of them was changed", entry.Seq, list, before.Seq)
	case hash != entry.Hash:
		return fault.Newf(fault.Damaged, "entry %d of %s was changed after it was written", entry.Seq, list)
	}
	return nil
}
