package template

import (
	"embed"
	"io/fs"
	"path"
	"slices"

	"github.com/vecctl/vecctl/pkg/fault"
)

//go:embed bundled
var bundledFiles embed.FS

// BundledNames are the names of the templates that come with the program.
func BundledNames() []string { return []string{"degree", "course", "letter"} }

// BundledFonts are the fonts of these templates, which hold the Latin, Greek and Cyrillic
// scripts.
func BundledFonts() (regular, bold []byte, err error) {
	if regular, err = bundledFiles.ReadFile("bundled/fonts/NotoSerif-Regular.ttf"); err != nil {
		return nil, nil, err
	}
	bold, err = bundledFiles.ReadFile("bundled/fonts/NotoSerif-Bold.ttf")
	return regular, bold, err
}

// BundledFiles are all files of one of these templates, by their names in its folder.
func BundledFiles(name string) (map[string][]byte, error) {
	if !slices.Contains(BundledNames(), name) {
		return nil, fault.Newf(fault.Invalid, "there is no template %q to start from; there are degree, course and letter", name)
	}
	all := map[string][]byte{}
	for _, dir := range []string{name, "fonts"} {
		dir = path.Join("bundled", dir)
		entries, err := fs.ReadDir(bundledFiles, dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			b, err := fs.ReadFile(bundledFiles, path.Join(dir, e.Name()))
			if err != nil {
				return nil, err
			}
			all[e.Name()] = b
		}
	}
	return all, nil
}
