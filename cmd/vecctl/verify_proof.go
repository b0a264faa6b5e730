package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/transparency"
)

// maxProofFile bounds a file with a proof.
const maxProofFile = 64 << 10

// checkDetachedProof checks the log proof in a file of its own, of one certificate.
func checkDetachedProof(c *cli.Context, w environment, verdicts []verdict) error {
	path := c.String("proof")
	if len(verdicts) != 1 {
		return usageError("--proof is of one certificate; name one file")
	}
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxProofFile {
		return usageError("%s is too large for a log proof", path)
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the proof %s cannot be opened; check its name and permissions", path))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the proof %s cannot be read", path))
	}
	keys := []string{c.String("log-key")}
	if keys[0] == "" {
		if keys, err = publishedKeys(c, w); err != nil {
			return err
		}
	}
	verdicts[0].checkProof(text, keys)
	return nil
}

// publishedKeys are the public keys of the logs that the site of --site lists.
func publishedKeys(c *cli.Context, w environment) (keys []string, err error) {
	if c.String("site") == "" {
		return nil, usageError("a proof is checked under the log's public key; name it with --log-key KEY, or a site that lists it with --site")
	}
	publication, _, err := publicationAt(c, w, c.String("site"))
	if err != nil {
		return nil, err
	}
	listed, err := transparency.ReadList(c.Context, publication)
	for _, l := range listed {
		keys = append(keys, l.Key)
	}
	return keys, err
}

// checkProof checks a proof under the first of some keys that signed it. A proof that does not hold
// makes the file not valid.
func (v *verdict) checkProof(text []byte, keys []string) {
	at := slices.IndexFunc(v.Signatures, func(s signatureInfo) bool { return len(s.digest) == 32 && s.ReferenceID == v.ReferenceID })
	if at < 0 {
		v.refuse(verdictNoProof, "Not valid: the file has no signature of which a log could have an entry.")
		return
	}
	var last error
	for _, key := range keys {
		proof, err := transparency.CheckProof(text, key, [32]byte(v.Signatures[at].digest))
		if err == nil {
			v.Signatures[at].Log = &logInfo{Key: key, Proven: true, Origin: proof.Checkpoint.Origin, Index: &proof.Index, TreeSize: proof.Checkpoint.Size, checkpoint: proof.Checkpoint}
			v.Sentence += fmt.Sprintf(" The proof that was given shows that it is entry %d of the log %q.", proof.Index, proof.Checkpoint.Origin)
			return
		}
		if last == nil || !errors.Is(err, transparency.ErrProofKey) {
			last = err
		}
	}
	v.refuse(verdictNoProof, fmt.Sprintf("Not valid with this proof: %s.", message(last)))
}

// message is what is wrong with a proof, in words.
func message(err error) string {
	for _, known := range []error{transparency.ErrProofForm, transparency.ErrProofObject, transparency.ErrProofKey} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	text, _ := fault.Message(err)
	return text
}
