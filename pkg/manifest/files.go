package manifest

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/vecctl/vecctl/pkg/manifest/sheet"
)

// Files says which file in a folder each row means.
type Files struct {
	ByRow        map[int]string     // Row.Number to the name as listed; rows without a file are absent
	Problems     []Problem          // rows whose file is missing or not to be told, in the rows' order
	Unreferenced []UnreferencedFile // files of an accepted type that no row names, by name
}

// UnreferencedFile is a file that no row names.
type UnreferencedFile struct {
	Name string // as listed
	Row  int    // the row without a file whose name is nearest to it, 0 for none
	Near string // what that row names

	key string // the name, folded
}

// String is the remark as one line for a person.
func (u UnreferencedFile) String() string {
	if u.Row == 0 {
		return u.Name + ": no row names this file"
	}
	return fmt.Sprintf("%s: no row names this file; row %d names %s, which is not there", u.Name, u.Row, sheet.Quote(u.Near))
}

// DescribeUnreferenced says for a person, in not too many lines, what lies about that no row names.
func DescribeUnreferenced(unnamed []UnreferencedFile) (lines []string) {
	const most = 20
	folder, moved := commonFolder(unnamed)
	if moved > 1 {
		lines = append(lines, fmt.Sprintf("the files that %d rows name lie in the folder %s: name that folder with --files, or put it before each file's name",
			moved, sheet.Quote(folder)))
	}
	for _, u := range unnamed {
		if moved <= 1 || !u.isMisplaced() || path.Dir(u.Name) != folder {
			lines = append(lines, u.String())
		}
	}
	if more := len(lines) - most; more > 0 {
		lines = append(lines[:most], fmt.Sprintf("and %d more files that no row names", more))
	}
	return lines
}

// isMisplaced reports whether a row without a file names the file as if it lay in the
// documents' folder itself.
func (u UnreferencedFile) isMisplaced() bool {
	return u.Row > 0 && path.Dir(u.Name) != "." && foldName(path.Base(u.Name)) == foldName(path.Clean(u.Near))
}

// commonFolder is the folder in which most of the files lie that rows look for in the
// documents' folder itself, and how many do.
func commonFolder(unnamed []UnreferencedFile) (folder string, moved int) {
	counts := map[string]int{}
	for _, u := range unnamed {
		if u.isMisplaced() {
			dir := path.Dir(u.Name)
			if counts[dir]++; counts[dir] > moved {
				folder, moved = dir, counts[dir]
			}
		}
	}
	return folder, moved
}

// MatchFiles finds the files that the manifest's rows name among the names of a
// folder, given relative to it with forward slashes. A name matches as it is,
// else in another Unicode form (NFC, NFD), else in another case when exactly one
// file does. Rows whose name is empty or unsafe are passed over: Read has
// complained about them.
//
// Whether a name is a plain file inside the folder is the caller's to check.
func MatchFiles(m *Manifest, listed []string) Files {
	x := newIndex(listed)
	found := Files{ByRow: make(map[int]string, len(m.Rows))}
	taken := make(map[string]int, len(m.Rows))
	var missing []Row
	for _, r := range m.Rows {
		if r.File == "" || unsafeName(r.File) != "" {
			continue
		}
		candidates := x.find(r.File)
		switch {
		case len(candidates) == 0:
			missing = append(missing, r)
		case len(candidates) > 1:
			found.addProblem(m, r, fmt.Sprintf("%s, which may be %s", sheet.Quote(r.File), listAlternatives(candidates)), "the name exactly as one of them is written")
		case taken[candidates[0]] != 0 && path.Clean(r.File) != path.Clean(m.fileOf(taken[candidates[0]])):
			found.addProblem(m, r, fmt.Sprintf("%s, which is the file of row %d", sheet.Quote(r.File), taken[candidates[0]]), "a file of its own for each row")
		default:
			found.ByRow[r.Number] = candidates[0]
			taken[candidates[0]] = cmp.Or(taken[candidates[0]], r.Number)
		}
	}
	found.findUnreferenced(listed, taken)
	found.suggest(m, missing, x)
	slices.SortStableFunc(found.Problems, func(a, b Problem) int { return cmp.Compare(a.Row, b.Row) })
	return found
}

// fileOf is what a row's file column says.
func (m *Manifest) fileOf(number int) string {
	i, ok := slices.BinarySearchFunc(m.Rows, number, func(r Row, n int) int { return cmp.Compare(r.Number, n) })
	if !ok {
		return ""
	}
	return m.Rows[i].File
}

func (f *Files) addProblem(m *Manifest, r Row, found, want string) {
	f.Problems = append(f.Problems, Problem{Row: r.Number, Line: r.Line, Column: m.fileColumn, Field: fileColumn, Found: found, Want: want})
}

// listAlternatives lists a few names as alternatives.
func listAlternatives(names []string) string {
	var quoted []string
	for _, n := range names[:min(len(names), 3)] {
		quoted = append(quoted, sheet.Quote(n))
	}
	return strings.Join(quoted, " or ")
}

