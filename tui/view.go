package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/help"
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/ui"
)

// The smallest terminal size that the screen supports.
const (
	minWidth  = 60
	minHeight = 15
)

// View implements tea.Model.
func (m *Root) View() tea.View {
	v := tea.NewView(m.draw())
	v.AltScreen = true
	v.WindowTitle = "vecctl"
	if m.mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// draw draws the header, the page, and the footer.
func (m *Root) draw() string {
	l := m.ui.Theme
	switch {
	case m.width == 0 || m.height == 0:
		return ""
	case m.width < minWidth || m.height < minHeight:
		text := fmt.Sprintf("This terminal has %d columns and %d lines; make it at least %d by %d.", m.width, m.height, minWidth, minHeight)
		return l.Block(l.Wrap(text, m.width), m.width, m.height)
	}
	head := m.header()
	foot := m.footer()
	room := m.height - len(head) - len(foot)
	body := ""
	if m.help {
		body = m.helpView(room)
	} else {
		body = m.pages[m.current].View(m.width, room)
	}
	return l.Block(head, m.width, len(head)) + "\n" + body + "\n" + l.Block(foot, m.width, len(foot))
}

func (m *Root) header() []string {
	lines := []string{m.tabLine(), m.stateLine()}
	return append(lines, m.banner()...)
}

// tabLine shows the names of the pages; without room for all, only the one that is shown.
func (m *Root) tabLine() string {
	l := m.ui.Theme
	for _, whole := range []bool{true, false} {
		var parts []string
		for i, p := range m.pages[:m.tabCount] {
			name := p.Name()
			switch {
			case i == m.tab():
				text := fmt.Sprintf("[%d %s]", i+1, name)
				if m.isSubpage(m.current) {
					text = fmt.Sprintf("[%d %s: %s]", i+1, name, m.pages[m.current].Name())
				}
				parts = append(parts, l.ActiveTab.Render(text))
			case whole:
				parts = append(parts, fmt.Sprintf(" %d %s ", i+1, name))
			default:
				parts = append(parts, fmt.Sprintf(" %d", i+1))
			}
		}
		if line := strings.Join(parts, ""); l.Width(line) <= m.width || !whole {
			return line
		}
	}
	return ""
}

// stateLine shows the institution, the number of certificates by state, and the state of the
// connection.
func (m *Root) stateLine() string {
	l := m.ui.Theme
	state := "connecting"
	switch {
	case m.connKnown && m.conn.Up && m.ui.Remote:
		state = l.StateText("live", "polling")
	case m.connKnown && m.conn.Up:
		state = l.StateText("live", "live")
	case m.connKnown:
		state = l.StateText("lost", "lost")
	}
	if m.ui.ReadOnly {
		state = l.Warn.Render("read-only") + "  " + state
	}
	text := ""
	if m.poller.known {
		s := m.poller.status
		text = l.Strong.Render(l.Truncate(ui.Sanitize(s.Institution), m.width/3))
		for _, state := range []vault.Status{vault.Approved, vault.Processing, vault.Failed, vault.Revoked, vault.Pending, vault.InReview} {
			word := string(state)
			if n := s.Certificates[word]; n > 0 || state == vault.Approved && s.Certificates != nil {
				text += "  " + ui.FormatNumber(n) + " " + l.StateText(word, word)
			}
		}
		if n := s.Corrections; n > 0 {
			text += "  " + ui.Plural(n, "correction", "corrections") + " requested"
		}
	}
	return l.Fit(text, m.width-l.Width(state)-1) + " " + state
}

// banner shows what staff must not overlook.
func (m *Root) banner() []string {
	l := m.ui.Theme
	if m.connKnown && !m.conn.Up {
		text := " Connection lost. Data as of " + m.ui.FormatTime(m.lostAt) + "; trying again."
		return []string{l.Alarm.Render(l.Fit(text, m.width))}
	}
	if problems := m.poller.status.Problems; len(problems) > 0 {
		text := " " + ui.Sanitize(problems[0].Message)
		return []string{l.Alarm.Render(l.Fit(text, m.width))}
	}
	return nil
}

// footer shows a dialog, or the result of the last action, and the most important keys.
func (m *Root) footer() []string {
	l := m.ui.Theme
	if m.dialog != nil {
		room := m.height - 6
		lines := m.dialog.lines(l, m.width, room)
		return lines[:min(len(lines), room)]
	}
	said := ""
	switch {
	case m.result.Err != nil:
		said = l.Bad.Render("Error: " + ui.Sanitize(ui.ErrorText(m.result.Err)))
	case m.result.Text != "":
		said = l.Good.Render(ui.Sanitize(m.result.Text))
	}
	lines := l.Wrap(said, m.width)
	return append(lines[:min(len(lines), 3)], m.shortHelp())
}

func (m *Root) shortHelp() string {
	l := m.ui.Theme
	h := help.New()
	h.SetWidth(m.width)
	h.ShortSeparator = "  "
	h.Ellipsis = l.Ellipsis
	h.Styles = help.Styles{ShortKey: l.Key.Style, ShortDesc: l.Dim.Style, ShortSeparator: l.Dim.Style, Ellipsis: l.Dim.Style}
	k := m.ui.Keys
	return h.ShortHelpView(append([]key.Binding{k.Help, k.Quit}, m.pages[m.current].Keys()...))
}

// helpView lists every key that works on the page, in as many columns as fit.
func (m *Root) helpView(height int) string {
	l := m.ui.Theme
	const column = 28
	var entries []string
	for _, b := range append(m.pages[m.current].Keys(), m.ui.Keys.Global()...) {
		if b.Enabled() {
			entries = append(entries, l.Key.Render(l.Fit(b.Help().Key, 10))+l.Fit(b.Help().Desc, column-10))
		}
	}
	columns := max(1, m.width/column)
	rows := (len(entries) + columns - 1) / columns
	lines := []string{l.Strong.Render("Keys on the page " + m.pages[m.current].Name()), ""}
	m.helpTop = max(0, min(m.helpTop, rows-(height-len(lines))))
	for row := m.helpTop; row < rows; row++ {
		var line strings.Builder
		for c := range columns {
			if i := c*rows + row; i < len(entries) {
				line.WriteString(entries[i])
			}
		}
		lines = append(lines, line.String())
	}
	return l.Block(lines, m.width, height)
}
