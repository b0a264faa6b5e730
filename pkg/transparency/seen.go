package transparency

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

// Auditor audits all logs of a publication, and remembers the last checkpoint of each, in one
// file for each log's name.
type Auditor struct {
	Memory string    // the folder of the files
	At     time.Time // of the audit
}

// Seen is what an auditor remembers of a log.
type Seen struct {
	Origin     string    `json:"origin"`
	Key        string    `json:"key"`
	Location   string    `json:"location"` // where it was published
	Since      time.Time `json:"consistent_since"`
	At         time.Time `json:"at"` // of the last audit that found it consistent
	Checkpoint string    `json:"checkpoint"`
}

// Audited is the outcome of an audit of one log, with what was seen before.
type Audited struct {
	Audit
	Listed Listed
	Origin string
	Since  time.Time // consistent since then; the first audit's time where this is it
	Before *Seen     // nil: it was never seen
}

// Audit audits the logs that a publication lists, and those that it listed before. What was
// found consistent is remembered; of anything else, what was seen before stays.
func (a Auditor) Audit(ctx context.Context, p Publication, location string) ([]Audited, error) {
	listed, err := ReadList(ctx, p)
	if err != nil {
		return nil, err
	}
	var all []Audited
	known := map[string]bool{}
	for _, l := range listed {
		one, err := a.audit(ctx, p, location, l)
		if err != nil {
			return nil, err
		}
		known[one.Origin] = true
		all = append(all, one)
	}
	removed, err := a.removed(location, known)
	return append(all, removed...), err
}

// ReadList reads which logs a publication has.
func ReadList(ctx context.Context, p Publication) ([]Listed, error) {
	data, err := p.ReadFile(ctx, ListPath)
	if err != nil {
		return nil, err
	}
	var list struct {
		Logs []Listed `json:"logs"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, fmt.Sprintf("%s is no list of logs", ListPath))
	}
	return list.Logs, nil
}

// LogPrefix is the folder of the log with a public key in a publication.
func LogPrefix(public string) string {
	sum := sha256.Sum256([]byte(public))
	return "log/" + hex.EncodeToString(sum[:8]) + "/"
}

func (a Auditor) audit(ctx context.Context, p Publication, location string, l Listed) (Audited, error) {
	origin, err := OriginOf(l.Key)
	if err != nil {
		return Audited{}, err
	}
	one := Audited{Listed: l, Origin: origin, Since: a.At.UTC().Truncate(time.Second)}
	if one.Before, err = a.load(a.path(origin)); err != nil {
		return Audited{}, err
	}
	var seen []byte
	if one.Before != nil {
		seen, one.Since = []byte(one.Before.Checkpoint), one.Before.Since
		if one.Before.Key != l.Key {
			one.Audit = Audit{Finding: OtherKey, Reason: "the list names another key for it than before"}
			return one, nil
		}
	}
	if one.Audit, err = AuditLog(ctx, p, LogPrefix(l.Key), l.Key, seen); err != nil || one.Finding != Consistent {
		return one, err
	}
	return one, a.remember(Seen{origin, l.Key, location, one.Since, a.At.UTC().Truncate(time.Second), string(one.Signed)})
}

// path is the file of a log's name, which may hold any letters.
func (a Auditor) path(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return filepath.Join(a.Memory, hex.EncodeToString(sum[:16])+".json")
}

func (a Auditor) load(path string) (*Seen, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // that nothing was seen is no error
	}
	if err != nil {
		return nil, fsutil.DiskError(err, "reading the checkpoints that were seen before")
	}
	var s Seen
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, fmt.Sprintf("%s is damaged; restore it, or remove it to begin anew without what was seen before", path))
	}
	return &s, nil
}

func (a Auditor) remember(s Seen) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("remember a checkpoint: %w", err)
	}
	if err := os.MkdirAll(a.Memory, 0o700); err != nil {
		return fsutil.DiskError(err, "making the folder of checkpoints that were seen")
	}
	return fsutil.ReplaceFile(a.path(s.Origin), append(data, '\n'))
}

// removed returns the logs that were published at a location and are not listed there now.
func (a Auditor) removed(location string, listed map[string]bool) (gone []Audited, err error) {
	files, err := os.ReadDir(a.Memory)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fsutil.DiskError(err, "reading the checkpoints that were seen before")
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".json") {
			continue
		}
		s, err := a.load(filepath.Join(a.Memory, f.Name()))
		if err != nil {
			return nil, err
		}
		if s != nil && s.Location == location && !listed[s.Origin] {
			gone = append(gone, Audited{Audit: Audit{Finding: Removed, Reason: "it was published here before, and is not in the list any more"},
				Listed: Listed{Key: s.Key}, Origin: s.Origin, Since: s.Since, Before: s})
		}
	}
	return gone, nil
}
