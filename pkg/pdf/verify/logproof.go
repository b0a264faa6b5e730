package verify

import (
	"crypto"
	"errors"

	"github.com/vecctl/vecctl/pkg/pdf/cms"
	"github.com/vecctl/vecctl/pkg/transparency"
)

// checkLogProof judges the log proof in a signature whose content has the given digest. The
// log's key stands in the dictionary that the signature covers, so the signer vouches for it.
// A proof that does not hold was put there by somebody else.
func (c *candidate) checkLogProof(signed *cms.Signed, digest []byte) error {
	text, err := signed.LogProof()
	if err != nil {
		return &problem{BadSignature, err.Error()}
	}
	l := &c.result.Log
	l.Signed = text
	if signed.Hash == crypto.SHA256 && len(digest) == crypto.SHA256.Size() {
		l.Digest = digest
	}
	if text == nil {
		return nil
	}
	if l.Key == "" || signed.Hash != crypto.SHA256 || len(digest) != crypto.SHA256.Size() {
		return &problem{BadSignature, "a log proof was added to the signature, which names no log"}
	}
	proof, err := transparency.CheckProof(text, l.Key, [32]byte(digest))
	for _, known := range []error{transparency.ErrProofForm, transparency.ErrProofKey, transparency.ErrProofObject} {
		if errors.Is(err, known) {
			return &problem{BadSignature, known.Error()}
		}
	}
	if err != nil {
		return &problem{BadSignature, "the signature names a log whose key cannot be read"}
	}
	l.Proof = &proof
	return nil
}
