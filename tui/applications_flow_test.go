package tui

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/tui/ui"
)

// queue is a screen that shows the queue.
func queue(t *testing.T, how staging) *stage {
	t.Helper()
	s := start(t, applied(), how)
	s.press("5")
	s.wants("[5 Applications]", "waiting for a decision", "1 of 6")
	return s
}

// tells lets the event stream tell something.
func (s *stage) tells(messages ...adminclient.Message) {
	s.send(ui.EventsMsg{Messages: messages})
	s.later(time.Second)
}

func TestAnApplicationIsLookedAtTakenAndApprovedWithItsEvidence(t *testing.T) {
	t.Parallel()
	s := queue(t, staging{})
	a := application(12, "pending")
	s.press("enter")
	s.wants(a.ReferenceID+"  pending", "with honours", "scan-12.jpeg, jpeg, 512,345 bytes", "address confirmed by a link", "Events", "created")
	s.press("o")
	s.wants("Opened the evidence of " + a.ReferenceID)
	if raw, err := os.ReadFile(filepath.Join(s.desk.Temp, a.ReferenceID+"-evidence.jpg")); err != nil || string(raw) != "a picture" || !s.vault.called("show "+a.ReferenceID+"-evidence.jpg") {
		t.Errorf("opened %q, %v: %v", raw, err, s.vault.calls)
	}
	s.press("enter")
	s.wants("There is no certificate yet: " + a.ReferenceID + " is pending.")
	s.press("t")
	s.wants(a.ReferenceID+" is in review.", "in_review", "by staff (me) since")
	s.press("a")
	s.wants("Approve the application of "+a.Name+" for Diploma of Engineering.", ">"+" the evidence: scan-12.jpeg", "1 of 4")
	s.press("enter")
	s.wants(a.ReferenceID+" is approved; what is issued is being made.", "processing", "accepted   by staff (me)")
	if !s.vault.called("approve evidence") {
		t.Errorf("calls: %v", s.vault.calls)
	}
	// Only the agent says that it is done.
	s.tells(s.vault.becomes(12, "approved"))
	s.wants(a.ReferenceID+" is issued.", a.ReferenceID+"  approved", "page       https://")
	s.press("y")
	s.wants("Copied: " + a.ReferenceID)
	s.press("e")
	s.wants("1 event was exported")
	s.press("esc")
	s.wants("1 of 5")
}

func TestACertificateThatCannotBeMadeIsSaid(t *testing.T) {
	t.Parallel()
	s := queue(t, staging{})
	a := application(12, "pending")
	s.press("a", "enter")
	s.wants("is approved; what is issued is being made.")
	failed := s.vault.becomes(12, "failed")
	reason := "the page is too small for its code"
	s.vault.findApplied(a.UUID).FailureReason = &reason
	s.tells(failed)
	s.wants("Error: " + a.ReferenceID + " was approved and failed: the page is too small for its code")
	// What others do is news, and not an outcome.
	s.press("g")
	s.tells(s.vault.becomes(9, "approved"))
	if strings.Contains(s.view(), "is issued") {
		t.Errorf("it says that something was issued:\n%s", s.view())
	}
}

