package staging

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

// Result is what is left to do when a batch is issued.
type Result struct {
	Name     string     `json:"name"` // of the outcome's folder, with slashes
	SetAside []SetAside `json:"aside,omitempty"`
	Rejected int        `json:"rejected,omitempty"` // rows in rejected.csv
	Total    int        `json:"total"`              // rows of the manifest
	Reading  []string   `json:"reading,omitempty"`  // how it was read
}

// SetAside is a document that goes to the failed folder.
type SetAside struct {
	File   string `json:"file"` // relative to the documents' folder, with slashes
	Reason string `json:"reason"`
}

// Names of the reports in an outcome.
const (
	ReportName   = "report.csv"
	RejectedName = "rejected.csv"
	// RejectedBookName is the same for spreadsheets.
	RejectedBookName = "rejected.xlsx"
)

// Result returns what Conclude has written down; false before that.
func (b *Batch) Result() (r Result, concluded bool, err error) {
	err = readJSON(b.path(resultName), &r)
	if errors.Is(err, fs.ErrNotExist) {
		return r, false, nil
	}
	return r, err == nil, err
}

// Conclude finds out which documents are to be set aside, and why, and writes it
// down. byRow names the document of each row.
func (b *Batch) Conclude(name string, report client.BulkReport, byRow map[int]string) (Result, error) {
	r := Result{Name: name, Total: report.Total, Rejected: report.Count(client.RowRejected),
		Reading: slices.Concat(report.Reading, report.Notes, report.Warnings)}
	reasons := map[string]string{}
	for _, row := range report.Rows {
		file := byRow[row.Row]
		switch {
		case file == "":
		case row.Status == client.RowRejected:
			reasons[file] += row.Error + "\n"
		case row.Status == client.RowFailed && row.WasIssued():
			reasons[file] += fmt.Sprintf("row %d: %s\nThe certificate %s is issued. When its document is restored, staff can get it: vecctl download %s\n",
				row.Row, row.Error, row.ReferenceID, row.ReferenceID)
		case row.Status == client.RowFailed:
			reasons[file] += fmt.Sprintf("row %d: %s\nThe vault has this document. When the cause is fixed, staff can try it again: vecctl retry %s\n",
				row.Row, row.Error, cmp.Or(row.ReferenceID, row.UUID))
		}
	}
	for _, f := range b.documentFiles() {
		file, isDocument := f.document()
		if !isDocument {
			continue
		}
		if info, err := os.Lstat(b.path(filepath.FromSlash(f.To))); err == nil && !f.unchanged(FileIDOf(info)) {
			reasons[file] += "This file was written to after it was issued; what was issued is what it held before. " +
				"Staff can correct what was issued: vecctl reissue\n"
		}
		if reasons[file] != "" {
			r.SetAside = append(r.SetAside, SetAside{File: file, Reason: reasons[file]})
		}
	}
	return r, writeJSON(b.path(resultName), r)
}

// Finish brings a concluded batch to its end: documents that were not issued go to
// the failed folder, the outcome to the verified folder, and the batch's own
// folder goes.
func (b *Batch) Finish(r Result, failed, verified string) error {
	if err := b.moveSetAside(r, failed, strings.ReplaceAll(r.Name, "/", "-")); err != nil {
		return err
	}
	there, err := pathExists(b.ResultsPath())
	if err != nil {
		return err
	}
	if there {
		err := MoveFolder(b.ResultsPath(), filepath.Join(verified, filepath.FromSlash(r.Name)), RejectedBookName, RejectedName, ReportName)
		if err != nil {
			return err
		}
	}
	return b.Remove()
}