// findUnreferenced gathers the files that a registrar may have forgotten to list.
func (f *Files) findUnreferenced(listed []string, taken map[string]int) {
	for _, name := range slices.Sorted(slices.Values(listed)) {
		if _, ok := taken[name]; !ok && acceptedName(name) {
			f.Unreferenced = append(f.Unreferenced, UnreferencedFile{Name: name, key: foldName(name)})
		}
	}
}

// suggest complains about the missing files and names the nearest that is
// there: first in another folder, then by spelling.
func (f *Files) suggest(m *Manifest, missing []Row, x *index) {
	// Comparing is quadratic; a manifest with this many missing files has been
	// run on the wrong folder, where no spelling helps.
	budget := 300_000
	for _, r := range missing {
		name := path.Clean(r.File)
		near := ""
		if moved := x.byBase[foldName(path.Base(name))]; len(moved) == 1 {
			near = moved[0]
		} else {
			near = f.nearest(name, &budget)
		}
		want := "a file that is there"
		if near != "" {
			want += "; the nearest is " + sheet.Quote(near)
		}
		f.addProblem(m, r, sheet.Quote(r.File)+", which is not there", want)
		i, ok := slices.BinarySearchFunc(f.Unreferenced, near, func(u UnreferencedFile, n string) int { return cmp.Compare(u.Name, n) })
		if ok && f.Unreferenced[i].Row == 0 {
			f.Unreferenced[i].Row, f.Unreferenced[i].Near = r.Number, r.File
		}
	}
}

// nearest finds the unnamed file whose name takes the fewest changes, "" when
// none is near.
func (f *Files) nearest(name string, budget *int) string {
	best, key := "", foldName(name)
	most := max(2, utf8.RuneCountInString(name)/4)
	for _, u := range f.Unreferenced {
		if *budget--; *budget < 0 {
			return best
		}
		if d := editDistance(key, u.key, most); d >= 0 {
			best, most = u.Name, d-1
		}
	}
	return best
}

// index finds listed names by three keys, from strict to lax.
type index struct {
	exact  map[string]bool
	byForm map[string][]string // NFC
	byCase map[string][]string // NFC and case-folded
	byBase map[string][]string // likewise, without folders
}

func newIndex(listed []string) *index {
	n := len(listed)
	x := &index{exact: make(map[string]bool, n), byForm: make(map[string][]string, n), byCase: make(map[string][]string, n), byBase: make(map[string][]string, n)}
	for _, name := range listed {
		if x.exact[name] {
			continue
		}
		x.exact[name] = true
		add := func(to map[string][]string, key string) { to[key] = append(to[key], name) }
		add(x.byForm, norm.NFC.String(name))
		add(x.byCase, foldName(name))
		add(x.byBase, foldName(path.Base(name)))
	}
	for _, names := range []map[string][]string{x.byForm, x.byCase, x.byBase} {
		for _, key := range slices.Collect(maps.Keys(names)) {
			slices.Sort(names[key])
		}
	}
	return x
}

// find returns the one listed name that is meant, several when that cannot be
// told, none when there is none.
func (x *index) find(file string) []string {
	name := path.Clean(file)
	if x.exact[name] {
		return []string{name}
	}
	if same := x.byForm[norm.NFC.String(name)]; len(same) > 0 {
		return same
	}
	return x.byCase[foldName(name)]
}

// foldName makes texts equal that differ in case or Unicode form only.
func foldName(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return strings.ToLower(s)
	}
	// The library swaps the cases of Cherokee letters instead of folding them.
	return norm.NFC.String(strings.ToLower(cases.Fold().String(norm.NFC.String(s))))
}

// acceptedName reports whether a file's name says that it may be a certificate.
func acceptedName(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".pdf", ".jpg", ".jpeg", ".png":
		return !strings.HasPrefix(path.Base(name), ".") && !strings.HasPrefix(path.Base(name), "~$")
	}
	return false
}

// unsafeName says what is wanted instead of a file name that could lead out of
// the folder; "" for a name that cannot.
func unsafeName(name string) string {
	switch {
	case strings.Contains(name, `\`):
		if mended := strings.ReplaceAll(name, `\`, "/"); unsafeName(mended) == "" {
			return sheet.Quote(mended) + ", with forward slashes"
		}
		return "a name relative to the folder, with forward slashes"
	case strings.HasPrefix(name, "/"), len(name) > 1 && name[1] == ':', strings.HasPrefix(name, "~/"), strings.Contains(name, "://"):
		return "a name relative to the folder"
	case strings.Contains("/"+name+"/", "/../"):
		return `a name inside the folder, without ".."`
	case strings.HasSuffix(name, "/"), path.Clean(name) == ".", !fs.ValidPath(path.Clean(name)), strings.ContainsRune(name, 0):
		return "the name of a file"
	}
	return ""
}
