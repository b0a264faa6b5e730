package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// found waits for files that a pattern names, below the home.
func (s *site) found(pattern string, n int) []string {
	s.t.Helper()
	limit := time.After(2 * time.Minute)
	for {
		names, err := filepath.Glob(filepath.Join(s.home, pattern))
		must(s.t, err)
		if len(names) >= n {
			return names
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-limit:
			s.t.Fatalf("%d files are named %s, want %d", len(names), pattern, n)
		}
	}
}

// TestDroppedManifestsOfTemplates drops manifests whose rows bring no documents: the
// column "template" makes them.
func TestDroppedManifestsOfTemplates(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.done("init", "--institution", "Zürich College")
	s.done("template", "new", "degree")
	drop := t.TempDir()
	s.serving("--drop", drop, "--settle", "100ms", "--wait", "2s")
	put := func(name, text string) { must(t, os.WriteFile(filepath.Join(drop, name), []byte(text), 0o600)) }
	const head = "title,name,email,date,president,file,template\n"
	must(t, os.WriteFile(filepath.Join(drop, "own.pdf"), smallPDF("own", 0), 0o600))
	rows := "Master,Ada,ada@example.org,,Q,,degree\nMaster,Ben,ben@example.org,2026-05-31,Q,,degree\nMaster,Own,own@example.org,2026-05-31,,own.pdf,degree\n"
	put("spring.csv", head+rows)
	first := s.found("verified/*spring*/report.csv", 1)[0]
	if pdfs := s.found("verified/*spring*/*.pdf", 3); len(pdfs) != 3 {
		t.Errorf("%d verified PDFs", len(pdfs))
	}
	report, err := os.ReadFile(first)
	must(t, err)
	if strings.Count(string(report), ",issued,") != 3 {
		t.Errorf("%s", report)
	}
	for _, c := range s.all() {
		if c.QR == nil || c.QR.SizeMM != 24 {
			t.Errorf("%s: the code is placed %v", c.Name, c.QR)
		}
	}
	// The same rows and one more: only that is new, and no document is asked for.
	put("again.csv", head+rows+"Master,Dan,dan@example.org,,,,degree\n")
	again, err := os.ReadFile(s.found("verified/*again*/report.csv", 1)[0])
	must(t, err)
	if strings.Count(string(again), ",unchanged,") != 3 || strings.Count(string(again), ",issued,") != 1 {
		t.Errorf("%s", again)
	}
	// Rows that cannot be made are refused, each with its reason; the others are issued.
	put("bad.csv", head+"Master,Eve,eve@example.org,,,,gone\nMaster,सोनिया,son@example.org,,,,degree\nMaster,Fay,fay@example.org,2026-05-31,,,degree\nMaster,Gus,gus@example.org,,,,\n")
	rejected, err := os.ReadFile(s.found("failed/*-bad/rejected.csv", 1)[0])
	must(t, err)
	for _, want := range []string{`there is no template ""gone""`, "full_name has the character 'स'", "file"} {
		if !strings.Contains(string(rejected), want) {
			t.Errorf("%q is not in %s", want, rejected)
		}
	}
	if n := len(s.all()); n != 5 {
		t.Errorf("%d certificates, want 5", n)
	}
}
