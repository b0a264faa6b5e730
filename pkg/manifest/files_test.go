package manifest

import (
	"fmt"
	"strings"
	"testing"
)

func rowsOf(files ...string) *Manifest {
	m := &Manifest{fileColumn: "file"}
	for i, f := range files {
		m.Rows = append(m.Rows, Row{Number: i + 1, Line: i + 2, File: f})
	}
	return m
}

func TestMatchFiles(t *testing.T) {
	tests := []struct {
		name        string
		rows, files []string
		want        string
	}{
		{"exact", []string{"a.pdf", "sub/b.pdf", "./c.pdf"}, []string{"a.pdf", "sub/b.pdf", "c.pdf"}, "1=a.pdf 2=sub/b.pdf 3=c.pdf"},
		{"NFD on the disk", []string{"é.pdf"}, []string{"e\u0301.pdf"}, "1=e\u0301.pdf"},
		{"another case", []string{"anna.pdf", "ŁUCJA.pdf"}, []string{"Anna.PDF", "łucja.pdf"}, "1=Anna.PDF 2=łucja.pdf"},
		{"sharp s", []string{"straße.pdf"}, []string{"STRASSE.pdf"}, "1=STRASSE.pdf"},
		{"exact before another case", []string{"a.pdf", "A.pdf"}, []string{"A.pdf", "a.pdf"}, "1=a.pdf 2=A.pdf"},
		{"two cases", []string{"a.pdf"}, []string{"A.pdf", "a.PDF"}, `
row 1, column file: found "a.pdf", which may be "A.pdf" or "a.PDF", want the name exactly as one of them is written
A.pdf: no row names this file
a.PDF: no row names this file`},
		{"one file by two names", []string{"a.pdf", "A.pdf"}, []string{"a.pdf"}, `1=a.pdf 2=a.pdf
row 2, column file: "A.pdf" is the file of row 1 too`},
		{"misspelt", []string{"ana-kowalska.pdf"}, []string{"anna-kowalska.pdf", "zoe.pdf", "readme.txt", ".hidden.pdf"}, `
row 1, column file: found "ana-kowalska.pdf", which is not there, want a file that is there; the nearest is "anna-kowalska.pdf"
anna-kowalska.pdf: no row names this file; row 1 names "ana-kowalska.pdf", which is not there
zoe.pdf: no row names this file`},
		{"in another folder", []string{"a.pdf"}, []string{"2026/A.pdf"}, `
row 1, column file: found "a.pdf", which is not there, want a file that is there; the nearest is "2026/A.pdf"
2026/A.pdf: no row names this file; row 1 names "a.pdf", which is not there`},
		{"nothing near", []string{"a.pdf"}, []string{"certificate.pdf"}, `
row 1, column file: found "a.pdf", which is not there, want a file that is there
certificate.pdf: no row names this file`},
		{"unsafe is passed over", []string{"../a.pdf", ""}, []string{"../a.pdf"}, "\n../a.pdf: no row names this file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := rowsOf(tt.rows...)
			f := MatchFiles(m, tt.files)
			var matched, lines []string
			for _, r := range m.Rows {
				if name, ok := f.ByRow[r.Number]; ok {
					matched = append(matched, fmt.Sprintf("%d=%s", r.Number, name))
				}
			}
			lines = append(lines, strings.Join(matched, " "))
			for _, p := range f.Problems {
				lines = append(lines, p.String())
			}
			for _, w := range f.Warnings {
				lines = append(lines, w.String())
			}
			for _, u := range f.Unreferenced {
				lines = append(lines, u.String())
			}
			if got := strings.Join(lines, "\n"); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestUnsafeName(t *testing.T) {
	for _, bad := range []string{"/etc/passwd", "..", "../a.pdf", "a/../b.pdf", "a/..", `a\b.pdf`, `..\a.pdf`, "c:a.pdf", "C:/../a.pdf", "//server", "//server/share", "~/a.pdf", "file:///a.pdf", "https://x.org/a.pdf", ".", "./", "a/", "a\x00.pdf", "a\xff.pdf"} {
		if unsafeName(bad) == "" {
			t.Errorf("%q is accepted", bad)
		}
	}
	for _, good := range []string{"a.pdf", "a/b/c.pdf", "./a.pdf", "a//b.pdf", "..a.pdf", "a..pdf", "~a.pdf", "C:/a.pdf", "//server/share/a.pdf", "Zeugnis (1).pdf", "সনদ.pdf"} {
		if want := unsafeName(good); want != "" {
			t.Errorf("%q is refused: want %s", good, want)
		}
	}
}

// The wrong folder must not take minutes to be told: names are compared only so often,
// after which the nearest is not sought any more.
func TestMatchFilesBounded(t *testing.T) {
	nearest := func(others int) string {
		var rows, files []string
		for i := range others {
			rows = append(rows, fmt.Sprintf("certificate-of-achievement-%05d.pdf", i))
			files = append(files, fmt.Sprintf("diploma-of-excellence-in-%05d.pdf", i))
		}
		f := MatchFiles(rowsOf(append(rows, "zeugnis-von-jemand.pdf")...), append(files, "zeugnis-von-jemanden.pdf"))
		if len(f.Problems) != others+1 || len(f.Unreferenced) != others+1 {
			t.Fatalf("%d problems, %d unnamed", len(f.Problems), len(f.Unreferenced))
		}
		return f.Problems[others].Want
	}
	const found = `the nearest is "zeugnis-von-jemanden.pdf"`
	if want := nearest(100); !strings.Contains(want, found) {
		t.Errorf("among 100 others: %s", want)
	}
	if want := nearest(10_000); strings.Contains(want, found) {
		t.Errorf("among 10,000 others: %s", want)
	}
}

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		most int
		want int
	}{
		{"", "", 0, 0}, {"abc", "abc", 0, 0}, {"abc", "abd", 1, 1}, {"abc", "acb", 1, 1}, {"abc", "ab", 1, 1},
		{"kitten", "sitting", 3, 3}, {"kitten", "sitting", 2, -1}, {"a", "abcd", 2, -1}, {"żółć", "zolc", 4, 4},
	}
	for _, tt := range tests {
		if got := editDistance(tt.a, tt.b, tt.most); got != tt.want {
			t.Errorf("distance(%q, %q, %d) = %d, want %d", tt.a, tt.b, tt.most, got, tt.want)
		}
	}
}

func TestRemarks(t *testing.T) {
	t.Parallel()
	var rows, files []string
	for i := range 30 {
		rows = append(rows, fmt.Sprintf("%02d.pdf", i))
		files = append(files, fmt.Sprintf("PDF Files/%02d.PDF", i))
	}
	remarks := func(rows, files []string) []string {
		return DescribeUnreferenced(MatchFiles(rowsOf(rows...), files).Unreferenced)
	}
	// All lie in one folder: one line, not one for each.
	if got := remarks(rows, files); len(got) != 1 || !strings.Contains(got[0], `30 rows name lie in the folder "PDF Files": name that folder with --files`) {
		t.Errorf("moved: %q", got)
	}
	// One alone is told as it is.
	if got := remarks(rows[:1], files[:1]); len(got) != 1 || !strings.Contains(got[0], "row 1 names") {
		t.Errorf("one moved: %q", got)
	}
	// Among other files.
	got := remarks(rows[:2], append([]string{"zoe.pdf"}, files[:2]...))
	if len(got) != 2 || !strings.Contains(got[0], "2 rows") || got[1] != "zoe.pdf: no row names this file" {
		t.Errorf("with another: %q", got)
	}
	// Many that nobody names.
	if got := remarks(nil, files); len(got) != 21 || got[20] != "and 10 more files that no row names" {
		t.Errorf("nobody's: %q", got)
	}
}

// Another person's number is no misspelling, however near it is.
func TestAnotherNumberIsNotNearest(t *testing.T) {
	for _, tt := range []struct{ named, there, near string }{
		{"00220.pdf", "00230.pdf", ""},
		{"degree-12.pdf", "degree-13.pdf", ""},
		{"degre-12.pdf", "degree-12.pdf", "degree-12.pdf"},
		{"ana.pdf", "anna.pdf", "anna.pdf"},
	} {
		m := read(t, header+"D,Ann Lee,a@x.org,,,"+tt.named+"\n", Options{})
		f := MatchFiles(m, []string{tt.there})
		if len(f.Problems) != 1 || strings.Contains(f.Problems[0].String(), "the nearest is") != (tt.near != "") {
			t.Errorf("%s with %s: %v", tt.named, tt.there, f.Problems)
		}
	}
}
