package tui

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/tui/pages"
	"github.com/vecctl/vecctl/tui/ui"
)

// update reports whether the golden views are written anew: go test ./tui -update,
// a flag of teatest.
func update() bool { return flag.Lookup("update").Value.String() == "true" }

// stage is a screen without a terminal: messages go in, and what the screen asks
// for is done at once.
type stage struct {
	t     testing.TB
	vault *fake
	desk  *ui.Context
	root  *Root
	now   time.Time
	out   []tea.Msg // what left the screen: what was copied, that it ended
}

func doctor() pages.Doctor {
	return func(_ context.Context) ([]pages.Finding, error) {
		return []pages.Finding{
			{Check: "permissions", Level: "ok", Message: "the home is closed to others"},
			{Check: "space", Level: "wrong", Message: "1.2 GB of 500.0 GB are free on the home's disk, which will do for about 20,000 certificates", Fix: "make room, or move the home"},
			{Check: "time-zone", Level: "note", Message: "the institution's time zone is UTC", Fix: "vecctl init --time-zone Europe/Warsaw, for one"},
		}, nil
	}
}

type staging struct {
	width, height           int
	readOnly, remote, plain bool
}

func newStageFor(t testing.TB, f *fake, s staging) *stage {
	t.Helper()
	st := &stage{t: t, vault: f, now: begun}
	st.desk = &ui.Context{
		Ctx: t.Context(), Theme: ui.NewTheme(true, s.plain), Keys: ui.NewKeyMap(s.readOnly), ReadOnly: s.readOnly, Remote: s.remote,
		Now: func() time.Time { return st.now }, Zone: time.UTC, Folder: t.TempDir(), Temp: t.TempDir(),
		Open: func(_ context.Context, target string) error {
			f.calls = append(f.calls, "show "+filepath.Base(target))
			return nil
		},
	}
	st.root = NewRoot(st.desk, Options{Vault: f, Stream: f, Doctor: doctor(), Remote: s.remote})
	st.send(tea.WindowSizeMsg{Width: s.width, Height: s.height})
	st.do(st.root.pages[0].Update(ui.PageShownMsg{}))
	return st
}

// begin connects the screen.
func (s *stage) begin() {
	s.send(ui.ConnStateMsg{Up: true})
	snapshot := s.vault.snapshot()
	if s.desk.Remote {
		snapshot.Status = adminclient.AgentStatus{Institution: "https://vec.example.com"}
	}
	s.send(ui.EventsMsg{Messages: []adminclient.Message{{ID: "7", Snapshot: snapshot}}})
}

func (s *stage) send(msg tea.Msg) { s.do(s.root.route(msg)) }

// do does what the screen asks for, and tells it the outcome.
func (s *stage) do(cmd tea.Cmd) {
	s.t.Helper()
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, one := range msg {
			s.do(one)
		}
	default:
		if kind := fmt.Sprintf("%T", msg); strings.HasPrefix(kind, "tea.") {
			s.out = append(s.out, msg)
			return
		}
		s.send(msg)
	}
}

// later lets time pass.
func (s *stage) later(d time.Duration) {
	s.now = s.now.Add(d)
	s.do(s.root.broadcast(ui.TickMsg{}))
}

func keyOf(name string) tea.KeyPressMsg {
	special := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "down": tea.KeyDown, "up": tea.KeyUp}
	switch {
	case name == "space":
		return tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
	case name == "ctrl+c":
		return tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}
	case special[name] != 0:
		return tea.KeyPressMsg{Code: special[name]}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

func (s *stage) press(names ...string) {
	s.t.Helper()
	for _, name := range names {
		s.send(keyOf(name))
	}
}

func (s *stage) typed(text string) {
	for _, r := range text {
		s.send(keyOf(string(r)))
	}
}

