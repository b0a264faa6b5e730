package results

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
)

// cameWith indexes the rows of a run of rejected rows.
func cameWith(rows []manifest.ReportRow, m *manifest.Manifest) manifest.Corrections {
	issued, again := map[int]bool{}, map[int]bool{}
	for _, row := range rows {
		if issued[row.Row] = row.Status == string(client.RowIssued) || row.Status == string(client.RowUnchanged); !issued[row.Row] {
			again[row.Row] = true
		}
	}
	return manifest.NewCorrections(m.Rows, issued, again)
}

// mergeReports puts the rows of a run of rejected rows into the places that they have in the
// report of the run that rejected them; what is new stands at the end. It is nil where
// there is no earlier report, or one of another version.
func mergeReports(earlier [][]string, rows []manifest.ReportRow, came manifest.Corrections) [][]string {
	now := manifest.ReportTable(rows)
	if len(earlier) == 0 || !slices.Equal(earlier[0], now[0]) {
		return nil
	}
	at := func(key string) int { return slices.Index(earlier[0], key) }
	status, file, id := at("status"), at("file"), at(vault.FieldExternalID.Field().Key)
	name, email := at(vault.FieldName.Field().Key), at(vault.FieldEmail.Field().Key)
	placed := map[int]bool{}
	for i, line := range earlier[1:] {
		if line[status] != string(client.RowRejected) {
			continue
		}
		number, _ := came.Find(vault.Content{Name: line[name], Email: line[email], ExternalID: line[id]}, line[file])
		n := slices.IndexFunc(rows, func(r manifest.ReportRow) bool { return r.Row == number })
		if n < 0 || placed[number] {
			continue
		}
		placed[number] = true
		earlier[i+1] = append([]string{line[0]}, now[n+1][1:]...)
	}
	for n, row := range rows {
		known := slices.ContainsFunc(earlier[1:], func(line []string) bool { return row.UUID != "" && line[2] == row.UUID })
		if !placed[row.Row] && !known {
			earlier = append(earlier, now[n+1])
		}
	}
	return earlier
}

// withEarlierRejected returns a manifest with the rows of an earlier rejected.csv that did not
// come again behind its own; their reasons are added. One with other headings is left out.
func withEarlierRejected(path string, m *manifest.Manifest, reasons map[int]string, came manifest.Corrections) (*manifest.Manifest, error) {
	body, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, fsutil.DiskError(err, "reading earlier rejected rows")
	}
	earlier, err := manifest.Read(body, manifest.Options{Name: rejectedName, MaxRows: manifest.LargestMaxRows})
	if err != nil || !slices.Equal(earlier.Header, m.Header) {
		return m, nil //nolint:nilerr // the report has them all the same
	}
	merged := *m
	merged.Rows = slices.Clone(m.Rows)
	next := 0
	for _, row := range m.Rows {
		next = max(next, row.Number)
	}
	for _, was := range earlier.Rows {
		if number, _ := came.Find(was.Content, was.File); number != 0 {
			continue
		}
		next++
		reasons[next] = earlier.Reason(was)
		was.Number = next
		merged.Rows = append(merged.Rows, was)
	}
	return &merged, nil
}
