package ui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// SearchBar is the search term of a list, and its input line.
type SearchBar struct {
	Term   string
	prompt Prompt
}

// NewSearchBar returns a search bar without a term.
func NewSearchBar() SearchBar { return SearchBar{prompt: NewPrompt("Search: ")} }

// Typing reports whether the input line is open.
func (f *SearchBar) Typing() bool { return f.prompt.IsOpen() }

// Update handles a key or pasted text. The result changed reports whether the term changed,
// and handled whether the message was for the search bar.
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

// Clear removes the term.
func (f *SearchBar) Clear() {
	f.Term = ""
	f.prompt.Close("")
}

// Header returns the line above a list: what is listed, the search term, and the position in
// the list; or the open input line.
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
