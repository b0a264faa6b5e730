package tui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/tui/ui"
)

// dialog is an open dialog.
type dialog struct {
	ui.DialogMsg
	inputs  []ui.Prompt
	at      int    // the field with the cursor, or the selected choice
	problem string // what is wrong with the answer
}

func newDialog(q ui.DialogMsg) *dialog {
	d := &dialog{DialogMsg: q}
	for range q.Fields {
		d.inputs = append(d.inputs, ui.NewPrompt("> "))
	}
	if len(d.inputs) > 0 {
		d.inputs[0].Open()
	}
	return d
}

// update handles a key or pasted text; done is true when the dialog is answered or closed.
func (d *dialog) update(msg tea.Msg, k ui.KeyMap) (cmd tea.Cmd, done bool) {
	press, isKey := msg.(tea.KeyPressMsg)
	switch {
	case isKey && key.Matches(press, k.Back):
		return ui.ShowResult("Nothing was changed."), true
	case len(d.Choices) > 0:
		return d.handleChoice(press, k)
	case len(d.inputs) > 0:
		return d.handleInput(msg, isKey && key.Matches(press, k.Enter))
	case isKey && press.String() == "y":
		return d.Do(nil), true
	case isKey && (press.String() == "n" || press.String() == "q"):
		return ui.ShowResult("Nothing was changed."), true
	}
	return nil, false
}

func (d *dialog) handleChoice(press tea.KeyPressMsg, k ui.KeyMap) (cmd tea.Cmd, done bool) {
	switch {
	case key.Matches(press, k.Enter):
		return d.Choices[d.at].Do(), true
	case key.Matches(press, k.Quit):
		return ui.ShowResult("Nothing was changed."), true
	case key.Matches(press, k.Up):
		d.at = max(d.at-1, 0)
	case key.Matches(press, k.Down):
		d.at = min(d.at+1, len(d.Choices)-1)
	case key.Matches(press, k.Top):
		d.at = 0
	case key.Matches(press, k.Bottom):
		d.at = len(d.Choices) - 1
	}
	return nil, false
}

func (d *dialog) handleInput(msg tea.Msg, enter bool) (cmd tea.Cmd, done bool) {
	if !enter {
		d.problem = ""
		d.inputs[d.at].Update(msg)
		return nil, false
	}
	field, value := d.Fields[d.at], strings.TrimSpace(d.inputs[d.at].Text())
	switch {
	case value == "":
		d.problem = "Please type an answer, or press esc to cancel."
	case field.Expected != "" && !strings.EqualFold(value, field.Expected):
		d.problem = "This does not match. Try again, or press esc to cancel."
	case d.at+1 < len(d.inputs):
		d.inputs[d.at].Close(value)
		d.at++
		d.inputs[d.at].Open()
	default:
		answers := make([]string, len(d.inputs))
		for i := range d.inputs {
			answers[i] = strings.TrimSpace(d.inputs[i].Text())
		}
		return d.Do(answers), true
	}
	return nil, false
}

func (d *dialog) lines(l ui.Theme, width, room int) []string {
	lines := []string{l.Dim.Render(strings.Repeat(l.Rule, width))}
	for _, line := range l.Wrap(ui.Sanitize(d.Text), width) {
		lines = append(lines, l.Strong.Render(line))
	}
	if len(d.Choices) > 0 {
		return append(lines, d.choices(l, width, room-len(lines))...)
	}
	if len(d.inputs) == 0 {
		return append(lines, "y: yes   n: no")
	}
	var typed []string
	for i := range d.at + 1 {
		typed = append(typed, l.Truncate(ui.Sanitize(d.Fields[i].Label), width-1)+":", d.inputs[i].View(width))
	}
	if d.problem != "" {
		typed = append(typed, l.Warn.Render(d.problem))
	}
	// The line with the cursor is always visible.
	return append(lines, typed[max(0, min(len(lines)+len(typed)-room, len(typed)-2)):]...)
}

// choices draws the choices around the selected one, as many as fit.
func (d *dialog) choices(l ui.Theme, width, room int) []string {
	const most = 8
	n := max(1, min(room-1, most, len(d.Choices)))
	from := max(0, min(d.at-n/2, len(d.Choices)-n))
	var lines []string
	for i := from; i < from+n; i++ {
		text := "  " + ui.Sanitize(d.Choices[i].Label)
		if i == d.at {
			text = l.Selected.Render(l.Fit(">"+text[1:], width))
		}
		lines = append(lines, l.Truncate(text, width))
	}
	return append(lines, "enter: select   esc: cancel   "+ui.FormatNumber(d.at+1)+" of "+ui.FormatNumber(len(d.Choices)))
}
