package transparency

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

// FormatProof writes an inclusion proof with the checkpoint that it leads to, and the leaf's
// salt as extra data (c2sp.org/tlog-proof).
func FormatProof(index int64, salt Salt, proof []Hash, checkpoint []byte) []byte {
	return torchwood.FormatProofWithExtraData(index, salt[:], proof, checkpoint)
}

// Proof is a proof that was read and checked.
type Proof struct {
	Index      int64
	Checkpoint Checkpoint
}

// Why a proof is not accepted.
var (
	ErrProofForm   = errors.New("the log proof cannot be read")
	ErrProofKey    = errors.New("the log proof is not signed by the log that the signature names")
	ErrProofObject = errors.New("the log proof is that of another document")
)

// CheckProof checks that a proof is one of a signed PDF in the log with a public key.
// signedBytes is the SHA-256 of what the PDF's signature covers.
func CheckProof(text []byte, public string, signedBytes [sha256.Size]byte) (Proof, error) {
	policy, err := policyOf(public)
	if err != nil {
		return Proof{}, err
	}
	extra, err := torchwood.ProofExtraData(text)
	if err != nil || len(extra) != SaltSize {
		return Proof{}, ErrProofForm
	}
	signed, index, err := splitProof(text)
	if err != nil {
		return Proof{}, err
	}
	entry := CertificateEntry(Salt(extra), signedBytes)
	if torchwood.VerifyProof(policy, tlog.RecordHash(entry), text) != nil {
		if _, _, err := torchwood.VerifyCheckpoint(signed, policy); err != nil {
			return Proof{}, fmt.Errorf("%w (%w)", ErrProofKey, err)
		}
		return Proof{}, ErrProofObject
	}
	// Its signature was verified with the proof.
	statement, _, _ := bytes.Cut(signed, []byte("\n\n"))
	c, err := torchwood.ParseCheckpoint(string(statement) + "\n")
	if err != nil {
		return Proof{}, ErrProofForm
	}
	return Proof{Index: index, Checkpoint: Checkpoint{Origin: c.Origin, Size: c.N, Root: c.Hash}}, nil
}

// splitProof returns the checkpoint of a proof, and the index that it states.
func splitProof(text []byte) (checkpoint []byte, index int64, err error) {
	head, checkpoint, ok := bytes.Cut(text, []byte("\n\n"))
	if !ok {
		return nil, 0, ErrProofForm
	}
	for line := range strings.Lines(string(head)) {
		if number, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "index "); ok {
			index, err = strconv.ParseInt(number, 10, 64)
			if err != nil || index < 0 || strconv.FormatInt(index, 10) != number {
				return nil, 0, ErrProofForm
			}
			return checkpoint, index, nil
		}
	}
	return nil, 0, ErrProofForm
}
