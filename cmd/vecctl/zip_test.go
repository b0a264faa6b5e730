package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// zipped writes a zip of names and contents and returns its path.
func zipped(t *testing.T, path string, files map[string]string) string {
	t.Helper()
	f, err := os.Create(path)
	must(t, err)
	defer f.Close()
	w := zip.NewWriter(f)
	for name, body := range files {
		one, err := w.Create(name)
		must(t, err)
		_, err = one.Write([]byte(body))
		must(t, err)
	}
	must(t, w.Close())
	return path
}

// spring is a batch in a folder, as a program of the desktop zips it.
func spring(manifestName string) map[string]string {
	return map[string]string{
		"Spring 2026/" + manifestName:  "title,name,email,date,file\nMaster,Ada,ada@example.org,2026-06-01,docs/a.pdf\nMaster,Ben,ben@example.org,2026-06-01,gone.pdf\n",
		"Spring 2026/docs/a.pdf":       string(smallPDF("Ada", 0)),
		"__MACOSX/Spring 2026/._a.pdf": "junk",
	}
}

func TestBulkOfAZip(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	temp := t.TempDir()
	s.env = append(s.env, "TMPDIR="+temp)
	s.done("init", "--institution", "University")
	name := zipped(t, filepath.Join(s.dir, "batch.zip"), spring("manifest.csv"))
	s.want(2, "bulk", name, "--dry-run").says(t, "2 rows: 1 ready, 0 unchanged, 1 rejected")
	s.want(2, "bulk", name, "--files", s.dir).says(t, "a zip brings its own documents")
	s.want(3, "bulk", name, "--on-error", "skip").says(t, "1 issued", "Spring 2026")
	s.want(3, "bulk", name, "--on-error", "skip").says(t, "0 issued, 1 unchanged")
	bad := zipped(t, filepath.Join(s.dir, "bad.zip"), map[string]string{"m.csv": "x", "../../evil.pdf": "x"})
	s.want(2, "bulk", bad).says(t, "leads out of the zip")
	if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
		t.Errorf("left in the folder for temporary files: %v, %v", left, err)
	}
}

func TestDroppedZips(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.done("init", "--institution", "University")
	drop := t.TempDir()
	s.serving("--drop", drop, "--settle", "100ms", "--wait", "1s")
	zipped(t, filepath.Join(drop, "b.zip"), spring("list.csv"))
	zipped(t, filepath.Join(drop, "two.zip"), map[string]string{"a.csv": "x", "b.csv": "x"})
	report, err := os.ReadFile(s.found("verified/*-Spring 2026/report.csv", 1)[0])
	must(t, err)
	if !strings.Contains(string(report), "1,issued,") || !strings.Contains(string(report), "2,rejected,") {
		t.Errorf("%s", report)
	}
	s.found("failed/*-Spring 2026/rejected.csv", 1)
	reason, err := os.ReadFile(s.found("failed/two.zip.reason.txt", 1)[0])
	must(t, err)
	if !strings.Contains(string(reason), "there are 2 tables in the zip") {
		t.Errorf("%s", reason)
	}
	s.found("failed/two.zip", 1)
	if left, err := os.ReadDir(drop); err != nil || len(left) != 0 {
		t.Errorf("left in the drop folder: %v, %v", left, err)
	}
}
