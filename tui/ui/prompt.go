package ui

import (
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
)

// Prompt is an input line.
type Prompt struct{ in textinput.Model }

// NewPrompt returns an input line with a label.
func NewPrompt(label string) Prompt {
	in := textinput.New()
	in.Prompt = label
	styles := in.Styles()
	styles.Cursor.Blink = false
	styles.Focused, styles.Blurred = textinput.StyleState{}, textinput.StyleState{}
	in.SetStyles(styles)
	// The terminal pastes: the machine's clipboard may belong to another person.
	in.KeyMap.Paste.SetEnabled(false)
	return Prompt{in}
}

// Open begins the input; Close ends it.
func (p *Prompt) Open() { p.in.Focus() }

// Close ends the input and sets the text.
func (p *Prompt) Close(text string) {
	p.in.Blur()
	p.in.SetValue(text)
}

// IsOpen reports whether the line takes keys.
func (p *Prompt) IsOpen() bool { return p.in.Focused() }

// Text returns the text of the line.
func (p *Prompt) Text() string { return p.in.Value() }

// Update handles a key or pasted text. It ignores the input's command, which only lets the
// cursor blink.
func (p *Prompt) Update(msg tea.Msg) { p.in, _ = p.in.Update(msg) }

// View draws the line with a width.
func (p *Prompt) View(width int) string {
	p.in.SetWidth(max(10, width-len(p.in.Prompt)-2))
	return p.in.View()
}
