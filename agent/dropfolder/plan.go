package dropfolder

import (
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/dropfolder/staging"
	"github.com/vecctl/vecctl/pkg/manifest"
)

// pending is a manifest in the drop folder that has been read.
type pending struct {
	name     string // relative to the drop folder
	fileID   staging.FileID
	since    time.Time // when it was first seen as it is
	manifest *manifest.Manifest
	answers  staging.FileID // what manifest.yaml beside it was; zero for none
	// retryAt is when taking it may be tried again, and trouble what happened.
	retryAt time.Time
	trouble string
}

// retryDue reports whether a manifest that could not be read, or not be refused, is to be
// tried once more.
func (p *pending) retryDue(now time.Time) bool { return p.manifest == nil && !now.Before(p.retryAt) }

// plan is what a manifest would take along by now.
type plan struct {
	files    map[string]string // what rows name, relative to the manifest: where it lies in the drop folder
	lost     map[int]string    // rows whose document is not there, and why
	arriving int               // documents that are there and still change
	last     time.Time         // when something last changed
}

// folder is the folder that a manifest's rows are relative to.
func (p *pending) folder() string { return path.Dir(p.name) }

// plan looks for the documents that the rows name among the names of the drop
// folder, which are sorted.
func (p *pending) plan(names []string, seen FileObservations, now time.Time, settle time.Duration) plan {
	plain, special := filesBelow(p.folder(), names, seen)
	found := manifest.MatchFiles(p.manifest, plain)
	made := plan{files: map[string]string{}, lost: map[int]string{}, last: p.since}
	for _, file := range found.ByRow {
		if made.files[file] != "" {
			continue
		}
		name := path.Join(p.folder(), file)
		made.files[file] = name
		one := seen[name]
		if !one.Settled(now, settle) {
			made.arriving++
		}
		if one.Since.After(made.last) {
			made.last = one.Since
		}
	}
	if len(found.Problems) == 0 {
		return made
	}
	barred := manifest.MatchFiles(p.manifest, special).ByRow
	for _, problem := range found.Problems {
		reason := problem.String()
		if other, ok := barred[problem.Row]; ok {
			reason += "; " + seen[path.Join(p.folder(), other)].Note
		}
		made.lost[problem.Row] = reason
	}
	return made
}

// filesBelow names what lies in a folder and below it, relative to that folder:
// plain files, and what cannot be used.
func filesBelow(folder string, names []string, seen FileObservations) (plain, special []string) {
	prefix := folder + "/"
	if folder == "." {
		prefix = ""
	}
	start, _ := slices.BinarySearch(names, prefix)
	for _, name := range names[start:] {
		rest, inside := strings.CutPrefix(name, prefix)
		if !inside {
			break
		}
		if seen[name].Note == "" {
			plain = append(plain, rest)
		} else {
			special = append(special, rest)
		}
	}
	return plain, special
}

// dropIssued strikes out rows whose document is not needed.
func (p *plan) dropIssued(issued map[int]bool) {
	maps.DeleteFunc(p.lost, func(row int, _ string) bool { return issued[row] })
}

// due is when the batch starts even though documents are missing.
func (p plan) due(wait time.Duration) time.Time { return p.last.Add(wait) }

// ready reports whether the batch can start: everything is there, or what is
// missing has been waited for long enough.
func (p plan) ready(now time.Time, wait time.Duration) bool {
	return p.arriving == 0 && (len(p.lost) == 0 || !now.Before(p.due(wait)))
}