// view is the screen without colours and without spaces at the ends of lines. Every
// line must be as wide as the terminal.
func (s *stage) view() string {
	s.t.Helper()
	drawn := s.root.draw()
	lines := strings.Split(drawn, "\n")
	if len(lines) != s.root.height {
		s.t.Errorf("%d lines on a screen of %d:\n%s", len(lines), s.root.height, drawn)
	}
	for i, line := range lines {
		if w := s.desk.Theme.Width(line); w != s.root.width {
			s.t.Errorf("line %d is %d wide on a screen of %d: %q", i+1, w, s.root.width, line)
		}
		lines[i] = strings.TrimRight(ansi.Strip(line), " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

func (s *stage) wants(words ...string) {
	s.t.Helper()
	view := s.view()
	for _, w := range words {
		if !strings.Contains(view, w) {
			s.t.Fatalf("there is no %q on the screen:\n%s", w, view)
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if update() {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is not as it was (go test ./tui -update writes it anew); now:\n%s\nbefore:\n%s", name, got, want)
	}
}

// busy is a vault in the midst of a batch of which some rows fail.
func busy() *fake {
	f := newFake()
	f.fill(40, func(i int) string {
		switch {
		case i > 30:
			return "processing"
		case i%6 == 0:
			return "failed"
		}
		return "approved"
	})
	f.batches = []client.Batch{
		{BatchID: "b-2", Name: "2026-06-01-graduation", Status: "processing", Trigger: "drop_folder", Total: 40, Processing: 10, Approved: 25, Failed: 5, CreatedAt: begun},
		{BatchID: "b-1", Name: "2026-05-02-Zeugnisse der Fakultät für Maschinenbau", Status: "paused", Total: 12000, Processing: 7000, Approved: 5000, CreatedAt: begun.Add(-time.Hour)},
		{BatchID: "b-0", Name: "2026-04-01-old", Status: "done", Total: 3, Approved: 2, Revoked: 1, CreatedAt: begun.Add(-2 * time.Hour)},
	}
	f.status.Drop = &adminclient.DropFolder{Folder: "/srv/vault/drop", Watch: "events", Total: 2, Waiting: []adminclient.DropFile{
		{Name: "masters.csv", State: "arriving"}, {Name: "scan-17.pdf", State: "loose", Note: "no manifest names it"}}}
	return f
}

// faster lets the first batch get on, so that it has a rate.
func (s *stage) faster() {
	for range 4 {
		s.now = s.now.Add(time.Second)
		b := &s.vault.batches[0]
		b.Processing, b.Approved = b.Processing-2, b.Approved+2
		batch := *b
		s.send(ui.EventsMsg{Messages: []adminclient.Message{{Batch: &batch}}})
	}
}

func TestViews(t *testing.T) {
	states := []struct {
		name  string
		vault func() *fake
		how   staging
		play  func(*stage)
	}{
		{"batches-empty", newFake, staging{}, nil},
		{"batches-busy", busy, staging{}, (*stage).faster},
		{"batches-lost", busy, staging{}, func(s *stage) {
			s.vault.down = true
			s.now = s.now.Add(time.Minute)
			s.send(ui.ConnStateMsg{Err: fmt.Errorf("gone")})
		}},
		{"batches-plain", busy, staging{plain: true}, (*stage).faster},
		{"batches-ask", busy, staging{}, func(s *stage) { s.press("r") }},
		{"batches-problem", busy, staging{}, func(s *stage) {
			s.vault.status.Problems = []adminclient.Problem{{Kind: "disk", Message: "the disk is nearly full: 120 MB are free; nothing new is taken"}}
			s.later(10 * time.Second)
		}},
		{"batch-empty", newFake, staging{}, func(s *stage) { s.press("2") }},
		{"batch-busy", busy, staging{}, func(s *stage) { s.faster(); s.press("enter", "down", "space") }},
		{"certificates", busy, staging{}, func(s *stage) { s.press("3", "j", "space", "j", "v", "j", "j") }},
		{"certificates-search", busy, staging{}, func(s *stage) { s.press("3", "/"); s.typed("ada") }},
		{"certificates-none", busy, staging{}, func(s *stage) { s.press("3", "/"); s.typed("nobody"); s.press("enter") }},
		{"certificates-error", busy, staging{}, func(s *stage) { s.vault.down = true; s.press("3") }},
		{"story-approved", busy, staging{}, func(s *stage) { s.press("3", "s", "s", "enter") }},
		{"story-failed", busy, staging{}, func(s *stage) { s.press("3", "s", "s", "s", "enter") }},
		{"story-revoke", busy, staging{}, func(s *stage) {
			s.press("3", "s", "s", "enter", "R")
			s.typed("Wrong name")
			s.press("enter")
			s.typed("VEC")
		}},
		{"failures-none", newFake, staging{}, func(s *stage) { s.press("4") }},
		{"failures", busy, staging{}, func(s *stage) { s.press("4") }},
		{"failures-group", busy, staging{}, func(s *stage) { s.press("4", "enter") }},
		{"applications-none", newFake, staging{}, func(s *stage) { s.press("5") }},
		{"applications", applied, staging{}, func(s *stage) { s.press("5", "j", "space", "j") }},
		{"applications-decided", applied, staging{}, func(s *stage) { s.press("5", "s", "s", "s", "s", "s") }},
		{"applications-search", applied, staging{}, func(s *stage) { s.press("5", "s", "/"); s.typed("nobody"); s.press("enter") }},
		{"applications-error", applied, staging{}, func(s *stage) { s.vault.down = true; s.press("5") }},
		{"applications-lost", applied, staging{}, func(s *stage) {
			s.press("5")
			s.vault.down = true
			s.send(ui.ConnStateMsg{Err: fmt.Errorf("gone")})
			s.press("t")
		}},
		{"applications-approve", applied, staging{}, func(s *stage) { s.press("5", "a", "j") }},
		{"applications-reject", applied, staging{}, func(s *stage) { s.press("5", "v", "j", "v", "x"); s.typed("The scan") }},
		{"application", applied, staging{}, func(s *stage) { s.press("5", "j", "enter") }},
		{"application-failed", applied, staging{}, func(s *stage) { s.press("5", "s", "s", "s", "s", "s", "enter") }},
		{"log", busy, staging{}, func(s *stage) { logged(s); s.press("8") }},
		{"log-filter", busy, staging{}, func(s *stage) { logged(s); s.press("8", "/"); s.typed("failed"); s.press("enter") }},
		{"audit-none", busy, staging{}, func(s *stage) { s.press("8", "a") }},
		{"audit", audited, staging{}, func(s *stage) { s.press("8", "a", "j") }},
		{"audit-entry", audited, staging{}, func(s *stage) { s.press("8", "a", "enter") }},
		{"health", busy, staging{}, func(s *stage) { s.press("9") }},
		{"authority-none", busy, staging{}, func(s *stage) { s.press("7") }},
		{"authority", certifying, staging{}, func(s *stage) { s.press("7") }},
		{"webhooks-none", busy, staging{}, func(s *stage) { s.press("6") }},
		{"webhooks", hooked, staging{}, func(s *stage) { s.press("6") }},
		{"webhooks-deliveries", hooked, staging{}, func(s *stage) { s.press("6", "enter", "j", "space") }},
		{"webhooks-attempts", hooked, staging{}, func(s *stage) { s.press("6", "enter", "s", "s", "s", "enter") }},
		{"help", busy, staging{}, func(s *stage) { s.press("3", "?") }},
		{"read-only-help", busy, staging{readOnly: true}, func(s *stage) { s.press("3", "?") }},
		{"remote-batches", busy, staging{remote: true}, nil},
		{"remote-failures", busy, staging{remote: true}, func(s *stage) { s.press("4") }},
	}
	for _, size := range [][2]int{{80, 24}, {60, 15}, {120, 30}} {
		for _, state := range states {
			name := fmt.Sprintf("%s-%dx%d", state.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				how := state.how
				how.width, how.height = size[0], size[1]
				s := newStage(t, state.vault(), how)
				s.begin()
				if state.play != nil {
					state.play(s)
				}
				golden(t, name, s.view())
			})
		}
	}
}

// Every page says what it cannot read, and keeps what it has when the connection is
// lost; without colours and signs it says the same.
func TestViewsInTrouble(t *testing.T) {
	for _, vault := range []struct {
		pages string
		make  func() *fake
	}{{"1234", busy}, {"5", applied}, {"6", hooked}, {"7", certifying}, {"89", busy}} {
		for _, page := range strings.Split(vault.pages, "") {
			for _, trouble := range []string{"error", "lost", "plain"} {
				name := fmt.Sprintf("page%s-%s-80x24", page, trouble)
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					s := newStage(t, vault.make(), staging{width: 80, height: 24, plain: trouble == "plain"})
					s.begin()
					s.vault.down = trouble == "error"
					s.press(page)
					if trouble == "lost" {
						s.vault.down = true
						s.now = s.now.Add(time.Minute)
						s.send(ui.ConnStateMsg{Err: fmt.Errorf("gone")})
						s.later(time.Second)
					}
					golden(t, name, s.view())
				})
			}
		}
	}
}

func logged(s *stage) {
	var told []adminclient.Message
	for i, what := range []string{"created", "created", "approved", "failed", "retried", "approved"} {
		c := certificate(i, "approved")
		told = append(told, adminclient.Message{Certificate: &adminclient.CertificateEvent{Event: "certificate_application." + what, UUID: c.UUID,
			ReferenceID: c.ReferenceID, BatchID: "b-9", Name: c.Name, Title: c.Title, At: begun.Add(time.Duration(i) * time.Second)}})
	}
	told = append(told, adminclient.Message{Notice: &adminclient.Notice{Level: "warn", Message: "the drop folder cannot be read"}})
	s.send(ui.EventsMsg{Messages: told})
}

// Colours for both grounds; all else is without.
func TestColours(t *testing.T) {
	for name, dark := range map[string]bool{"dark": true, "light": false} {
		s := newStage(t, busy(), staging{width: 80, height: 24})
		s.desk.Theme = s.desk.Theme.ForBackground(dark)
		s.begin()
		golden(t, "colours-"+name, strings.ReplaceAll(s.root.draw(), "\x1b", "^")+"\n")
	}
}

func TestATerminalThatIsTooSmall(t *testing.T) {
	for _, size := range [][2]int{{59, 24}, {80, 14}, {20, 5}, {1, 1}} {
		s := newStage(t, busy(), staging{width: size[0], height: size[1]})
		s.begin()
		if size[0] > 1 && !strings.Contains(strings.Join(strings.Fields(s.view()), " "), "make it at least") {
			t.Errorf("at %v:\n%s", size, s.view())
		}
	}
	s := newStage(t, busy(), staging{width: 20, height: 5})
	s.begin()
	s.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	s.wants("2026-06-01-grad")
}

func newStage(t *testing.T, f *fake, s staging) *stage {
	t.Helper()
	return newStageFor(t, f, s)
}
