package tui

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault/audit"
	"github.com/vecctl/vecctl/tui/ui"
)

func start(t *testing.T, f *fake, how staging) *stage {
	t.Helper()
	how.width, how.height = 100, 30
	s := newStage(t, f, how)
	s.begin()
	return s
}

func TestRetryOne(t *testing.T) {
	t.Parallel()
	s := start(t, busy(), staging{})
	s.press("3", "s", "s", "s", "r")
	failed := certificate(30, "failed")
	s.wants(failed.ReferenceID + " is processed again.")
	s.wants("State: failed", "1 of 4")
	s.press("s", "s", "s", "s", "r") // all that is processing cannot be retried
	s.wants("Error: certificate", "only one that is failed can be retried")
}

// Who watches the screen is told that people ask for corrections.
func TestCorrectionsThatPeopleAskFor(t *testing.T) {
	t.Parallel()
	f := busy()
	f.status.Corrections = 2
	s := start(t, f, staging{})
	s.wants("2 corrections requested")
	s.press("9")
	s.wants("2 are requested; vecctl correction list shows them")
}

// A certificate that was corrected is approved still, but nobody should hand it out.
func TestWhatWasReplacedIsNotShownAsApproved(t *testing.T) {
	t.Parallel()
	f := busy()
	successor := certificate(31, "").UUID
	old := f.find(certificate(29, "").UUID)
	old.Name, old.Status.Value, old.SupersededBy = "Ada Replaced", "approved", &successor
	s := start(t, f, staging{})
	s.press("3")
	s.wants(old.ReferenceID, "replaced ")
	s.press("/")
	s.typed(old.Name)
	s.press("enter", "enter")
	s.wants(old.ReferenceID + "  replaced")
}

func TestRetryOfManyAsksWithTheirNumber(t *testing.T) {
	t.Parallel()
	f := busy()
	s := start(t, f, staging{})
	s.press("3", "s", "s", "s", "space", "space", "v", "j", "v", "r")
	s.wants("4 marked", "Retry the 4 marked certificates?", "y: yes   n: no")
	s.press("n")
	s.wants("Nothing was changed.", "4 marked")
	if slices.ContainsFunc(f.calls, func(c string) bool { return strings.HasPrefix(c, "retry") }) {
		t.Fatal("something was retried")
	}
	// One of them is retried by somebody else before the answer.
	s.press("r")
	f.find(certificate(30, "").UUID).Status.Value = "processing"
	s.press("y")
	s.wants("3 certificates are processed again. 1 was not: certificate VEC-IC-2026000000000001E is processing")
	if strings.Contains(s.view(), "marked") {
		t.Errorf("what was retried is still marked:\n%s", s.view())
	}
	s.wants("1 of 1")
}

func TestRetryOfAGroup(t *testing.T) {
	t.Parallel()
	s := start(t, busy(), staging{})
	s.press("4")
	s.wants("encrypted", "What to do: Save a copy that opens without a password.")
	s.press("r")
	s.wants("Retry 5 certificates that failed for encrypted?")
	s.press("y")
	s.wants("5 certificates are processed again.", "No certificate has failed.")
}

func TestBatchesArePausedCancelledAndRetried(t *testing.T) {
	t.Parallel()
	f := busy()
	s := start(t, f, staging{})
	s.press("p")
	s.wants("Batch 2026-06-01-graduation is paused.")
	s.press("p")
	s.wants("Batch 2026-06-01-graduation continues.")
	s.press("x")
	s.wants("Cancel batch 2026-06-01-graduation? 10 waiting certificates will fail.")
	s.press("y")
	s.wants("is cancelled.", "cancelled")
	s.press("r", "y")
	s.wants("5 certificates are processed again.")
	s.press("j", "r")
	s.wants("Batch 2026-05-02-Zeugnisse der Fakultät für Maschinenbau has no failed certificates.")
}

