package transparency

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Statement is what a log's entry says that is not of a certificate: that something had a hash
// at a time. Once it is entered, it cannot be dated back.
type Statement struct {
	Kind   string // "revocations" or "audit"
	Origin string // of the log
	At     time.Time
	Count  uint64 // how many lines or entries the hash covers
	SHA256 string // in hexadecimal
}

// text is what is signed, and what the log's entry is the SHA-256 of. Its first line separates it
// from checkpoints and from the entries of certificates.
func (s Statement) text() string {
	return fmt.Sprintf("vecctl/%s/v1\n%s\n%s\n%d\n%s\n", s.Kind, s.Origin, s.At.UTC().Format(time.RFC3339), s.Count, s.SHA256)
}

// Entry is the log's entry for the statement.
func (s Statement) Entry() []byte {
	sum := sha256.Sum256([]byte(s.text()))
	return sum[:]
}

// SignStatement returns a statement as a signed note (c2sp.org/signed-note) of the log's key.
func (k *Key) SignStatement(s Statement) (string, error) {
	signed, err := note.Sign(&note.Note{Text: s.text()}, k.signer)
	if err != nil {
		return "", fmt.Errorf("sign a statement: %w", err)
	}
	return string(signed), nil
}

// OpenStatement checks a signed statement under a log's public key.
func OpenStatement(signed, public string) (Statement, error) {
	v, err := note.NewVerifier(public)
	if err != nil {
		return Statement{}, fault.Wrap(fault.Invalid, err, "the log's public key cannot be read")
	}
	n, err := note.Open([]byte(signed), note.VerifierList(v))
	if err != nil {
		return Statement{}, fault.Wrap(fault.Invalid, err, "the statement is not signed by the log's key")
	}
	lines := strings.Split(n.Text, "\n")
	const parts = 6 // the last is empty
	if len(lines) != parts {
		return Statement{}, errNoStatement
	}
	s := Statement{Origin: lines[1], SHA256: lines[4]}
	kind, isKind := strings.CutPrefix(lines[0], "vecctl/")
	kind, isVersion := strings.CutSuffix(kind, "/v1")
	s.Kind = kind
	var errAt, errCount error
	s.At, errAt = time.Parse(time.RFC3339, lines[2])
	s.Count, errCount = strconv.ParseUint(lines[3], 10, 64)
	if !isKind || !isVersion || errAt != nil || errCount != nil || s.text() != n.Text || s.Origin != v.Name() {
		return Statement{}, errNoStatement
	}
	return s, nil
}

var errNoStatement = fault.New(fault.Invalid, "the signed text is no statement of the log")
