package ui

import (
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
)

// Prompt is a line into which something is typed or pasted.
type Prompt struct{ in textinput.Model }

// NewPrompt makes a line with a label before it.
func NewPrompt(label string) Prompt {
	in := textinput.New()
	in.Prompt = label
	styles := in.Styles()
	styles.Cursor.Blink = false
	styles.Focused, styles.Blurred = textinput.StyleState{}, textinput.StyleState{}
	in.SetStyles(styles)
	// The terminal pastes; the clipboard of the machine may be another person's.
	in.KeyMap.Paste.SetEnabled(false)
	return Prompt{in}
}

// Open begins to take keys; Close ends it.
func (p *Prompt) Open() { p.in.Focus() }

// Close ends what Open began and leaves a text.
func (p *Prompt) Close(text string) {
	p.in.Blur()
	p.in.SetValue(text)
}

// IsOpen reports whether every key is text.
func (p *Prompt) IsOpen() bool { return p.in.Focused() }

// Text is what has been typed.
func (p *Prompt) Text() string { return p.in.Value() }

// Update takes a key or what is pasted. What the line itself would do later is to
// blink, which it does not.
func (p *Prompt) Update(msg tea.Msg) { p.in, _ = p.in.Update(msg) }

// View draws the line in so many columns.
func (p *Prompt) View(width int) string {
	p.in.SetWidth(max(10, width-len(p.in.Prompt)-2))
	return p.in.View()
}
