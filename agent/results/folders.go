package results

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Folders are the folders of batches' results below the home.
type Folders struct {
	Exporter *Exporter
	Home     home.Dir
	Store    store.Store
}

// folderOf names the batch of a folder.
type folderOf struct {
	institution uint32
	batch       string
}

// Refresh writes the verified PDFs of certificates anew that lie in folders of results, and says
// in the reports there what the files are now. A folder or a file that is not there stays away.
func (f *Folders) Refresh(ctx context.Context, ids []uint64) error {
	if len(ids) == 0 {
		return nil
	}
	all, err := f.Store.ByID(ctx, ids...)
	if err != nil {
		return err
	}
	folders := map[folderOf][]vault.Certificate{}
	for _, c := range all {
		if c.Batch != "" && c.Verified != nil && c.ErasedAt == nil {
			key := folderOf{c.Institution, c.Batch}
			folders[key] = append(folders[key], c)
		}
	}
	var failures []error
	for key, certificates := range folders {
		failures = append(failures, f.refresh(ctx, key, certificates))
	}
	return errors.Join(failures...)
}

func (f *Folders) refresh(ctx context.Context, key folderOf, certificates []vault.Certificate) error {
	batch, err := f.Store.Batch(ctx, key.institution, key.batch)
	if fault.Is(err, fault.NotFound) || err == nil && batch.Name == "" {
		return nil
	}
	if err != nil {
		return err
	}
	dir := filepath.Join(f.Home.ResultsFolder(key.institution), batch.Name)
	there := slices.DeleteFunc(slices.Clone(certificates), func(c vault.Certificate) bool {
		_, err := os.Stat(filepath.Join(dir, c.VerifiedFileName()))
		return errors.Is(err, fs.ErrNotExist)
	})
	if len(there) > 0 {
		if _, err := f.Exporter.Export(ctx, dir, there); err != nil {
			return err
		}
	}
	return f.Exporter.refreshReport(filepath.Join(dir, "report.csv"), certificates)
}

// refreshReport says in a report what verified PDFs are now. A report of an earlier version has
// no place for that.
func (w *Exporter) refreshReport(path string, certificates []vault.Certificate) error {
	w.reports.Lock()
	defer w.reports.Unlock()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	rows, err := readReport(path)
	if err != nil || len(rows) == 0 {
		return err
	}
	at := func(heading string) int { return slices.Index(rows[0], heading) }
	uuid, level, owed := at("uuid"), at("level"), at("level_owed")
	if uuid < 0 || level < 0 || owed < 0 {
		return nil
	}
	now := map[string]vault.Certificate{}
	for _, c := range certificates {
		now[c.UUID] = c
	}
	changed := false
	for _, row := range rows[1:] {
		c, ok := now[row[uuid]]
		if !ok {
			continue
		}
		is, waits := c.Verified.Seal()
		changed = changed || row[level] != string(is) || row[owed] != string(waits)
		row[level], row[owed] = string(is), string(waits)
	}
	if !changed {
		return nil
	}
	return fsutil.WriteFile(path, 0o600, func(out io.Writer) error { return manifest.WriteTable(out, rows) })
}