func TestRevokingAsksForReasonAndReference(t *testing.T) {
	t.Parallel()
	f := busy()
	s := start(t, f, staging{})
	c := certificate(29, "approved")
	s.press("3", "s", "s", "enter", "R", "enter")
	s.wants("Please type an answer")
	s.typed("Name misspelt")
	s.press("enter")
	s.typed("VEC-IC-1")
	s.press("enter")
	s.wants("This does not match")
	if f.called("revoke Name misspelt") {
		t.Fatal("it was revoked without its reference")
	}
	s.press("esc")
	s.wants("Nothing was changed.")
	s.press("R")
	s.typed("Name misspelt")
	s.press("enter")
	s.typed(strings.ToLower(c.ReferenceID))
	s.press("enter")
	s.wants(c.ReferenceID+" is revoked.", "revoked         ", "Name misspelt")
	if !f.called("revoke Name misspelt") {
		t.Error("nothing was revoked")
	}
	s.press("R")
	s.wants("only an approved certificate can be revoked")
}

func TestAReadOnlyScreenChangesNothing(t *testing.T) {
	t.Parallel()
	f := busy()
	s := start(t, f, staging{readOnly: true})
	s.wants("read-only")
	s.press("p", "x", "r", "3", "s", "s", "s", "r", "space", "space", "r", "enter", "r", "R", "esc", "4", "r", "enter", "r", "2", "p", "x", "r")
	for _, call := range f.calls {
		for _, act := range []string{"retry", "pause", "cancel", "resume", "revoke"} {
			if strings.HasPrefix(call, act) {
				t.Errorf("%s was called", call)
			}
		}
	}
	if s.root.dialog != nil {
		t.Error("there is a question")
	}
}

func TestSearchStatesAndTheWayBack(t *testing.T) {
	t.Parallel()
	s := start(t, busy(), staging{})
	s.press("3", "/")
	s.typed("adq?") // every key is text now
	s.press("esc")
	s.wants("State: any", "1 of 40")
	s.press("/")
	s.typed("ada")
	s.press("enter")
	s.wants("Search: ada", "1 of 5")
	s.press("s", "s", "enter")
	s.wants("[3 Certificates: Certificate]", "attempt 2", "Corrections")
	s.press("esc")
	s.wants("[3 Certificates]", "State: approved   Search: ada")
	s.press("esc")
	s.wants("State: any", "1 of 40")
	s.press("tab", "tab", "tab", "tab", "tab", "tab", "tab")
	s.wants("[1 Batches]")
}

func TestWhatIsCopiedAndOpened(t *testing.T) {
	t.Parallel()
	f := busy()
	s := start(t, f, staging{})
	c := certificate(29, "approved")
	s.press("3", "s", "s", "y")
	s.wants("Copied: " + c.ReferenceID)
	s.press("Y")
	s.wants("Copied: " + c.VerifyURL)
	s.press("space", "space", "y")
	s.wants("2 lines copied.")
	var copied []string
	for _, msg := range s.out {
		copied = append(copied, fmt.Sprint(msg))
	}
	if want := []string{c.ReferenceID, c.VerifyURL, c.ReferenceID + "\n" + certificate(28, "").ReferenceID}; !slices.Equal(copied, want) {
		t.Errorf("copied %q, want %q", copied, want)
	}
	s.press("g", "o", "O")
	if !f.called("show "+c.ReferenceID+".pdf") || !f.called("show "+c.ReferenceID) {
		t.Errorf("opened: %v", f.calls)
	}
	raw, err := os.ReadFile(filepath.Join(s.desk.Temp, c.ReferenceID+".pdf"))
	if err != nil || string(raw) != "%PDF-1.7 verified" {
		t.Errorf("what is opened holds %q, %v", raw, err)
	}
	s.press("esc", "s", "o")
	s.wants("has no verified PDF: it is failed.")
}

