package dropfolder

import (
	"errors"
	"fmt"
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
	"github.com/vecctl/vecctl/pkg/vault"
)

// isCorrected reports whether a manifest comes from a rejected.csv.
func isCorrected(m *manifest.Manifest) bool {
	return slices.ContainsFunc(m.Header, isReason)
}

func isReason(heading string) bool { return strings.EqualFold(strings.TrimSpace(heading), "reason") }

// findSetAsideDocuments looks in the failed folder for documents that a corrected
// rejected.csv names and that do not lie beside it. A document is the one meant
// when the row for which it was set aside names it too and has the same person's
// name or address; when several are, none is taken.
func (w *Watcher) findSetAsideDocuments(m *manifest.Manifest, made *plan) {
	if len(made.lost) == 0 || !isCorrected(m) {
		return
	}
	wanted := map[string][]manifest.Row{}
	for _, row := range m.Rows {
		if made.lost[row.Number] != "" {
			wanted[path.Clean(row.File)] = append(wanted[path.Clean(row.File)], row)
		}
	}
	candidates := map[int][]string{}
	folders, err := os.ReadDir(w.Failed)
	if err != nil {
		return
	}
	for _, f := range folders {
		if f.IsDir() && !IgnoredFolder(f.Name()) {
			w.collectSetAside(filepath.Join(w.Failed, f.Name()), wanted, candidates)
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
func (w *Watcher) collectSetAside(folder string, wanted map[string][]manifest.Row, candidates map[int][]string) {
	earlier, err := w.readRejected(folder)
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
func (w *Watcher) readRejected(folder string) (*manifest.Manifest, error) {
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
	return w.readManifest(body, staging.RejectedName, given)
}

// clearCorrected takes rows that are issued by now out of what earlier outcomes have in the
// failed folder, with the documents that were set aside for them. Rows of a corrected
// rejected.csv go too that were refused anew: they have a reason beside this outcome.
func (w *Watcher) clearCorrected(m *manifest.Manifest, report client.BulkReport) {
	folders, err := os.ReadDir(w.Failed)
	if err != nil {
		return
	}
	came := newRowIndex(m, report)
	for _, f := range folders {
		if !f.IsDir() || IgnoredFolder(f.Name()) {
			continue
		}
		folder := filepath.Join(w.Failed, f.Name())
		earlier, err := w.readRejected(folder)
		if err != nil || !isCorrected(earlier) {
			continue
		}
		if err := came.clear(folder, earlier); err != nil {
			w.Log.Error("what was corrected stays in the failed folder", "folder", folder, "error", err)
		}
	}
}

// rowIndex finds the rows of a manifest by what rejected rows have in common with them.
type rowIndex struct {
	rows     map[string][]int // row numbers by a text that a row has
	issued   map[int]bool
	rejected map[int]bool // anew
}

// newRowIndex indexes the rows that were issued, and those that were refused anew.
func newRowIndex(m *manifest.Manifest, report client.BulkReport) rowIndex {
	x := rowIndex{rows: map[string][]int{}, issued: map[int]bool{}, rejected: map[int]bool{}}
	for _, row := range report.Rows {
		x.issued[row.Row] = row.Status == client.RowIssued || row.Status == client.RowUnchanged
		x.rejected[row.Row] = row.Status == client.RowRejected && isCorrected(m)
	}
	for _, row := range m.Rows {
		if !x.issued[row.Number] && !x.rejected[row.Number] {
			continue
		}
		for _, text := range rowTexts(row) {
			x.rows[text] = append(x.rows[text], row.Number)
		}
	}
	return x
}

// clear takes the rows that came again out of a folder of the failed folder.
func (x rowIndex) clear(folder string, earlier *manifest.Manifest) error {
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
	reason := slices.IndexFunc(earlier.Header, isReason)
	left, gone := map[int]string{}, []string{}
	for _, was := range earlier.Rows {
		came, issued := x.holds(was)
		switch {
		case !came && reason < len(was.Cells):
			left[was.Number] = was.Cells[reason]
		case !came:
			left[was.Number] = ""
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
	return fsutil.WriteFile(filepath.Join(folder, staging.RejectedName), 0o600, func(w io.Writer) error {
		return manifest.WriteRejected(w, earlier, left)
	})
}

// holds reports whether a rejected row came again, two of its texts being the same, and
// whether it is issued by now.
func (x rowIndex) holds(was manifest.Row) (came, issued bool) {
	common := map[int]int{}
	for _, text := range rowTexts(was) {
		for _, number := range x.rows[text] {
			if common[number]++; common[number] == 2 {
				came, issued = true, issued || x.issued[number]
			}
		}
	}
	return came, issued
}

// rowTexts are what tells a row from others: name, address, document and external ID.
func rowTexts(row manifest.Row) (texts []string) {
	for i, text := range []string{vault.FoldName(row.Name), vault.FoldEmail(row.Email), path.Clean(row.File), row.ExternalID} {
		if text != "" && text != "." {
			texts = append(texts, fmt.Sprint(i, " ", text))
		}
	}
	return texts
}
