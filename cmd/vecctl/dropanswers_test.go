package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDroppedManifestWithAnswers drops what no program can read by itself: the answers lie
// beside it, the reason file says how it was read, and the office gets a mail.
func TestDroppedManifestWithAnswers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.done("init", "--institution", "Zürich College", "--sender", "office@example.edu")
	drop := t.TempDir()
	s.env = append(s.env, "VECCTL_DROP_REPORT_TO=registrar@example.edu, dean@example.edu")
	s.serving("--drop", drop, "--settle", "100ms", "--wait", "1s")
	put := func(name, text string) { must(t, os.WriteFile(filepath.Join(drop, name), []byte(text), 0o600)) }
	const table = "What;Who;Mail;When;Doc;Hair\nMaster;Ada Lovelace;ada@example.org;1/6/2026;a.pdf;red\nMaster;Ben;ben;2/6/2026;a.pdf;red\n"
	must(t, os.WriteFile(filepath.Join(drop, "a.pdf"), smallPDF("Ada Lovelace", 0), 0o600))
	put("spring.csv", table)
	s.found("failed/spring.csv", 1) // its reason comes first
	refused, err := os.ReadFile(s.found("failed/spring.csv.reason.txt", 1)[0])
	must(t, err)
	if text := string(refused); !strings.Contains(text, "manifest.yaml") || strings.Contains(text, "--") {
		t.Errorf("the reason is %s", text)
	}
	put("manifest.yaml", "map: {What: title, Who: full_name, Mail: applicant_email, When: issue_date, Doc: file}\ndate_format: DD/MM/YYYY\n")
	put("spring.csv", table)
	report, err := os.ReadFile(s.found("verified/*spring*/report.txt", 1)[0])
	must(t, err)
	reason, err := os.ReadFile(s.found("failed/*-spring/rejected.csv.reason.txt", 1)[0])
	must(t, err)
	for _, want := range []string{"column F, Hair: not used", "column A, What: -> certificate_title", `issue_date "2026-06-01"`} {
		if !strings.Contains(string(report), want) || !strings.Contains(string(reason), want) {
			t.Errorf("%q is not in report.txt:\n%s\nor not in the reason:\n%s", want, report, reason)
		}
	}
	if all := s.all(); len(all) != 1 || all[0].IssueDate != "2026-06-01" {
		t.Errorf("issued are %v", all)
	}
	told := ""
	for _, name := range s.found("mail/*.eml", 5) { // two about each outcome, and one to Ada
		body, err := os.ReadFile(name)
		must(t, err)
		told += string(body)
	}
	for _, want := range []string{"registrar@example.edu", "dean@example.edu", "Rows: 2. Issued: 1. Unchanged: 0. Failed: 0. Rejected: 1.", "It was refused as a whole"} {
		if !strings.Contains(strings.ReplaceAll(told, "=\r\n", ""), want) {
			t.Errorf("no mail says %q:\n%s", want, told)
		}
	}
}
