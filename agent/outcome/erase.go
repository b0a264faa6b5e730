package outcome

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/manifest"
)

// EraseRows takes names, addresses and titles out of those lines of a folder's
// report that are about certificates, by reference ID, and returns how many. A
// report that is none of ours stays as it is.
func EraseRows(folder string, references map[string]bool) (int, error) {
	path := filepath.Join(folder, "report.csv")
	rows, err := readReport(path)
	if err != nil || rows == nil {
		return 0, err
	}
	at := func(heading string) int { return slices.Index(rows[0], heading) }
	reference := at("reference_id")
	personal := []int{at("full_name"), at("applicant_email"), at("certificate_title"), at("file"), at("error")}
	if reference < 0 || slices.Contains(personal, -1) {
		return 0, nil
	}
	erased := 0
	for _, row := range rows[1:] {
		if !references[row[reference]] {
			continue
		}
		for _, i := range personal {
			row[i] = ""
		}
		erased++
	}
	if erased == 0 {
		return 0, nil
	}
	return erased, blob.WriteFile(path, 0o600, func(w io.Writer) error { return manifest.WriteTable(w, rows) })
}

// readReport reads a report's lines; nil when there is none.
func readReport(path string) ([][]string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, blob.DiskError(err, "opening a report")
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
