package template

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Dir is a folder of templates, each in a folder of its own.
type Dir struct{ Path string }

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// CheckName refuses what a template's folder cannot be called.
func CheckName(name string) error {
	if !namePattern.MatchString(name) {
		return fault.Newf(fault.Invalid, "%q cannot be a template's name; use small letters, digits, - and _, at most 64", name)
	}
	return nil
}

// Names lists the templates, those included that have faults.
func (s Dir) Names() ([]string, error) {
	entries, err := os.ReadDir(s.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, fmt.Sprintf("the folder of templates, %s, cannot be read (%v); change its permissions", s.Path, cause(err)))
	}
	var names []string
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(s.Path, e.Name(), File)); err == nil && namePattern.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Load reads and checks a template by its name.
func (s Dir) Load(name string) (*Template, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	t, err := LoadDir(filepath.Join(s.Path, name))
	if fault.Is(err, fault.NotFound) {
		names, _ := s.Names() // a hint, and no more
		there := "there are none yet; make one with: vecctl template new " + name
		if len(names) > 0 {
			there = "there are " + strings.Join(names, ", ")
		}
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("there is no template %q; %s", name, there))
	}
	return t, err
}

// Version is another one once a file of the template was changed, which tells
// whether it must be read again.
func (s Dir) Version(name string) string {
	var b strings.Builder
	_ = filepath.WalkDir(filepath.Join(s.Path, name), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // reading it will say what is wrong
		}
		if info, err := d.Info(); err == nil {
			fmt.Fprintf(&b, "%s %d %d\n", path, info.Size(), info.ModTime().UnixNano())
		}
		return nil
	})
	return b.String()
}

// LoadDir reads and checks the template in a folder. Links that lead out of
// it are not followed.
func LoadDir(dir string) (*Template, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the template's folder %s cannot be opened (%v); change its permissions", dir, cause(err)))
	}
	if err != nil {
		return nil, fault.Wrap(fault.NotFound, err, fmt.Sprintf("there is no template's folder %s", dir))
	}
	defer root.Close()
	return Load(root.FS())
}

// Add puts a new template into the folder, whole or not at all. A template with
// faults is refused.
func (s Dir) Add(name string, files map[string][]byte) error {
	if err := CheckName(name); err != nil {
		return err
	}
	dir := filepath.Join(s.Path, name)
	if _, err := os.Lstat(dir); err == nil {
		return fault.Newf(fault.Conflict, "there is a template %q already; choose another name, or change the one in %s", name, dir)
	}
	if err := os.MkdirAll(s.Path, 0o700); err != nil {
		return unwritableError(s.Path, err)
	}
	made, err := os.MkdirTemp(s.Path, ".new-")
	if err != nil {
		return unwritableError(s.Path, err)
	}
	defer os.RemoveAll(made)
	for _, file := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(made, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return unwritableError(s.Path, err)
		}
		if err := writeFile(path, files[file]); err != nil {
			return unwritableError(s.Path, err)
		}
	}
	if _, err := LoadDir(made); err != nil {
		return err
	}
	if err := os.Rename(made, dir); err != nil {
		return unwritableError(s.Path, err)
	}
	return nil
}

func writeFile(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

func unwritableError(dir string, err error) error {
	return fault.Wrap(fault.Internal, err, fmt.Sprintf("the template cannot be written to %s (%v); make room there, or change its permissions", dir, cause(err)))
}

const (
	maxFiles = 200
	maxTotal = 100 << 20
)

// ReadFiles reads all files of a folder, in order to add them elsewhere.
func ReadFiles(dir string) (map[string][]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the folder %s cannot be opened; check its name and rights", dir))
	}
	defer root.Close()
	files, total := map[string][]byte{}, 0
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return nil
		}
		b, err := readFile(root.FS(), name, maxFont)
		if err != nil {
			return fmt.Errorf("%s %w", name, err)
		}
		if total += len(b); total > maxTotal || len(files) == maxFiles {
			return fmt.Errorf("it has more than %d files or %d MB", maxFiles, maxTotal>>20)
		}
		files[name] = b
		return nil
	})
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the folder %s is no template: %v", dir, err))
	}
	if files[File] == nil {
		return nil, fault.Newf(fault.Invalid, "the folder %s is no template: it has no %s", dir, File)
	}
	return files, nil
}

// SampleRow is a row to try a template with: what each of its columns may hold.
func (t *Template) SampleRow() map[string]string {
	known := map[string]string{InstitutionColumn: "Example University"}
	for _, f := range vault.Fields() {
		known[f.Key] = f.Sample
	}
	values := map[string]string{}
	for _, f := range t.fields {
		for _, w := range f.segments {
			if w.column == "" {
				continue
			}
			values[w.column] = known[w.column]
			if values[w.column] == "" {
				values[w.column] = strings.ReplaceAll(w.column, "_", " ")
			}
		}
	}
	return values
}