// moveSetAside moves documents that were not issued to a folder below the failed folder, each with
// its reason, and rejected.csv with them.
func (b *Batch) moveSetAside(r Result, failed, folder string) error {
	own, refused, err := b.openWith(failed)
	if err != nil {
		return err
	}
	defer own.Close()
	defer refused.Close()
	body, err := own.ReadFile(filepath.Join(resultsDir, RejectedName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fsutil.DiskError(err, "reading rejected.csv")
	}
	if err == nil {
		if err := b.copyAnswers(Place{refused, path.Join(folder, answersName)}); err != nil {
			return err
		}
		text := fmt.Sprintf("%d of %d rows of %s were not issued; rejected.csv says why in its last column.\n\n"+
			"The shortest way on: correct the original manifest, and the documents in this folder that are at fault, and put them into the drop folder again; what is issued stays as it is.\n"+
			"Or correct rejected.xlsx or rejected.csv and put it, or this whole folder, into the drop folder.\n",
			r.Rejected, r.Total, b.Manifest)
		if len(r.Reading) > 0 {
			text += "\nHow the manifest was read:\n" + strings.Join(r.Reading, "\n") + "\n"
		}
		if err := b.copyBook(own, Place{refused, path.Join(folder, RejectedBookName)}); err != nil {
			return err
		}
		name := path.Join(folder, RejectedName)
		if err := errors.Join(Place{refused, name}.WriteText(string(body)), Place{refused, name + ReasonSuffix}.WriteText(text)); err != nil {
			return err
		}
	}
	for _, a := range r.SetAside {
		from, to := Place{own, path.Join(filesDir, a.File)}, Place{refused, path.Join(folder, a.File)}
		there, err := from.Exists()
		if err != nil {
			return err
		}
		if !there {
			continue // done before
		}
		if err := (Place{refused, to.Name + ReasonSuffix}).WriteText(a.Reason); err != nil {
			return err
		}
		if err := MoveFiles([]Move{{From: from, To: to}}); err != nil {
			return err
		}
	}
	return nil
}

// answersName is the name of answers beside a manifest.
const answersName = "manifest.yaml"

// copyBook writes rejected.xlsx beside rejected.csv, where there is one.
func (b *Batch) copyBook(own *os.Root, to Place) error {
	body, err := own.ReadFile(filepath.Join(resultsDir, RejectedBookName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fsutil.DiskError(err, "reading rejected.xlsx")
	}
	return to.WriteText(string(body))
}

// copyAnswers writes the answers beside rejected rows, which need them again.
func (b *Batch) copyAnswers(to Place) error {
	answers, err := b.Answers()
	if err != nil || answers == nil {
		return err
	}
	return to.WriteText(string(answers))
}

// RemoveRejected removes the tables of rejected rows from a folder of the failed folder, and
// the folder where nothing else is in it.
func RemoveRejected(folder string) error {
	for _, name := range []string{RejectedName, RejectedBookName, RejectedName + ReasonSuffix, answersName} {
		if err := os.Remove(filepath.Join(folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fsutil.DiskError(err, "removing rejected rows that were corrected")
		}
	}
	_ = os.Remove(folder) // one that is not empty stays, and that is no error
	return nil
}

// openWith opens the batch's folder and the failed folder.
func (b *Batch) openWith(failed string) (own, refused *os.Root, err error) {
	if own, err = os.OpenRoot(b.Dir); err != nil {
		return nil, nil, fsutil.DiskError(err, "opening the folder of a batch")
	}
	if refused, err = os.OpenRoot(failed); err != nil {
		return nil, nil, errors.Join(fsutil.DiskError(err, "opening the failed folder"), own.Close())
	}
	return own, refused, nil
}

// Refuse sets the batch aside as a whole, with the reason beside its manifest, and
// returns where.
func (b *Batch) Refuse(failed, reason string) (folder string, err error) {
	name := filepath.Base(b.Dir)
	folder = filepath.Join(failed, name)
	own, refused, err := b.openWith(failed)
	if err != nil {
		return folder, err
	}
	defer own.Close()
	defer refused.Close()
	named := cmp.Or(b.Archive, b.Manifest)
	if err := (Place{refused, path.Join(name, named+ReasonSuffix)}).WriteText(reason); err != nil {
		return folder, err
	}
	var moves []Move
	for _, f := range b.refusedFiles() {
		here := Place{own, f.from}
		there, err := here.Exists()
		if err != nil {
			return folder, err
		}
		if there {
			moves = append(moves, Move{From: here, To: Place{refused, path.Join(name, f.to)}})
		}
	}
	if err := MoveFiles(moves); err != nil {
		return folder, err
	}
	return folder, b.Remove()
}

// refusedFile is a file of a batch that is set aside as a whole, and its name there.
type refusedFile struct{ from, to string }

func (b *Batch) refusedFiles() []refusedFile {
	if b.Archive != "" { // which has all of it
		return []refusedFile{{ArchiveTarget(b.Archive), b.Archive}}
	}
	var files []refusedFile
	for _, document := range b.Documents() {
		files = append(files, refusedFile{path.Join(filesDir, document), document})
	}
	return append(files, refusedFile{path.Join(manifestDir, b.Manifest), b.Manifest}, refusedFile{AnswersTarget, answersName})
}
