package results

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Erased is what is taken out of the results of batches.
type Erased struct {
	Certificates []vault.Certificate
	// Email, folded, and Person, a name or external ID, say whose rejected rows go; Person is "" for
	// all rows of the address, and Email "" for none.
	Email, Person string
}

// All removes the verified PDFs of the certificates from a folder of outcomes' folders, names and
// addresses from the reports there, and rejected rows. It returns how many files and lines.
func (e Erased) All(root string) (int, error) {
	if len(e.Certificates) == 0 && e.Email == "" {
		return 0, nil
	}
	folders, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fsutil.DiskError(err, "reading the folder of results")
	}
	removed := 0
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		n, err := e.In(filepath.Join(root, f.Name()))
		removed += n
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// In is All for the folder of one outcome; one that is not there has nothing. A certificate that
// was erased may have lost the name of its document, so files are found by their reference IDs.
func (e Erased) In(folder string) (int, error) {
	references := map[string]bool{}
	for _, c := range e.Certificates {
		references[c.Reference] = true
	}
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
	n, err := e.eraseRows(folder, references)
	if err == nil {
		var rejected int
		rejected, err = e.eraseRejected(folder)
		n += rejected
	}
	if err != nil {
		return removed, fmt.Errorf("erasing lines of a report: %w", err)
	}
	return removed + n, nil
}

// eraseRows takes personal data out of those lines of a folder's report that are
// about certificates, by reference ID, or rows that were rejected, and returns how many. A report
// that is none of ours stays as it is.
func (e Erased) eraseRows(folder string, references map[string]bool) (int, error) {
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
		if !references[row[reference]] && (row[reference] != "" || !e.names(row)) {
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

// eraseRejected takes the rows out of a folder's rejected.csv, and returns how many. Its other
// form, rejected.xlsx, goes then: rejected.csv has the rows of the others.
func (e Erased) eraseRejected(folder string) (int, error) {
	if e.Email == "" {
		return 0, nil
	}
	path := filepath.Join(folder, rejectedName)
	body, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fsutil.DiskError(err, "reading rejected rows")
	}
	rest, n, err := e.WithoutRows(body)
	if err != nil || n == 0 {
		return 0, err
	}
	for _, name := range []string{rejectedBookName, readingName} {
		if _, err := fsutil.RemoveFile(filepath.Join(folder, name)); err != nil {
			return 0, err
		}
	}
	if rest == nil {
		_, err := fsutil.RemoveFile(path)
		return n, err
	}
	return n, fsutil.ReplaceFile(path, rest)
}

// WithoutRows takes the rows out of a table in text, and returns how many they were; rest is nil
// where only the headings are left. Of what is no such table nothing is taken.
func (e Erased) WithoutRows(body []byte) (rest []byte, n int, err error) {
	rows, comma := readAnyTable(body)
	if len(rows) == 0 {
		return nil, 0, nil
	}
	kept := rows[:1:1]
	for _, row := range rows[1:] {
		if e.names(row) {
			n++
		} else {
			kept = append(kept, row)
		}
	}
	if n == 0 || len(kept) == 1 {
		return nil, n, nil
	}
	var out bytes.Buffer
	out.WriteString(byteOrderMark)
	w := csv.NewWriter(&out)
	w.Comma = comma
	if err := w.WriteAll(kept); err != nil {
		return nil, n, fmt.Errorf("writing a table without some rows: %w", err)
	}
	return out.Bytes(), n, nil
}

// byteOrderMark begins tables in UTF-8, so that spreadsheets read them as such.
const byteOrderMark = "\ufeff"

// readAnyTable reads a table with any of the usual characters between its cells: the one that
// gives the most columns.
func readAnyTable(body []byte) (rows [][]string, comma rune) {
	for _, c := range []rune{',', ';', '\t'} {
		r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte(byteOrderMark))))
		r.Comma = c
		found, err := r.ReadAll()
		if err == nil && len(found) > 0 && len(found[0]) > 1 && (rows == nil || len(found[0]) > len(rows[0])) {
			rows, comma = found, c
		}
	}
	return rows, comma
}

// names reports whether the cells of a row have the address, and the person where one is said. A
// name may stand in two cells.
func (e Erased) names(cells []string) bool {
	if e.Email == "" || !slices.ContainsFunc(cells, func(cell string) bool { return vault.FoldEmail(cell) == e.Email }) {
		return false
	}
	if e.Person == "" {
		return true
	}
	for i, cell := range cells {
		if isPerson(cell, e.Person) {
			return true
		}
		for j, other := range cells {
			if i != j && cell != "" && other != "" && isPerson(cell+" "+other, e.Person) {
				return true
			}
		}
	}
	return false
}

func isPerson(text, person string) bool {
	text = vault.Clean(strings.TrimPrefix(text, "'")) // a cell that was defused
	return vault.Content{Name: text, ExternalID: text}.IsFor(person)
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
