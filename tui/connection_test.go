package tui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/tui/ui"
)

func lineWith(view, text string) string {
	for line := range strings.Lines(view) {
		if strings.Contains(line, text) {
			return line
		}
	}
	return ""
}

func TestALostConnectionIsSaidAndMended(t *testing.T) {
	t.Parallel()
	f := busy()
	s := start(t, f, staging{})
	s.press("3")
	f.down = true
	s.now = s.now.Add(time.Minute)
	s.send(ui.ConnStateMsg{Err: fmt.Errorf("gone")})
	s.wants("Connection lost. Data as of 09:31:00; trying again.", "lost")
	s.press("r", "s", "s", "s")
	s.later(time.Second)
	s.wants("It cannot be read: the vault at")
	f.down = false
	f.batches[0].Status = "paused" // while nobody told
	s.send(ui.ConnStateMsg{Up: true})
	s.later(time.Second)
	if strings.Contains(s.view(), "Connection lost") {
		t.Errorf("it is still said:\n%s", s.view())
	}
	s.wants("live", "State: failed", "1 of 5")
	s.press("1")
	if line := lineWith(s.view(), "2026-06-01-grad"); !strings.Contains(line, "paused") {
		t.Errorf("the batch is %q", line)
	}
}

func TestARemoteVault(t *testing.T) {
	t.Parallel()
	f := busy()
	s := start(t, f, staging{remote: true})
	f.calls = nil
	s.wants("https://vec.example.com", "polling")
	if view := s.view(); strings.Contains(view, "Log") || strings.Contains(view, "Health") {
		t.Errorf("there are pages that a remote vault cannot fill:\n%s", view)
	}
	s.press("p", "x", "r", "4", "space", "space", "r", "y")
	s.wants("2 certificates are processed again.")
	s.press("enter")
	s.wants("[4 Failures: Certificate]")
	for _, call := range f.calls {
		if slices.Contains([]string{"status", "story", "failures", "pause", "cancel"}, call) {
			t.Errorf("a remote vault was asked for %s", call)
		}
	}
}
