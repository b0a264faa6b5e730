//go:build unix

package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// What people apply for is decided on the screen: with their evidence, with a file,
// and not at all. What a template lacks is said.
func TestTheScreenDecidesAboutApplications(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := s.daemon()
	scan := s.file("scan.pdf", smallPDF("Scan", 0))
	apply := func(name string, more ...string) string {
		t.Helper()
		out := s.done(append([]string{"application", "submit", "--title", "Letter of Merit", "--name", name,
			"--email", strings.ToLower(name) + "@example.org", "-o", "csv"}, more...)...).stdout
		_, row, _ := strings.Cut(out, "\n")
		reference, _, _ := strings.Cut(row, ",")
		if !strings.HasPrefix(reference, "VEC-IC-") {
			t.Fatalf("an application is %q", out)
		}
		return reference
	}
	sc := s.screen(110, 30, nil)
	sc.press("5")
	sc.sees("none", "live", "[5 Applications]", "No application waits for a decision.")
	ada := apply("Ada", "--evidence", scan)
	sc.sees("waits", ">  Ada", "pending", ada, "evidence: scan.pdf, pdf", "1 pending")
	sc.press("t")
	sc.sees("review", ada+" is in review.", "in review by staff")
	sc.press("Enter")
	sc.sees("one", ada+"  in_review", "scan.pdf", "submitted", "Events", "created")
	sc.press("a")
	sc.sees("approve", "Approve the application of Ada for Letter of Merit.", "> the evidence: scan.pdf", "a file on this machine")
	sc.press("Enter")
	sc.sees("issued", ada+" is issued.", ada+"  approved", "accepted")
	if shown := s.done("application", "show", ada).stdout; !strings.Contains(shown, "approved") {
		t.Errorf("it is not approved:\n%s", shown)
	}
	s.done("download", ada, "--out", filepath.Join(s.dir, "ada.pdf"))
	sc.press("Escape")
	ben := apply("Ben")
	sc.sees("second", ">  Ben", "without evidence")
	sc.press("x")
	sc.sees("reject", "Reject the application of Ben for Letter of Merit?", "Reason:")
	sc.press("Nothing was handed in", "Enter")
	sc.sees("rejected", ben+" is rejected.", "No application waits for a decision.")
	if shown := s.done("application", "show", ben).stdout; !strings.Contains(shown, "Nothing was handed in") {
		t.Errorf("it is not rejected with its reason:\n%s", shown)
	}
	cleo := apply("Cleo")
	s.done("template", "new", "merit", "--from", "letter")
	sc.sees("third", ">  Cleo")
	// Another of the staff is faster.
	sc.press("x")
	sc.sees("late", "Reject the application of Cleo")
	s.done("application", "review", cleo)
	s.done("application", "approve", cleo, "--file", scan)
	sc.press("No", "Enter")
	sc.sees("faster", "Error: application "+cleo+" was approved already, by staff")
	dora := apply("Dora")
	sc.sees("fourth", ">  Dora")
	sc.press("a")
	sc.sees("with", "> a file on this machine", "the template merit")
	sc.press("Enter")
	sc.sees("path", "Path of the file:")
	sc.press(scan, "Enter")
	sc.sees("filed", dora+" is issued.")
	d.kill()
	sc.sees("lost", "Connection lost.", "No application waits for a decision.")
	d = s.daemon()
	sc.waits("again", []string{"live", "No application waits for a decision."}, []string{"Connection lost"})
	emma := apply("Emma")
	sc.sees("fifth", ">  Emma", emma)
	sc.press("a")
	sc.sees("offered", "the template merit")
	sc.press("G")
	sc.sees("template", "> the template merit")
	sc.press("Enter")
	sc.sees("nameless", "Error: template merit: the template shows who issues", ">  Emma", "pending")
	sc.press("q")
	sc.leaves("0")
	d.end()
}
