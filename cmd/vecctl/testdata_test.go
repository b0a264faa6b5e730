package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
)

// root is the repository, where the README's commands are given.
func root(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	must(t, err)
	return dir
}

// tool runs a program that reads PDFs. Where it is not installed the test is
// skipped; scripts/test installs all of them.
func tool(t testing.TB, name string, args ...string) (string, int) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	cmd := exec.Command(name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// TestSpring2026 gives the README's first command and hands every verified PDF
// to programs that are not ours.
func TestSpring2026(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.env = append(s.env, "TMPDIR="+s.dir) // not in the checkout
	s.dir = root(t)
	manifest := filepath.Join("testdata", "spring-2026", "manifest.csv")
	s.docs = filepath.Join(s.dir, "testdata", "spring-2026")
	first := s.bulk(0, manifest)
	if first.Total < 40 || first.Issued != first.Total || len(first.Notes) != 0 {
		t.Fatalf("%d rows, %d issued; notes %q", first.Total, first.Issued, first.Notes)
	}
	for _, same := range []string{manifest, filepath.Join("testdata", "spring-2026", "manifest.xlsx")} {
		s.done("bulk", same, "--out", s.out).says(t, fmt.Sprintf("%d rows: 0 issued, %d unchanged, 0 failed.", first.Total, first.Total))
	}
	for _, c := range s.all() {
		t.Run(c.File.Name, func(t *testing.T) {
			t.Parallel()
			wantVerifiedPDF(t, s, c)
		})
	}
}

func wantVerifiedPDF(t *testing.T, s *site, c client.Certificate) {
	verified := filepath.Join(s.out, c.Verified.Name)
	body, err := os.ReadFile(verified)
	must(t, err)
	if sumOf(body) != c.Verified.SHA256 {
		t.Fatal("the file is not what was issued")
	}
	original, isPDF := originalOf(t, s, c, body)

	// A tool may have its complaints about the original; we must add none.
	said, code := tool(t, "qpdf", "--check", verified)
	worst := 0
	if isPDF {
		_, worst = tool(t, "qpdf", "--check", original)
	}
	if code > worst {
		t.Errorf("qpdf --check: exit code %d, of the original %d: %s", code, worst, said)
	}
	said, _ = tool(t, "pdfsig", "-nocert", verified)
	for _, want := range []string{"Signature is Valid", "Total document signed"} {
		if !strings.Contains(said, want) {
			t.Errorf("pdfsig does not say %q: %s", want, said)
		}
	}
	picture := filepath.Join(t.TempDir(), "page")
	if said, code := tool(t, "pdftoppm", "-r", "150", "-f", "1", "-l", "1", "-singlefile", "-gray", verified, picture); code != 0 {
		t.Fatalf("pdftoppm: %s", said)
	}
	said, _ = tool(t, "zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", picture+".pgm")
	if want := "https://vec.example.edu/v/" + c.ReferenceID; !strings.Contains(said, want) || c.VerifyURL != want {
		t.Errorf("the QR code says %q, the certificate %q, want %q", said, c.VerifyURL, want)
	}
}

// originalOf finds the document as it was handed in; where that is a PDF, the
// verified one must begin with it.
func originalOf(t *testing.T, s *site, c client.Certificate, body []byte) (path string, isPDF bool) {
	t.Helper()
	err := filepath.WalkDir(s.docs, func(at string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() == c.File.Name {
			path = at
		}
		return err
	})
	must(t, err)
	original, err := os.ReadFile(path)
	must(t, err)
	if sumOf(original) != c.File.SHA256 {
		t.Fatalf("%s is not the document that was issued", path)
	}
	isPDF = !bytes.HasPrefix(original, []byte("\x89PNG")) && !bytes.HasPrefix(original, []byte("\xff\xd8"))
	if isPDF && !bytes.HasPrefix(body, original) {
		t.Error("the verified PDF does not begin with the original")
	}
	return path, isPDF
}

// TestBadRows holds the program to testdata's list of what is wrong in each row.
func TestBadRows(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	folder := filepath.Join(root(t), "testdata", "bad-rows")
	manifest := filepath.Join(folder, "manifest.csv")
	expected := readCSV(t, filepath.Join(folder, "expected.csv"))[1:]
	if report := s.bulk(2, manifest); report.Issued != 0 || len(s.all()) != 0 {
		t.Fatalf("%d were issued although rows are bad", report.Issued)
	}
	report := s.bulk(3, manifest, "--on-error", "skip")
	if len(report.Rows) != len(expected) {
		t.Fatalf("%d rows, want %d", len(report.Rows), len(expected))
	}
	good := 0
	for i, row := range report.Rows {
		want := expected[i]
		switch verdict, column := want[1], want[2]; {
		case strconv.Itoa(row.Row) != want[0]:
			t.Errorf("row %d is numbered %d", i+1, row.Row)
		case verdict == "good":
			good++
			if row.Status != client.RowIssued {
				t.Errorf("row %d is %s: %s", row.Row, row.Status, row.Error)
			}
		case row.Status != client.RowRejected || row.UUID != "":
			t.Errorf("row %d (%s) is %s", row.Row, want[3], row.Status)
		case !strings.HasPrefix(row.Error, fmt.Sprintf("row %d", row.Row)) || !strings.Contains(row.Error, column):
			t.Errorf("row %d (%s): %q names not row and column %s", row.Row, want[3], row.Error, column)
		}
	}
	if report.Issued != good || len(s.all()) != good || good == 0 {
		t.Errorf("%d issued, %d certificates, want %d", report.Issued, len(s.all()), good)
	}
	wantRejected(t, s, len(expected)-good)
	s.want(2, "bulk", filepath.Join(folder, "headers-only.csv")).says(t, "headers-only.csv", "no rows")
}

// wantRejected wants the rejected rows, as a manifest that can be mended, with no
// cell that a spreadsheet would run.
func wantRejected(t *testing.T, s *site, rows int) {
	t.Helper()
	rejected := readCSV(t, filepath.Join(s.out, "rejected.csv"))
	if len(rejected) != rows+1 {
		t.Errorf("rejected.csv has %d rows, want %d", len(rejected)-1, rows)
	}
	for _, line := range rejected {
		for _, cell := range line {
			if strings.IndexAny(cell, "=+-@\t") == 0 {
				t.Errorf("a spreadsheet would run %q", cell)
			}
		}
	}
	s.want(2, "bulk", filepath.Join(s.out, "rejected.csv"), "--files", filepath.Join(root(t), "testdata", "bad-rows"), "--out", filepath.Join(s.dir, "second"))
}
