package desk

import "github.com/vecctl/vecctl/tui/look"

// Unread fills a page that could not be read; what names it as the beginning of a
// sentence.
func (d *Desk) Unread(what string, err error, width, height int) string {
	l := d.Look
	return l.Block(l.Wrap(l.Bad.Render(what+" cannot be read: "+look.Clean(Words(err))), width), width, height)
}

// Reading fills a page that is being read.
func (d *Desk) Reading(width, height int) string {
	l := d.Look
	return l.Block([]string{l.Dim.Render("Reading" + l.Cut)}, width, height)
}
