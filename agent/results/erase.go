package results

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
)

// EraseAll removes the verified PDFs of certificates from a folder of outcomes' folders,
// and names and addresses from the reports there. It returns how many files and lines.
func EraseAll(root string, gone []vault.Certificate) (int, error) {
	if len(gone) == 0 {
		return 0, nil
	}
	folders, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fsutil.DiskError(err, "reading the folder of results")
	}
	removed, references := 0, referencesOf(gone)
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		n, err := eraseIn(filepath.Join(root, f.Name()), references)
		removed += n
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// EraseIn is Erase for the folder of one outcome; one that is not there has nothing.
// A certificate that was erased may have lost the name of its document, so files are
// found by their reference IDs.
func EraseIn(folder string, gone []vault.Certificate) (int, error) {
	return eraseIn(folder, referencesOf(gone))
}

func referencesOf(all []vault.Certificate) map[string]bool {
	references := map[string]bool{}
	for _, c := range all {
		references[c.Reference] = true
	}
	return references
}

func eraseIn(folder string, references map[string]bool) (int, error) {
	files, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fsutil.DiskError(err, "reading the folder of a batch's results")
	}
	removed := 0
	for _, f := range files {
		if !references[vault.ReferenceInFileName(f.Name())] {
			continue
		}
		there, err := fsutil.RemoveFile(filepath.Join(folder, f.Name()))
		if err != nil {
			return removed, err
		}
		if there {
			removed++
		}
	}
	n, err := eraseRows(folder, references)
	if err != nil {
		return removed, fmt.Errorf("erasing lines of a report: %w", err)
	}
	return removed + n, nil
}

// eraseRows takes personal data out of those lines of a folder's report that are
// about certificates, by reference ID, and returns how many. A report that is none
// of ours stays as it is.
func eraseRows(folder string, references map[string]bool) (int, error) {
	path := filepath.Join(folder, "report.csv")
	rows, err := readReport(path)
	if err != nil || rows == nil {
		return 0, err
	}
	at := func(heading string) int { return slices.Index(rows[0], heading) }
	reference := at("reference_id")
	personal := []int{at("file"), at("error")}
	for _, f := range vault.Fields() {
		// Reports have required fields and later ones; older reports lack the later.
		if i := at(f.Key); f.Personal && (f.Required || i >= 0) {
			personal = append(personal, i)
		}
	}
	if reference < 0 || slices.Contains(personal, -1) {
		return 0, nil
	}
	erased := 0
	for _, row := range rows[1:] {
		if !references[row[reference]] {
			continue
		}
		left := false
		for _, i := range personal {
			left = left || row[i] != ""
			row[i] = ""
		}
		if left {
			erased++
		}
	}
	if erased == 0 {
		return 0, nil
	}
	// The reading shows whole rows.
	if _, err := fsutil.RemoveFile(filepath.Join(folder, readingName)); err != nil {
		return 0, err
	}
	return erased, fsutil.WriteFile(path, 0o600, func(w io.Writer) error { return manifest.WriteTable(w, rows) })
}

// readReport reads a report's lines; nil when there is none.
func readReport(path string) ([][]string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fsutil.DiskError(err, "opening a report")
	}
	defer f.Close()
	rows, err := manifest.ReadTable(f)
	if _, broken := errors.AsType[*csv.ParseError](err); broken {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading a report: %w", err)
	}
	return rows, nil
}
