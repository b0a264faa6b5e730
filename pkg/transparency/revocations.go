package transparency

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Revocation is a line of a published list of revocations and supersessions. It holds nothing
// about a person.
type Revocation struct {
	Reference string    `json:"reference_id"`
	Status    string    `json:"status"` // "revoked" or "superseded"
	At        time.Time `json:"at"`
	Successor string    `json:"superseded_by,omitempty"` // reference ID
}

// line is what is hashed of it.
func (r Revocation) line() string {
	return fmt.Sprintf("%s %s %s %s\n", r.Reference, r.Status, r.At.UTC().Format(time.RFC3339), cmp.Or(r.Successor, "-"))
}

// RevocationHash hashes a list of revocations line by line. Each state of a list that only grows
// is the beginning of all later ones.
type RevocationHash struct {
	Count uint64
	sum   hash.Hash
}

// NewRevocationHash returns the hash of the empty list.
func NewRevocationHash() *RevocationHash { return &RevocationHash{sum: sha256.New()} }

// Add adds the next line.
func (h *RevocationHash) Add(r Revocation) {
	h.Count++
	h.sum.Write([]byte(r.line()))
}

// SHA256 is the hash of the lines so far, in hexadecimal.
func (h *RevocationHash) SHA256() string { return hex.EncodeToString(h.sum.Sum(nil)) }

// LoggedList says of a state of the list when it was entered in the log.
type LoggedList struct {
	Entry int64     `json:"entry"` // index
	At    time.Time `json:"at"`
	Count uint64    `json:"count"` // lines
}

// RevocationList is an institution's list of revocations as it is published beside a log: all
// lines, which states of it were entered in the log, and the last of them signed by the log's key.
type RevocationList struct {
	Origin      string       `json:"origin"`
	Key         string       `json:"key"` // the log's public key
	Revocations []Revocation `json:"revocations"`
	Logged      []LoggedList `json:"logged"`
	Signed      string       `json:"signed"`
}

// RevocationsFile is the name of the list in the folder of a log.
const RevocationsFile = "revocations.json"

// ReadRevocations reads the list of revocations of a published log and checks its signature;
// NotFound where none is published. When a line was logged, LoggedSince checks.
func ReadRevocations(ctx context.Context, p Publication, public string) (*RevocationList, error) {
	data, err := p.ReadFile(ctx, LogPrefix(public)+RevocationsFile)
	if err != nil {
		return nil, err
	}
	var l RevocationList
	if err := json.Unmarshal(data, &l); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "the published list of revocations cannot be read")
	}
	s, err := OpenStatement(l.Signed, public)
	if err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "the published list of revocations is not signed by the log's key")
	}
	h := NewRevocationHash()
	for _, r := range l.Revocations {
		h.Add(r)
	}
	if s.Kind != "revocations" || s.Count != h.Count || s.SHA256 != h.SHA256() {
		return nil, fault.New(fault.Damaged, "the published list of revocations is not the one that the log's key signed: a line was changed, removed or added")
	}
	l.Origin, l.Key = s.Origin, public
	return &l, nil
}

// At is the time of the last state of the list that was logged.
func (l *RevocationList) At() (time.Time, error) {
	s, err := OpenStatement(l.Signed, l.Key)
	return s.At, err
}

// Find returns the number from 0 of the line that says what a certificate counts for; -1 where the
// list does not have it. What was replaced and then revoked is revoked.
func (l *RevocationList) Find(reference string) int {
	found := -1
	for i, r := range l.Revocations {
		if r.Reference == reference && (found < 0 || r.Status == "revoked") {
			found = i
		}
	}
	return found
}

// LoggedSince returns the first state of the list in the log that has a line, and proves that it is
// in the log.
func (l *RevocationList) LoggedSince(ctx context.Context, log *PublishedLog, line int) (LoggedList, error) {
	logged := slices.Clone(l.Logged)
	slices.SortFunc(logged, func(a, b LoggedList) int { return cmp.Compare(a.Entry, b.Entry) })
	at := slices.IndexFunc(logged, func(s LoggedList) bool { return s.Count > uint64(line) })
	if at < 0 || logged[at].Count > uint64(len(l.Revocations)) {
		return LoggedList{}, fault.New(fault.Damaged, "no entry of the log has this line of the list of revocations")
	}
	first := logged[at]
	h := NewRevocationHash()
	for _, r := range l.Revocations[:first.Count] {
		h.Add(r)
	}
	want := Statement{"revocations", log.Checkpoint.Origin, first.At, first.Count, h.SHA256()}.Entry()
	entry, err := log.Entry(ctx, first.Entry)
	if err != nil {
		return LoggedList{}, err
	}
	if !bytes.Equal(entry, want) {
		return LoggedList{}, fault.Newf(fault.Damaged, "entry %d of the log is not the list of revocations as it is published", first.Entry)
	}
	return first, nil
}
