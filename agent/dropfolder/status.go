package dropfolder

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/manifest"
)

// State says what a file in the drop folder waits for.
type State string

// The states of files in the drop folder.
const (
	Arriving State = "arriving" // has changed within the settling time
	Waiting  State = "waiting"  // a manifest whose documents are not all there
	Named    State = "named"    // a document that a waiting manifest names
	Loose    State = "loose"    // no manifest names it
	Unusable State = "unusable" // a link, a pipe, a place that cannot be read, or nobody's
)

// FileStatus is a file in the drop folder.
type FileStatus struct {
	Name  string    `json:"name"` // relative to the drop folder, with slashes
	Size  int64     `json:"size"`
	Since time.Time `json:"since"` // when it was first seen as it is
	State State     `json:"state"`
	Note  string    `json:"note,omitempty"` // what is wrong with it, or what it waits for

	institution uint32 // whose it is; 0 for nobody's
}

// Current is a batch that was taken and has no outcome yet.
type Current struct {
	Manifest string          `json:"manifest"`
	Since    time.Time       `json:"since"`
	Progress client.Progress `json:"progress"`
	Trouble  string          `json:"trouble,omitempty"` // what holds it up; it is tried again by itself

	institution uint32
}

// Status is how the drop folder is.
type Status struct {
	Folder  string       `json:"folder"`
	Watch   string       `json:"watch"` // "events" or "polling"
	Trouble string       `json:"trouble,omitempty"`
	Total   int          `json:"total"`   // files in the folder, without those that are ignored
	Waiting []FileStatus `json:"waiting"` // the first thousand of each institution, by name
	Batches []Current    `json:"batches"`

	totals map[uint32]int // files by institution
}

// maxListedFiles bounds how many files of an institution are listed.
const maxListedFiles = 1000

// Of returns what of the status concerns an institution: its own files and batches, and the
// files that are nobody's.
func (s Status) Of(institution uint32) Status {
	concerns := func(of uint32) bool { return of == institution || of == 0 }
	s.Total = s.totals[institution] + s.totals[0]
	s.Waiting = slices.DeleteFunc(slices.Clone(s.Waiting), func(f FileStatus) bool { return !concerns(f.institution) })
	s.Batches = slices.DeleteFunc(slices.Clone(s.Batches), func(b Current) bool { return !concerns(b.institution) })
	return s
}

// Status says what waits, as of the last look.
func (w *Watcher) Status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.status
	s.Batches = make([]Current, len(w.queue))
	for i, b := range w.queue {
		s.Batches[i] = Current{Manifest: b.Manifest, Since: b.Taken, Progress: b.progress, Trouble: b.trouble, institution: b.Institution}
	}
	return s
}

// ToAPI is the status as the panel says it.
func (s Status) ToAPI() *adminclient.DropFolder {
	shaped := &adminclient.DropFolder{Folder: s.Folder, Watch: s.Watch, Trouble: s.Trouble, Total: s.Total, Waiting: []adminclient.DropFile{}}
	for _, f := range s.Waiting {
		shaped.Waiting = append(shaped.Waiting, adminclient.DropFile{
			Name: f.Name, Size: f.Size, Since: f.Since.UTC(), State: string(f.State), Note: f.Note})
	}
	return shaped
}

// setTrouble notes what is wrong with the folder, "" when nothing is, and tells
// whether that is news.
func (w *Watcher) setTrouble(text string) bool {
	w.mu.Lock()
	news := w.status.Trouble != text
	w.status.Trouble = text
	w.mu.Unlock()
	if news && w.OnTrouble != nil {
		w.OnTrouble(text)
	}
	return news
}

// updateStatus makes the list of what waits.
func (w *Watcher) updateStatus(plans map[string]plan, now time.Time) {
	named := map[string]bool{}
	for name, made := range plans {
		if w.manifests[name] == nil {
			continue // taken just now
		}
		for _, file := range made.files {
			named[file] = true
		}
	}
	names := slices.Sorted(maps.Keys(w.observed))
	items, totals := make([]FileStatus, 0, min(len(names), maxListedFiles)), map[uint32]int{}
	for _, name := range names {
		owner, _ := w.ownerOf(name)
		if totals[owner.Institution]++; totals[owner.Institution] <= maxListedFiles {
			items = append(items, w.fileStatus(name, plans, named[name], now))
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.Waiting, w.status.Total, w.status.totals = items, len(names), totals
}

func (w *Watcher) fileStatus(name string, plans map[string]plan, named bool, now time.Time) FileStatus {
	s, p := w.observed[name], w.manifests[name]
	owner, reason := w.ownerOf(name)
	item := FileStatus{Name: name, Size: s.Size, Since: s.Since, State: Loose, Note: s.Note, institution: owner.Institution}
	switch {
	case s.Note == "" && reason != "":
		item.State, item.Note = Unusable, reason
	case s.Note != "":
		item.State = Unusable
	case !s.Settled(now, w.Settle):
		item.State = Arriving
	case w.locked[name] && isManifest(name):
		item.State = Waiting
		item.Note = "is open in a spreadsheet program; save and close it there, or remove its lock file if nobody has it open"
	case p != nil:
		item.State, item.Note = Waiting, p.trouble
		if item.Note == "" {
			item.Note = p.waitsFor(plans[name], w.Wait)
		}
	case named:
		item.State = Named
	case path.Base(name) == manifest.AnswersName:
		item.State, item.Note = Named, "answers for the manifests beside it"
	case neverIssued(name) != "":
		item.State, item.Note = Unusable, neverIssued(name)
		if !w.named[name] {
			w.named[name] = true
			// Its name may be a person's, and logs are not reached by an erasure.
			w.Log.Warn("a file in the drop folder will never be issued; vecctl status names it", "reason", item.Note)
		}
	}
	return item
}

// waitsFor says what a manifest waits for.
func (p *pending) waitsFor(made plan, wait time.Duration) string {
	var files []string
	for _, row := range p.manifest.Rows {
		if made.lost[row.Number] != "" {
			files = append(files, row.File)
		}
	}
	switch {
	case len(files) > 3:
		files = append(files[:3], fmt.Sprintf("%d more", len(files)-3))
	case len(files) == 0:
		return fmt.Sprintf("%d documents are still arriving", made.arriving)
	}
	return fmt.Sprintf("waits for %s; at %s it starts without them", strings.Join(files, ", "), made.due(wait).Format(time.TimeOnly))
}
