package ui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/viewport"
	tea "charm.land/bubbletea/v2"
)

// Viewport has the position in a scrolled text.
type Viewport struct{ lines viewport.Model }

// NewViewport returns a viewport at the top.
func NewViewport() Viewport { return Viewport{viewport.New()} }

// Top scrolls to the beginning.
func (s *Viewport) Top() { s.lines.GotoTop() }

// Update scrolls by keys and the mouse wheel. It returns false for other messages.
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

// View draws the visible part of a text. If there is more text below, the last line says so.
func (s *Viewport) View(l Theme, text []string, width, height int) string {
	s.lines.SetWidth(width)
	s.lines.SetHeight(height - 1)
	s.lines.SetContentLines(text)
	// The library's viewport pads lines with spaces, and has its own count of columns.
	lines := strings.Split(s.lines.View(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	if !s.lines.AtBottom() {
		lines = append(lines, l.Dim.Render("more below"))
	}
	return l.Block(lines, width, height)
}
