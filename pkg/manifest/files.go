package manifest

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/vecctl/vecctl/pkg/manifest/sheet"
)

// Files says which file in a folder each row means.
type Files struct {
	ByRow        map[int]string     // Row.Number to the name as listed; rows without a file are absent
	Problems     []Problem          // rows whose file is missing or not to be told, in the rows' order
	Warnings     []Problem          // rows whose file is another row's too, though they name it in different ways
	Notes        []string           // names that were understood though they are written otherwise
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
// file does. A name of another machine, such as C:/Users/Ann/docs/1.pdf, matches by
// its end; one without an extension, or a number without its leading zeros, matches
// the one file that it can be. Rows whose name is empty or unsafe are passed over:
// Read has complained about them.
//
// Whether a name is a plain file inside the folder is the caller's to check.
func MatchFiles(m *Manifest, listed []string) Files {
	x := newIndex(listed)
	found := Files{ByRow: make(map[int]string, len(m.Rows))}
	taken := make(map[string]int, len(m.Rows))
	understood := map[lookup]*understoodNames{}
	var missing []Row
	for _, r := range m.Rows {
		if r.File == "" || unsafeName(r.File) != "" {
			continue
		}
		candidates, how := x.find(r.File)
		switch {
		case len(candidates) == 0:
			missing = append(missing, r)
		case len(candidates) > 1:
			found.addProblem(m, r, fmt.Sprintf("%s, which may be %s", sheet.Quote(r.File), listAlternatives(candidates)), "the name exactly as one of them is written")
		default:
			found.ByRow[r.Number] = candidates[0]
			found.noteShared(m, r, taken[candidates[0]])
			taken[candidates[0]] = cmp.Or(taken[candidates[0]], r.Number)
			if how != asWritten {
				if understood[how] == nil {
					understood[how] = &understoodNames{first: fmt.Sprintf("row %d: %s is %s", r.Number, sheet.Quote(r.File), sheet.Quote(candidates[0]))}
				}
				understood[how].rows++
			}
		}
	}
	for how := byEnd; how <= withZeros; how++ {
		if u := understood[how]; u != nil {
			found.Notes = append(found.Notes, fmt.Sprintf("%s: %s %s (%s)", m.fileColumn, sheet.Plural(u.rows, "file was", "files were"), how, u.first))
		}
	}
	found.findUnreferenced(listed, taken)
	found.suggest(m, missing, x)
	slices.SortStableFunc(found.Problems, func(a, b Problem) int { return cmp.Compare(a.Row, b.Row) })
	return found
}

// noteShared remarks on a file that an earlier row names too, in other letters; that
// two rows name one file in the same letters is noted as the rows are read.
func (f *Files) noteShared(m *Manifest, r Row, first int) {
	i, ok := slices.BinarySearchFunc(m.Rows, first, func(r Row, n int) int { return cmp.Compare(r.Number, n) })
	if !ok || path.Clean(m.Rows[i].File) == path.Clean(r.File) {
		return
	}
	w := Problem{Row: r.Number, Line: r.Line, Cell: r.cell(m.fileAt), Column: m.fileColumn, Field: fieldFile.name(),
		Found: fmt.Sprintf("%s is the file of row %d too", sheet.Quote(r.File), first)}
	if m.strict {
		f.Problems = append(f.Problems, w)
		return
	}
	f.Warnings = append(f.Warnings, w)
}

// lookup is how a file was found.
type lookup int

const (
	asWritten lookup = iota
	byEnd            // by the end of a path of another machine
	withExtension
	withZeros
)

func (l lookup) String() string {
	switch l {
	case byEnd:
		return "found by the end of a path of another machine"
	case withExtension:
		return "found without the extension being named"
	case withZeros:
		return "found by a number without its leading zeros"
	}
	return "found"
}

// understoodNames counts the rows whose file was found in a way.
type understoodNames struct {
	rows  int
	first string // an example
}

func (f *Files) addProblem(m *Manifest, r Row, found, want string) {
	f.Problems = append(f.Problems, Problem{Row: r.Number, Line: r.Line, Cell: r.cell(m.fileAt), Column: m.fileColumn, Field: fileColumn, Found: found, Want: want})
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
		if moved := x.laxly().byBase[foldName(path.Base(name))]; len(moved) == 1 {
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
		if d := editDistance(key, u.key, most); d >= 0 && !anotherNumber(key, u.key) {
			best, most = u.Name, d-1
		}
	}
	return best
}

// anotherNumber reports whether two names differ in their digits alone: the number of one
// person is not a misspelling of another's.
func anotherNumber(a, b string) bool {
	letters := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return -1
			}
			return r
		}, s)
	}
	return a != b && letters(a) == letters(b)
}

// index finds listed names by several keys, from strict to lax. The lax ones are made when a name is not
// there as it is written.
type index struct {
	listed []string
	exact  map[string]bool
	lax    *laxIndex
}

// laxIndex has the listed names by what is like them.
type laxIndex struct {
	byForm map[string][]string // NFC
	byCase map[string][]string // NFC and case-folded
	byBase map[string][]string // likewise, without folders
	byStem map[string][]string // likewise, without the extension of a document, and numbers without leading zeros
}

