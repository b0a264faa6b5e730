package home

import (
	"path/filepath"

	"github.com/vecctl/vecctl/pkg/fault"
)

// CheckDrop refuses a drop folder in which the home's own files would lie, or which
// lies among them.
func (d Dir) CheckDrop(folder string) error {
	if !filepath.IsAbs(folder) {
		return fault.Newf(fault.Invalid, "the drop folder %s must be given with its whole path", folder)
	}
	house, folder := resolveLinks(string(d)), resolveLinks(folder)
	own := filepath.Join(house, filepath.Base(d.Drop()))
	if within(folder, house) || within(house, folder) && !within(own, folder) {
		return fault.Newf(fault.Invalid,
			"the drop folder %s and the home's own files would lie in one another; name a folder outside %s, or %s", folder, house, own)
	}
	return nil
}

// Contains reports whether a path leads into the home.
func (d Dir) Contains(path string) bool {
	path, err := filepath.Abs(path)
	return err == nil && within(resolveLinks(string(d)), resolveLinks(path))
}

func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// resolveLinks is a path without links, as far as it exists.
func resolveLinks(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if parent := filepath.Dir(path); parent != path {
		return filepath.Join(resolveLinks(parent), filepath.Base(path))
	}
	return path
}
