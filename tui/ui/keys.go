package ui

import "charm.land/bubbles/v2/key"

// KeyMap is every key of the screen.
type KeyMap struct {
	Up, Down, PageUp, PageDown, Top, Bottom key.Binding
	Next, Previous, Number                  key.Binding
	Enter, Back                             key.Binding
	Filter, NextState, Refresh              key.Binding
	Mark, Range                             key.Binding
	Open, OpenPage, Copy, CopyLink, Export  key.Binding
	OpenEvidence                            key.Binding
	AuditTrail                              key.Binding
	Help, Quit, Interrupt                   key.Binding

	// Actions change something; a read-only screen has none of them.
	Retry, RetryAll, Pause, Cancel, Revoke key.Binding
	Test, Redeliver                        key.Binding
	Review, Approve, Reject                key.Binding
}

// NewKeyMap returns the keys of a screen.
func NewKeyMap(readOnly bool) KeyMap {
	bind := func(name, does string, keys ...string) key.Binding {
		return key.NewBinding(key.WithKeys(keys...), key.WithHelp(name, does))
	}
	act := func(name, does string, keys ...string) key.Binding {
		b := bind(name, does, keys...)
		b.SetEnabled(!readOnly)
		return b
	}
	return KeyMap{
		Up: bind("k", "up", "up", "k"), Down: bind("j", "down", "down", "j"),
		PageUp: bind("pgup", "page up", "pgup", "ctrl+b"), PageDown: bind("pgdn", "page down", "pgdown", "ctrl+f"),
		Top: bind("g", "first", "g", "home"), Bottom: bind("G", "last", "G", "end"),
		Next: bind("tab", "next page", "tab", "right", "l"), Previous: bind("shift+tab", "previous page", "shift+tab", "left", "h"),
		Number: bind("1-9", "page by number", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
		Enter:  bind("enter", "details", "enter"), Back: bind("esc", "back, clear", "esc"),
		Filter: bind("/", "search", "/"), NextState: bind("s", "next state", "s"), Refresh: bind("u", "refresh", "u"),
		Mark: bind("space", "mark", "space"), Range: bind("v", "mark a range", "v"),
		Open: bind("o", "open PDF", "o"), OpenPage: bind("O", "open page", "O"),
		OpenEvidence: bind("o", "open evidence", "o"),
		Copy:         bind("y", "copy reference", "y"), CopyLink: bind("Y", "copy link", "Y"), Export: bind("e", "export CSV", "e"),
		AuditTrail: bind("a", "audit trail", "a"),
		Help:       bind("?", "help", "?"), Quit: bind("q", "quit", "q"), Interrupt: bind("ctrl+c", "quit at once", "ctrl+c"),

		Retry: act("r", "retry", "r"), RetryAll: act("r", "retry failed", "r"),
		Pause: act("p", "pause, resume", "p"), Cancel: act("x", "cancel batch", "x"), Revoke: act("R", "revoke", "R"),
		Test: act("t", "test", "t"), Redeliver: act("r", "deliver again", "r"),
		Review: act("t", "start review", "t"), Approve: act("a", "approve", "a"), Reject: act("x", "reject", "x"),
	}
}

// Navigation returns the keys that move in a list.
func (m KeyMap) Navigation() []key.Binding {
	return []key.Binding{m.Up, m.Down, m.PageUp, m.PageDown, m.Top, m.Bottom}
}

// Global returns the keys that work on every page.
func (m KeyMap) Global() []key.Binding {
	return []key.Binding{m.Next, m.Previous, m.Number, m.Help, m.Quit, m.Interrupt}
}
