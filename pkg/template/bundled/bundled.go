// Package bundled has the templates that come with the program.
package bundled

import (
	"embed"
	"io/fs"
	"path"
	"slices"

	"github.com/vecctl/vecctl/pkg/fault"
)

//go:embed degree course letter fonts
var files embed.FS

// Names are the templates' names.
func Names() []string { return []string{"degree", "course", "letter"} }

// Fonts are the fonts of the templates, which hold the Latin, Greek and Cyrillic
// scripts.
func Fonts() (regular, bold []byte, err error) {
	if regular, err = files.ReadFile("fonts/NotoSerif-Regular.ttf"); err != nil {
		return nil, nil, err
	}
	bold, err = files.ReadFile("fonts/NotoSerif-Bold.ttf")
	return regular, bold, err
}

// Files are all files of a template, by their names in its folder.
func Files(name string) (map[string][]byte, error) {
	if !slices.Contains(Names(), name) {
		return nil, fault.Newf(fault.Invalid, "there is no template %q to start from; there are degree, course and letter", name)
	}
	all := map[string][]byte{}
	for _, dir := range []string{name, "fonts"} {
		entries, err := fs.ReadDir(files, dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			b, err := fs.ReadFile(files, path.Join(dir, e.Name()))
			if err != nil {
				return nil, err
			}
			all[e.Name()] = b
		}
	}
	return all, nil
}
