package admin

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
)

// refusedSearch looks through files that were dropped for what is about an address.
type refusedSearch struct {
	results.Erased
	names  []string // of the person
	dryRun bool
	found  []string // what was or would be destroyed, as absolute paths
}

// maxSearched bounds what is read of one file; manifests are no larger.
const maxSearched = 64 << 20

// searchRefused goes through a folder of refused files: manifests lose the person's rows, or
// go as a whole where rows cannot be taken out, and documents of these rows go with their
// reasons. Folders of others within are left out.
func (s *refusedSearch) searchRefused(folder string, others map[string]bool) error {
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case d.IsDir() && others[name]:
			return fs.SkipDir
		case d.Type().IsRegular():
			return s.search(name)
		}
		return nil
	})
	return fsutil.DiskError(err, "looking through refused files")
}

// search looks at one file.
func (s *refusedSearch) search(name string) error {
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() > maxSearched {
		return nil
	}
	if err != nil {
		return err
	}
	body, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".tsv", ".xlsx", ".xlsm", ".ods":
		return s.searchManifest(name, body)
	}
	if s.mentions(body, strings.HasSuffix(name, reasonSuffix)) {
		return s.remove(name)
	}
	return nil
}

const (
	reasonSuffix  = ".reason.txt"
	shortestNamed = 5 // characters of a name that is looked for; shorter ones are parts of words
)

// mentions reports whether a text has the address, or also a name of the person; where several
// people share the address, both.
func (s *refusedSearch) mentions(body []byte, byName bool) bool {
	text := vault.Fold(string(bytes.ToValidUTF8(body, nil)))
	addressed := strings.Contains(text, vault.Fold(s.Email))
	if addressed && s.Person == "" {
		return true
	}
	if s.Person != "" && !addressed {
		return false // another person may have the name
	}
	for _, name := range s.names {
		if (byName || s.Person != "") && len(name) >= shortestNamed && strings.Contains(text, vault.Fold(name)) {
			return true
		}
	}
	return false
}

// searchManifest removes a manifest that has a row of the address, with the documents of
// the row. A rejected.csv of ours loses the row alone.
func (s *refusedSearch) searchManifest(name string, body []byte) error {
	m, err := manifest.Read(body, manifest.Options{Name: path.Base(filepath.ToSlash(name)), MaxRows: manifest.LargestMaxRows})
	if err != nil {
		if s.mentions(body, false) {
			return s.remove(name)
		}
		return nil
	}
	about := false
	for _, row := range m.Rows {
		if vault.FoldEmail(row.Email) != s.Email || s.Person != "" && !row.IsFor(s.Person) {
			continue
		}
		about = true
		if row.File == "" || !filepath.IsLocal(filepath.FromSlash(row.File)) {
			continue
		}
		if err := s.remove(filepath.Join(filepath.Dir(name), filepath.FromSlash(row.File))); err != nil {
			return err
		}
	}
	if !about {
		return nil
	}
	rest, _, err := s.WithoutRows(body)
	if err != nil {
		return err
	}
	if rest != nil {
		s.found = append(s.found, name)
		if s.dryRun {
			return nil
		}
		return fsutil.ReplaceFile(name, rest)
	}
	return s.remove(name)
}

// remove removes a file with the note that says why it was refused.
func (s *refusedSearch) remove(name string) error {
	for _, one := range []string{name, name + reasonSuffix} {
		if _, err := os.Lstat(one); err != nil || slices.Contains(s.found, one) {
			continue
		}
		s.found = append(s.found, one)
		if s.dryRun {
			continue
		}
		if _, err := fsutil.RemoveFile(one); err != nil {
			return err
		}
	}
	return nil
}
