package desk

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/tui/keys"
	"github.com/vecctl/vecctl/tui/look"
)

// Finder is what a list is searched for, and the line into which that is typed.
type Finder struct {
	Term   string
	prompt Prompt
}

// NewFinder makes a finder that looks for nothing.
func NewFinder() Finder { return Finder{prompt: NewPrompt("Search: ")} }

// Typing tells whether every key is text.
func (f *Finder) Typing() bool { return f.prompt.IsOpen() }

// Take takes a key or what is pasted; changed says that something else is looked for
// now, handled is false for what is not the finder's.
func (f *Finder) Take(msg tea.Msg, k keys.Map) (changed, handled bool) {
	press, isKey := msg.(tea.KeyPressMsg)
	switch {
	case !f.Typing() && isKey && key.Matches(press, k.Filter):
		f.prompt.Open()
		return false, true
	case !f.Typing():
		return false, false
	case isKey && key.Matches(press, k.Enter):
		before := f.Term
		f.Term = f.prompt.Text()
		f.prompt.Close(f.Term)
		return f.Term != before, true
	case isKey && key.Matches(press, k.Back):
		f.prompt.Close(f.Term)
		return false, true
	}
	f.prompt.Take(msg)
	return false, true
}

// Clear looks for nothing any more.
func (f *Finder) Clear() {
	f.Term = ""
	f.prompt.Close("")
}

// Head is the line above a list: what is listed, what is looked for, and the place in
// it; or what is being typed.
func (f *Finder) Head(l look.Look, what, place string, width int) string {
	if f.Typing() {
		return f.prompt.View(width)
	}
	if f.Term != "" {
		what += "   Search: " + l.Strong.Render(look.Clean(f.Term))
	}
	if place != "" {
		what = l.Fit(what, width-l.Width(place)-2) + "  " + l.Dim.Render(place)
	}
	return what
}
