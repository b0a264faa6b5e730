package ui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/viewport"
	tea "charm.land/bubbletea/v2"
)

// Viewport is where in a text one is.
type Viewport struct{ lines viewport.Model }

// NewViewport makes a scroll at its top.
func NewViewport() Viewport { return Viewport{viewport.New()} }

// Top goes back to the beginning.
func (s *Viewport) Top() { s.lines.GotoTop() }

// Update moves by keys and the wheel; it is false for what is not its own.
func (s *Viewport) Update(msg tea.Msg, k KeyMap) bool {
	if _, ok := msg.(tea.MouseWheelMsg); ok {
		s.lines, _ = s.lines.Update(msg)
		return true
	}
	press, ok := msg.(tea.KeyPressMsg)
	switch {
	case !ok:
		return false
	case key.Matches(press, k.Up):
		s.lines.ScrollUp(1)
	case key.Matches(press, k.Down):
		s.lines.ScrollDown(1)
	case key.Matches(press, k.PageUp):
		s.lines.PageUp()
	case key.Matches(press, k.PageDown):
		s.lines.PageDown()
	case key.Matches(press, k.Top):
		s.lines.GotoTop()
	case key.Matches(press, k.Bottom):
		s.lines.GotoBottom()
	default:
		return false
	}
	return true
}

// View draws the part of a text that is to be seen; the last line says when there
// is more below.
func (s *Viewport) View(l Theme, text []string, width, height int) string {
	s.lines.SetWidth(width)
	s.lines.SetHeight(height - 1)
	s.lines.SetContentLines(text)
	// The viewport fills lines up with spaces, and counts columns in its own way.
	lines := strings.Split(s.lines.View(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	if !s.lines.AtBottom() {
		lines = append(lines, l.Dim.Render("more below"))
	}
	return l.Block(lines, width, height)
}
