package ui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// SearchBar is what a list is searched for, and the line into which that is typed.
type SearchBar struct {
	Term   string
	prompt Prompt
}

// NewSearchBar makes a search bar that looks for nothing.
func NewSearchBar() SearchBar { return SearchBar{prompt: NewPrompt("Search: ")} }

// Typing reports whether every key is text.
func (f *SearchBar) Typing() bool { return f.prompt.IsOpen() }

// Update takes a key or what is pasted; changed says that something else is looked for
// now, handled is false for what is not the search bar's.
func (f *SearchBar) Update(msg tea.Msg, k KeyMap) (changed, handled bool) {
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
	f.prompt.Update(msg)
	return false, true
}

// Clear looks for nothing any more.
func (f *SearchBar) Clear() {
	f.Term = ""
	f.prompt.Close("")
}

// Header is the line above a list: what is listed, what is looked for, and the place in
// it; or what is being typed.
func (f *SearchBar) Header(l Theme, what, place string, width int) string {
	if f.Typing() {
		return f.prompt.View(width)
	}
	if f.Term != "" {
		what += "   Search: " + l.Strong.Render(Sanitize(f.Term))
	}
	if place != "" {
		what = l.Fit(what, width-l.Width(place)-2) + "  " + l.Dim.Render(place)
	}
	return what
}
