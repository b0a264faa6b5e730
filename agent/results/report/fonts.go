package report

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/template/typeset"
)

// Fonts are where letters come from: the program's own fonts hold the Latin, Greek
// and Cyrillic scripts, those named here come behind them, and for what none of them
// holds the folders are looked through.
type Fonts struct {
	Files   []string
	Folders []string
}

// SystemFolders are where fonts lie that a machine has installed.
func SystemFolders(getenv func(string) string) []string {
	home := getenv("HOME")
	switch runtime.GOOS {
	case "windows":
		return []string{filepath.Join(getenv("WINDIR"), "Fonts")}
	case "darwin":
		return []string{"/Library/Fonts", "/System/Library/Fonts", filepath.Join(home, "Library", "Fonts")}
	}
	return []string{filepath.Join(home, ".local", "share", "fonts"), "/usr/local/share/fonts", "/usr/share/fonts"}
}

// fontSet are fonts that are loaded.
type fontSet struct {
	regular, bold []*typeset.Font
	missing       map[string]bool // characters that no font holds, each as a text
}

// load reads the fonts that are named, and finds others for the characters of texts
// that they do not hold.
func (f Fonts) load(texts []string) (*fontSet, error) {
	regular, bold, err := template.BundledFonts()
	if err != nil {
		return nil, err
	}
	t := &fontSet{missing: map[string]bool{}}
	for into, file := range map[*[]*typeset.Font][]byte{&t.regular: regular, &t.bold: bold} {
		one, err := typeset.ParseFont("Noto Serif", file)
		if err != nil {
			return nil, err
		}
		*into = append(*into, one)
	}
	for _, path := range f.Files {
		file, err := os.ReadFile(path)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the font %s cannot be read; check its name and permissions", path))
		}
		one, err := typeset.ParseFont(filepath.Base(path), file)
		if err != nil {
			return nil, fault.Newf(fault.Invalid, "the font %s cannot be used: %v", path, err)
		}
		t.add(one)
	}
	for _, text := range texts {
		for _, c := range text {
			if !t.has(c) {
				t.missing[string(c)] = true
			}
		}
	}
	f.findFallbacks(t)
	return t, nil
}

// Missing lists the characters of texts that no font holds, in order.
func (f Fonts) Missing(texts []string) ([]string, error) {
	t, err := f.load(texts)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(t.missing)), nil
}

func (t *fontSet) add(f *typeset.Font) {
	t.regular, t.bold = append(t.regular, f), append(t.bold, f)
}

// has reports whether any font holds a character, or it needs none.
func (t *fontSet) has(c rune) bool {
	return unicode.IsControl(c) || unicode.IsSpace(c) || unicode.Is(unicode.Cf, c) || unicode.Is(unicode.Variation_Selector, c) ||
		slices.ContainsFunc(t.regular, func(f *typeset.Font) bool { return f.Has(c) })
}

// maxFontFile is the size of a font file that is still looked into.
const maxFontFile = 40 << 20

// findFallbacks looks through the folders for what is missing.
func (f Fonts) findFallbacks(t *fontSet) {
	if len(t.missing) == 0 {
		return
	}
	for _, path := range f.candidates() {
		if len(t.missing) == 0 {
			return
		}
		file, err := os.ReadFile(path)
		if err != nil {
			continue // another has it, or its characters are spelled out
		}
		one, err := typeset.ParseFont(filepath.Base(path), file)
		if err != nil {
			continue
		}
		if t.covers(one) {
			t.add(one)
		}
	}
}

// covers strikes out what a font holds of what is missing.
func (t *fontSet) covers(f *typeset.Font) bool {
	before := len(t.missing)
	for c := range t.missing {
		if f.Has([]rune(c)[0]) {
			delete(t.missing, c)
		}
	}
	return len(t.missing) < before
}

// candidates lists the TrueType files of the folders, upright ones of ordinary
// weight, those of the Noto family first: it has a font for each script.
func (f Fonts) candidates() []string {
	var all []string
	for _, folder := range f.Folders {
		var found []string
		_ = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.EqualFold(filepath.Ext(path), ".ttf") {
				return nil //nolint:nilerr // a folder that cannot be read has no fonts for us
			}
			name := strings.ToLower(d.Name())
			for _, word := range []string{"bold", "italic", "oblique", "mono", "light", "thin", "black", "condensed"} {
				if strings.Contains(name, word) {
					return nil
				}
			}
			if info, err := d.Info(); err == nil && info.Size() <= maxFontFile {
				found = append(found, path)
			}
			return nil
		})
		slices.SortFunc(found, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
		all = append(all, found...)
	}
	return all
}

func rank(path string) int {
	name := strings.ToLower(filepath.Base(path))
	for i, family := range []string{"notoserif", "notosans", "noto", "dejavu"} {
		if strings.HasPrefix(name, family) {
			return i
		}
	}
	return 9
}

// spellMissing is a text with the numbers of those characters that no font holds in
// their place: nobody may take one for another.
func spellMissing(text string, has func(rune) bool) string {
	var b strings.Builder
	for _, c := range text {
		if has(c) || unicode.IsSpace(c) {
			b.WriteRune(c)
			continue
		}
		if b.Len() > 0 && !strings.HasSuffix(b.String(), " ") {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "U+%04X ", c)
	}
	return strings.TrimSpace(b.String())
}
