package dropfolder

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/agent/dropfolder/staging"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
)

// findSetAsideDocuments looks in the failed folder for documents that a corrected
// rejected.csv names and that do not lie beside it. A document is the one meant
// when the row for which it was set aside names it too and has the same person's
// name or address; when several are, none is taken.
func (w *Watcher) findSetAsideDocuments(of Owner, m *manifest.Manifest, made *plan) {
	if len(made.lost) == 0 || !m.IsRejected() {
		return
	}
	wanted := map[string][]manifest.Row{}
	for _, row := range m.Rows {
		if made.lost[row.Number] != "" {
			wanted[path.Clean(row.File)] = append(wanted[path.Clean(row.File)], row)
		}
	}
	candidates := map[int][]string{}
	folders, err := os.ReadDir(of.Failed)
	if err != nil {
		return
	}
	for _, f := range folders {
		if f.IsDir() && !IgnoredFolder(f.Name()) {
			w.collectSetAside(of.Institution, filepath.Join(of.Failed, f.Name()), wanted, candidates)
		}
	}
	for _, row := range m.Rows {
		if places := candidates[row.Number]; len(places) == 1 {
			made.files[path.Clean(row.File)] = filepath.ToSlash(places[0])
			delete(made.lost, row.Number)
		}
	}
}

// collectSetAside notes the documents of one refused batch that rows want.
func (w *Watcher) collectSetAside(institution uint32, folder string, wanted map[string][]manifest.Row, candidates map[int][]string) {
	earlier, err := w.readRejected(institution, folder)
	if err != nil {
		return
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return
	}
	defer root.Close()
	l, err := TakeSnapshot(root)
	if err != nil {
		return
	}
	var names []string
	for name, e := range l.Files {
		if e.Note == "" {
			names = append(names, name)
		}
	}
	for number, file := range manifest.MatchFiles(earlier, names).ByRow {
		i := slices.IndexFunc(earlier.Rows, func(r manifest.Row) bool { return r.Number == number })
		was := earlier.Rows[i]
		place := filepath.Join(folder, filepath.FromSlash(file))
		for _, row := range wanted[path.Clean(was.File)] {
			same := row.Name == was.Name || strings.EqualFold(row.Email, was.Email)
			if same && !slices.Contains(candidates[row.Number], place) {
				candidates[row.Number] = append(candidates[row.Number], place)
			}
		}
	}
}

// readRejected reads the rejected rows in a folder of the failed folder, with the answers
// that lie beside them.
func (w *Watcher) readRejected(institution uint32, folder string) (*manifest.Manifest, error) {
	body, err := os.ReadFile(filepath.Join(folder, staging.RejectedName))
	if err != nil {
		return nil, err
	}
	answers, err := os.ReadFile(filepath.Join(folder, manifest.AnswersName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	given, err := ParseAnswers(answers)
	if err != nil {
		return nil, err
	}
	return w.readManifest(institution, body, staging.RejectedName, given)
}

// clearCorrected takes rows that are issued by now out of what earlier outcomes have in the
// failed folder, with the documents that were set aside for them. Rows of a corrected
// rejected.csv go too that were refused anew: they have a reason beside this outcome.
func (w *Watcher) clearCorrected(institution uint32, m *manifest.Manifest, report client.BulkReport) {
	failed := w.failedOf(institution)
	folders, err := os.ReadDir(failed)
	if err != nil {
		return
	}
	came := correctionsOf(m, report)
	for _, f := range folders {
		if !f.IsDir() || IgnoredFolder(f.Name()) {
			continue
		}
		folder := filepath.Join(failed, f.Name())
		earlier, err := w.readRejected(institution, folder)
		if err != nil || !earlier.IsRejected() {
			continue
		}
		if err := clearFolder(folder, earlier, came); err != nil {
			w.Log.Error("what was corrected stays in the failed folder", "folder", folder, "error", err)
		}
	}
}

// correctionsOf indexes the rows that were issued, and those of a corrected rejected.csv that
// were refused anew.
func correctionsOf(m *manifest.Manifest, report client.BulkReport) manifest.Corrections {
	issued, again := map[int]bool{}, map[int]bool{}
	for _, row := range report.Rows {
		issued[row.Row] = row.Status == client.RowIssued || row.Status == client.RowUnchanged || row.Status == client.RowRevoked
		again[row.Row] = row.Status == client.RowRejected && m.IsRejected()
	}
	return manifest.NewCorrections(m.Rows, issued, again)
}

// clearFolder takes the rows that came again out of a folder of the failed folder.
func clearFolder(folder string, earlier *manifest.Manifest, came manifest.Corrections) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fsutil.DiskError(err, "opening a folder of what was refused")
	}
	defer root.Close()
	l, err := TakeSnapshot(root)
	if err != nil {
		return fsutil.DiskError(err, "looking into a folder of what was refused")
	}
	documents := manifest.MatchFiles(earlier, slices.Collect(maps.Keys(l.Files))).ByRow
	left, gone := map[int]string{}, []string{}
	for _, was := range earlier.Rows {
		number, issued := came.Find(was.Content, was.File)
		switch {
		case number == 0:
			left[was.Number] = earlier.Reason(was)
		case issued && documents[was.Number] != "":
			gone = append(gone, documents[was.Number], documents[was.Number]+staging.ReasonSuffix)
		}
	}
	if len(left) == len(earlier.Rows) {
		return nil
	}
	for _, name := range gone {
		if err := root.Remove(filepath.FromSlash(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fsutil.DiskError(err, "removing a document that was corrected")
		}
		for dir := path.Dir(name); dir != "." && root.Remove(filepath.FromSlash(dir)) == nil; dir = path.Dir(dir) {
			continue // goes when it is empty
		}
	}
	if len(left) == 0 {
		return staging.RemoveRejected(folder)
	}
	err = fsutil.WriteFile(filepath.Join(folder, staging.RejectedName), 0o600, func(w io.Writer) error {
		return manifest.WriteRejected(w, earlier, left)
	})
	if _, there := l.Files[staging.RejectedBookName]; err != nil || !there {
		return err
	}
	return fsutil.WriteFile(filepath.Join(folder, staging.RejectedBookName), 0o600, func(w io.Writer) error {
		return manifest.WriteRejectedWorkbook(w, earlier, left)
	})
}

// twinOf returns the other table of the same rejected rows that lies beside one; "" for none.
func (w *Watcher) twinOf(name string) string {
	folder, base := path.Split(name)
	other := map[string]string{staging.RejectedName: staging.RejectedBookName, staging.RejectedBookName: staging.RejectedName}[base]
	if _, there := w.observed[folder+other]; other == "" || !there {
		return ""
	}
	return folder + other
}

// givesWay reports whether a table of rejected rows is left to the one beside it: that has
// fewer faults left or, where both have as many, was written to later.
func (w *Watcher) givesWay(name string) bool {
	twin := w.twinOf(name)
	own, other := w.manifests[name], w.manifests[twin]
	switch {
	case twin == "":
		return false
	case other == nil || other.manifest == nil:
		return true // until that one has arrived
	}
	mine, theirs := len(own.manifest.Problems()), len(other.manifest.Problems())
	if mine != theirs {
		return mine > theirs
	}
	if own.fileID.Time != other.fileID.Time {
		return own.fileID.Time < other.fileID.Time
	}
	return path.Base(name) == staging.RejectedBookName
}