func TestAnApplicationIsApprovedWithAFileOrATemplate(t *testing.T) {
	t.Parallel()
	s := queue(t, staging{})
	s.press("a", "j", "enter")
	s.wants("with a file (PDF, JPEG or PNG)", "Path of the file:")
	s.typed("/nowhere/final.pdf")
	s.press("enter")
	s.wants("Error: the file /nowhere/final.pdf cannot be opened")
	path := filepath.Join(t.TempDir(), "final.pdf")
	if err := os.WriteFile(path, []byte("document"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.press("a", "down", "enter")
	s.typed(path)
	s.press("enter")
	s.wants("is approved; what is issued is being made.", "1 of 5")
	s.press("a", "G", "up", "enter") // all that the template needs is known
	s.wants("1 of 4")
	s.press("a", "G", "enter")
	s.wants("The template degree needs more values.", "grade:")
	s.press("enter")
	s.wants("Please type an answer")
	s.typed("A, with honours")
	s.press("enter")
	for _, call := range []string{"approve final.pdf document", "approve course map[]", "approve degree map[grade:A, with honours]"} {
		if !s.vault.called(call) {
			t.Errorf("there is no %q: %v", call, s.vault.calls)
		}
	}
	s.press("a")
	s.wants("1 of 3") // without evidence it is not offered
	s.press("q")
	s.wants("Nothing was changed.")
}

func TestManyApplicationsAreDecided(t *testing.T) {
	t.Parallel()
	s := queue(t, staging{})
	s.press("space", "space", "v", "j", "v", "a")
	s.wants("Approve the 4 marked applications. With which documents?", "> the evidence of each", "1 of 3")
	s.press("esc")
	s.wants("Nothing was changed.", "4 marked")
	// Another is faster with one of them.
	late := s.vault.findApplied(application(9, "").UUID)
	late.Status.Value, late.Decision = "rejected", &adminclient.Decision{By: "staff (ben)", At: begun}
	s.press("a", "enter")
	s.wants("3 applications are approved; what is issued is being made. 1 was not: application VEC-IC-", "was rejected already, by staff (ben)")
	if strings.Contains(s.view(), "marked") {
		t.Errorf("what was decided is still marked:\n%s", s.view())
	}
	s.tells(s.vault.becomes(12, "approved"), s.vault.becomes(8, "approved"))
	s.tells(s.vault.becomes(6, "approved"))
	s.wants("3 certificates are issued.", "of 2")
	s.press("g", "space", "space", "t")
	s.wants("Start the review of the 2 marked applications?")
	s.press("y")
	s.wants("2 applications are in review.")
	s.press("g", "space", "space", "x")
	s.wants("Reject the 2 marked applications? The applicant sees the reason.", "Reason:")
	s.press("enter")
	s.wants("Please type an answer")
	s.typed("The scans are blank")
	s.press("enter")
	s.wants("2 applications are rejected.", "No application waits for a decision.")
	if !s.vault.called("reject The scans are blank") {
		t.Errorf("calls: %v", s.vault.calls)
	}
}

// Two of the staff at once: the later one reads who was faster, and sees it.
func TestAnotherWasFaster(t *testing.T) {
	t.Parallel()
	s := queue(t, staging{})
	a := s.vault.findApplied(application(12, "").UUID)
	s.press("x")
	a.Status.Value, a.Decision = "approved", &adminclient.Decision{By: "staff (ben)", At: begun}
	s.typed("No")
	s.press("enter")
	s.wants("Error: application "+a.ReferenceID+" was approved already, by staff (ben)", "1 of 5")
}

func TestTheQueueFollowsTheStream(t *testing.T) {
	t.Parallel()
	s := queue(t, staging{})
	s.press("j", "j")
	chosen := application(8, "")
	s.wants(chosen.ReferenceID + "  in review by staff (ann)")
	s.vault.applied = append([]adminclient.Application{application(13, "pending")}, s.vault.applied...)
	s.tells(s.vault.becomes(13, "pending"))
	s.wants("4 of 7", chosen.ReferenceID+"  in review by")
	// A vault's own certificates change nothing.
	calls := len(s.vault.calls)
	s.send(ui.EventsMsg{Messages: []adminclient.Message{{Certificate: &adminclient.CertificateEvent{Event: "certificate_application.created", UUID: "x", Source: "vault"}}}})
	if got := s.vault.calls[calls:]; slices.ContainsFunc(got, func(c string) bool { return strings.HasPrefix(c, "applications") }) {
		t.Errorf("the queue was read for that: %v", got)
	}
	s.press("s", "s", "s", "s", "s", "s")
	s.wants("State: rejected", "rejected by staff (ben), 08:30:00: the scan cannot be read")
	s.press("s", "s", "/")
	s.wants("Search:")
	s.typed("ada")
	s.press("enter")
	s.wants("State: any   Search: ada", "1 of 1")
	s.press("y")
	s.wants("Copied: " + application(7, "").ReferenceID)
	s.press("esc")
	s.wants("waiting for a decision", "1 of 7")
}

func TestTheQueueIsExported(t *testing.T) {
	t.Parallel()
	s := queue(t, staging{})
	s.vault.applied[0].Name = "=cmd()"
	s.press("s", "s", "s", "s", "s", "s", "s", "s", "e")
	s.wants("12 applications were exported to")
	files, err := filepath.Glob(filepath.Join(s.desk.Folder, "applications-*.csv"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	in, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	rows, err := csv.NewReader(in).ReadAll()
	if err != nil || len(rows) != 13 || rows[1][4] != "'=cmd()" || rows[0][15] != "reason" || rows[6][15] != "the scan cannot be read" || rows[6][13] != "staff (ben)" {
		t.Errorf("%v, %v", rows, err)
	}
}

func TestAReadOnlyScreenDecidesNothing(t *testing.T) {
	t.Parallel()
	s := queue(t, staging{readOnly: true})
	s.press("a", "x", "t", "space", "space", "a", "x", "t", "esc", "enter", "a", "x", "t", "o")
	s.wants("Opened the evidence")
	for _, call := range s.vault.calls {
		for _, act := range []string{"approve", "reject", "review", "templates"} {
			if strings.HasPrefix(call, act) {
				t.Errorf("%s was called", call)
			}
		}
	}
}

// An approved application leads to its certificate, where it is retried or revoked.
func TestAnApplicationLeadsToItsCertificate(t *testing.T) {
	t.Parallel()
	s := queue(t, staging{})
	s.press("s", "s", "s", "s", "enter", "enter")
	s.wants("[5 Applications: Certificate]", application(10, "").ReferenceID)
	s.press("esc")
	s.wants("[5 Applications]", "accepted   by staff (ben)")
}

func TestTheProgramDecidesAboutApplications(t *testing.T) {
	t.Parallel()
	f := applied()
	p := newProgram(t, f)
	p.press("5")
	p.sees("[5 Applications]", "scan-12.jpeg")
	p.press("a")
	p.sees("With which document?")
	p.press("enter")
	for end := time.Now().Add(patience); !f.called("approve evidence"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("nothing was approved: %v", f.calls)
		}
	}
	p.press("ctrl+c")
	p.quits()
}