func newIndex(listed []string) *index {
	x := &index{exact: make(map[string]bool, len(listed))}
	for _, name := range listed {
		if !x.exact[name] {
			x.exact[name] = true
			x.listed = append(x.listed, name)
		}
	}
	return x
}

func (x *index) laxly() *laxIndex {
	if x.lax == nil {
		x.lax = newLaxIndex(x.listed)
	}
	return x.lax
}

func newLaxIndex(listed []string) *laxIndex {
	n := len(listed)
	x := &laxIndex{byForm: make(map[string][]string, n), byCase: make(map[string][]string, n), byBase: make(map[string][]string, n), byStem: make(map[string][]string, n)}
	for _, name := range listed {
		add := func(to map[string][]string, key string) { to[key] = append(to[key], name) }
		add(x.byForm, norm.NFC.String(name))
		add(x.byCase, foldName(name))
		add(x.byBase, foldName(path.Base(name)))
		if acceptedName(name) {
			add(x.byStem, bareNumber(foldName(strings.TrimSuffix(name, path.Ext(name)))))
		}
	}
	for _, names := range []map[string][]string{x.byForm, x.byCase, x.byBase, x.byStem} {
		for _, key := range slices.Collect(maps.Keys(names)) {
			slices.Sort(names[key])
		}
	}
	return x
}

// find returns the one listed name that is meant, several when that cannot be
// told, none when there is none.
func (x *index) find(file string) ([]string, lookup) {
	name := path.Clean(file)
	if found := x.findWritten(name); len(found) > 0 {
		return found, asWritten
	}
	if rest, ok := ofAnotherMachine(file); ok {
		for rest != "" {
			if found := x.findWritten(rest); len(found) > 0 {
				return found, byEnd
			}
			_, rest, _ = strings.Cut(rest, "/")
		}
		return nil, byEnd
	}
	stem := foldName(name)
	if acceptedName(name) {
		stem = strings.TrimSuffix(stem, path.Ext(stem))
	}
	found := x.laxly().byStem[bareNumber(stem)]
	exact := slices.DeleteFunc(slices.Clone(found), func(n string) bool { return foldName(strings.TrimSuffix(n, path.Ext(n))) != stem })
	switch {
	case acceptedName(name) && !isNumber(path.Base(stem)):
		return nil, asWritten // a file of another type is another file
	case acceptedName(name):
		// 123.pdf is 00123.pdf, and no 00123.png.
		ext := path.Ext(foldName(name))
		return slices.DeleteFunc(slices.Clone(found), func(n string) bool { return path.Ext(foldName(n)) != ext }), withZeros
	case len(exact) > 0:
		return exact, withExtension
	case isNumber(path.Base(stem)):
		return found, withZeros
	}
	return nil, asWritten
}

// findWritten finds a name as it is, else in another Unicode form, else in another case.
func (x *index) findWritten(name string) []string {
	if x.exact[name] {
		return []string{name}
	}
	if same := x.laxly().byForm[norm.NFC.String(name)]; len(same) > 0 {
		return same
	}
	return x.laxly().byCase[foldName(name)]
}

// isNumber reports whether a name is digits alone.
func isNumber(stem string) bool { return stem != "" && strings.Trim(stem, "0123456789") == "" }

// bareNumber takes the leading zeros off the last part of a path where that is a number.
func bareNumber(stem string) string {
	if base := path.Base(stem); isNumber(base) {
		return path.Join(path.Dir(stem), cmp.Or(strings.TrimLeft(base, "0"), "0"))
	}
	return stem
}

// ofAnotherMachine recognises the absolute paths of Windows, once their backslashes
// are slashes, and returns what stands below the drive or the server's share.
func ofAnotherMachine(name string) (below string, ok bool) {
	if len(name) > 3 && name[1] == ':' && name[2] == '/' && (name[0]|0x20) >= 'a' && (name[0]|0x20) <= 'z' {
		return path.Clean(name[3:]), true
	}
	if share, unc := strings.CutPrefix(name, "//"); unc {
		_, share, _ = strings.Cut(share, "/")
		_, below, _ = strings.Cut(share, "/")
		return path.Clean(below), below != ""
	}
	return "", false
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
// the folder; "" for a name that cannot. A path of another machine is looked for by
// its end inside the folder.
func unsafeName(name string) string {
	_, elsewhere := ofAnotherMachine(name)
	switch {
	case strings.Contains(name, `\`), strings.Contains("/"+name+"/", "/../"):
		return `a name inside the folder, without ".."`
	case strings.HasSuffix(name, "/"), path.Clean(name) == ".", strings.ContainsRune(name, 0):
		return "the name of a file"
	case elsewhere:
		return ""
	case strings.HasPrefix(name, "/"), len(name) > 1 && name[1] == ':', strings.HasPrefix(name, "~/"), strings.Contains(name, "://"):
		return "a name relative to the folder"
	case !fs.ValidPath(path.Clean(name)):
		return "the name of a file"
	}
	return ""
}
