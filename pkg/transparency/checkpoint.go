package transparency

import (
	"fmt"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Checkpoint is what a log says of itself at one size.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   Hash
}

// Sign returns the signed checkpoint of a tree (c2sp.org/tlog-checkpoint).
func (k *Key) Sign(size int64, root Hash) ([]byte, error) {
	text := torchwood.Checkpoint{Origin: k.Origin(), Tree: tlog.Tree{N: size, Hash: root}}.String()
	signed, err := note.Sign(&note.Note{Text: text}, k.signer)
	if err != nil {
		return nil, fmt.Errorf("sign a checkpoint: %w", err)
	}
	return signed, nil
}

// OpenCheckpoint checks a signed checkpoint under a log's public key.
func OpenCheckpoint(signed []byte, public string) (Checkpoint, error) {
	policy, err := policyOf(public)
	if err != nil {
		return Checkpoint{}, err
	}
	c, _, err := torchwood.VerifyCheckpoint(signed, policy)
	if err != nil {
		return Checkpoint{}, fault.Wrap(fault.Invalid, err, "the checkpoint is not signed by the log's key")
	}
	return Checkpoint{Origin: c.Origin, Size: c.N, Root: c.Hash}, nil
}

// policyOf asks for the signature of one log, under its own origin.
func policyOf(public string) (torchwood.Policy, error) {
	v, err := note.NewVerifier(public)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the log's public key cannot be read")
	}
	return torchwood.ThresholdPolicy(2, torchwood.SingleVerifierPolicy(v), torchwood.OriginPolicy(v.Name())), nil
}
