package dropfolder

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/agent/dropfolder/staging"
	"github.com/vecctl/vecctl/pkg/manifest"
)

// isCorrected reports whether a manifest comes from a rejected.csv.
func isCorrected(m *manifest.Manifest) bool {
	return slices.ContainsFunc(m.Header, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), "reason") })
}

// findSetAsideDocuments looks in the failed folder for documents that a corrected
// rejected.csv names and that do not lie beside it. A document is the one meant
// when the row for which it was set aside names it too and has the same person's
// name or address; when several are, none is taken.
func findSetAsideDocuments(failed string, m *manifest.Manifest, made *plan) {
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
	folders, err := os.ReadDir(failed)
	if err != nil {
		return
	}
	for _, f := range folders {
		if f.IsDir() && !IgnoredFolder(f.Name()) {
			collectSetAside(filepath.Join(failed, f.Name()), wanted, candidates)
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
func collectSetAside(folder string, wanted map[string][]manifest.Row, candidates map[int][]string) {
	earlier, err := readManifest(folder, staging.RejectedName)
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

// readManifest reads a manifest of ours.
func readManifest(folder, name string) (*manifest.Manifest, error) {
	body, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return nil, err
	}
	return manifest.Read(body, manifest.Options{Name: name, MaxRows: manifest.LargestMaxRows})
}