func TestExports(t *testing.T) {
	t.Parallel()
	f := busy()
	f.all[0].Name = "=cmd()"
	s := start(t, f, staging{})
	for n, page := range []string{"1", "2", "3", "4", "9"} {
		s.later(time.Second)
		s.press(page, "e")
		s.wants("exported to")
		entries, err := os.ReadDir(s.desk.Folder)
		if err != nil || len(entries) != n+1 {
			t.Fatalf("%d files, %v after page %s", len(entries), err, page)
		}
	}
	files, err := filepath.Glob(filepath.Join(s.desk.Folder, "certificates-*.csv"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	in, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	rows, err := csv.NewReader(in).ReadAll()
	if err != nil || len(rows) != 41 || rows[0][1] != "reference_id" || rows[1][4] != "'=cmd()" || rows[40][4] != names()[1] {
		t.Errorf("%d rows: %v, %v", len(rows), rows[:2], err)
	}
	if info, err := in.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("an export may be read by others: %v", err)
	}
}

func TestTheRowsOfABatchAreSearched(t *testing.T) {
	t.Parallel()
	s := start(t, busy(), staging{})
	s.wants("25 approved  10 processing  5 failed  0 revoked")
	s.press("2", "/")
	s.send(tea.PasteMsg{Content: "ada"})
	s.press("enter")
	s.wants("Search: ada", "1 of 5")
	if line := lineWith(s.view(), ">  "); !strings.Contains(line, "Ada Lovelace") {
		t.Errorf("found %q", line)
	}
	s.press("/")
	s.typed("x")
	s.press("enter")
	s.wants("No certificate of the batch matches.")
	s.press("esc")
	s.wants("1 of 40")
}

// A million certificates are read page by page as one gets to them, and few are
// held.
func TestAMillionCertificates(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.many = 1_000_000
	s := start(t, f, staging{})
	s.press("3")
	s.wants("1 of 1,000,000")
	s.press("G")
	s.wants("1,000,000 of 1,000,000", "VEC-IC-20260000000000001")
	for range 300 {
		s.press("pgup")
	}
	s.press("g")
	s.wants("1 of 1,000,000", certificate(1_000_000, "").ReferenceID)
	if n := len(f.calls); n > 300 {
		t.Errorf("%d pages were asked for", n)
	}
	s.press("e")
	s.wants("Export 1,000,000 certificates as CSV into")
	s.press("n")
}

// What is told changes what is shown, and the selected row stays the one it was.
func TestNewsChangeTheList(t *testing.T) {
	t.Parallel()
	f := busy()
	s := start(t, f, staging{})
	s.press("3", "j", "j", "j")
	chosen := certificate(37, "processing")
	s.wants(">  " + chosen.ReferenceID)
	// The state changes at once, before anything is read again.
	calls := len(f.calls)
	s.send(ui.EventsMsg{Messages: []adminclient.Message{{ID: "8", Certificate: &adminclient.CertificateEvent{
		Event: "certificate_application.approved", UUID: chosen.UUID, ReferenceID: chosen.ReferenceID, BatchID: "b-2", At: begun}}}})
	if line := lineWith(s.view(), chosen.ReferenceID); !strings.Contains(line, "approved") {
		t.Errorf("the row is %q", line)
	}
	if got := f.calls[calls:]; slices.ContainsFunc(got, func(c string) bool { return strings.HasPrefix(c, "list") }) {
		t.Errorf("the list was read for that: %v", got)
	}
	// Two new ones come before it.
	f.all = append([]client.Certificate{certificate(42, "processing"), certificate(41, "processing")}, f.all...)
	s.send(ui.EventsMsg{Messages: []adminclient.Message{{ID: "9", Certificate: &adminclient.CertificateEvent{
		Event: "certificate_application.created", UUID: f.all[0].UUID, At: begun}}}})
	s.later(time.Second)
	s.wants("6 of 42", ">  "+chosen.ReferenceID)
}

func TestTheMouse(t *testing.T) {
	t.Parallel()
	s := start(t, busy(), staging{})
	s.press("3")
	s.wants("1 of 40")
	s.send(tea.MouseClickMsg{X: 10, Y: 2 + 2 + 1 + 4, Button: tea.MouseLeft}) // head, filter, headings, fifth row
	s.wants("5 of 40")
	s.send(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
	s.wants("8 of 40")
	s.press("1")
	s.wants("2026-05-02")
	s.send(tea.MouseClickMsg{X: 10, Y: 2 + 1 + 1, Button: tea.MouseLeft})
	s.press("enter")
	s.wants("2026-05-02-Zeugnisse")
	if s.root.View().MouseMode != tea.MouseModeNone {
		t.Error("the mouse is taken though nobody asked for it")
	}
}

// Help lists every key that the page knows, and no act where nothing may be done.
func TestHelpIsDrawnFromTheKeys(t *testing.T) {
	t.Parallel()
	for _, readOnly := range []bool{false, true} {
		s := start(t, busy(), staging{readOnly: readOnly})
		for n := range s.root.pages[:s.root.tabCount] {
			s.press(fmt.Sprint(n+1), "?")
			view := s.view()
			for _, b := range s.root.pages[s.root.current].Keys() {
				if there := strings.Contains(view, fmt.Sprintf("%-10s%s", b.Help().Key, b.Help().Desc)); there != b.Enabled() {
					t.Errorf("read-only %v, %s: %q is there: %v", readOnly, s.root.pages[s.root.current].Name(), b.Help().Desc, there)
				}
			}
			s.press("esc")
		}
	}
}

func TestWebhooks(t *testing.T) {
	t.Parallel()
	f := hooked()
	s := start(t, f, staging{})
	s.press("6")
	s.wants("registry.example.edu", "paused", "12")
	s.press("t")
	s.wants("Result of the test: failed: HTTP 503.")
	s.press("enter")
	s.press("G") // the oldest that is at hand; more are read
	s.press("G", "G")
	if !f.called("deliveries  151") || !f.called("deliveries  51") {
		t.Errorf("older deliveries were not read: %v", f.calls)
	}
	s.press("s", "s", "s")
	s.wants("State: failed", "HTTP 500")
	s.press("space", "space", "r")
	s.wants("Send the 2 marked deliveries again?")
	s.press("y")
	s.wants("2 deliveries are sent again.")
	s.press("enter")
	s.wants("Attempt 1", "no answer came within 10 s", "Attempt 2", "HTTP 500", "oops", "Request body")
	s.press("r")
	s.wants("1 delivery is sent again.")
	s.press("esc", "esc", "e")
	s.wants("2 rows were exported")
}

// The audit trail is read piece by piece; new entries come on top, and the selected one stays.
func TestAuditTrail(t *testing.T) {
	t.Parallel()
	f := audited()
	s := start(t, f, staging{})
	s.press("8", "a")
	s.wants("[8 Log: Audit trail]", "token lms", "retention run", "8d1f0a6c2b")
	s.press("G", "G", "G")
	if !f.called("audit 151") || !f.called("audit 51") {
		t.Errorf("older entries were not read: %v", f.calls)
	}
	s.press("g", "j", "enter")
	s.wants("Entry 249", "institution universität-łódź", "person      8d1f0a6c2b3e4f50")
	s.press("enter")
	f.mu.Lock()
	f.trail = append([]audit.Entry{{Seq: 251, At: begun, Action: audit.Action{Actor: "staff (dean)", Request: "POST /panel/key/rotate", Subject: audit.Subject{Object: "signing key"}}}}, f.trail...)
	f.mu.Unlock()
	s.later(10 * time.Second)
	s.press("enter")
	s.wants("Entry 249")
	s.press("enter", "g")
	s.wants("staff (dean)", "signing key")
	s.press("e")
	s.wants("251 entries were exported")
	s.press("esc")
	s.wants("[8 Log]")
}
