package ui

// ErrorView fills a page that could not be read; what names it as the beginning of a
// sentence.
func (d *Context) ErrorView(what string, err error, width, height int) string {
	l := d.Theme
	return l.Block(l.Wrap(l.Bad.Render(what+" cannot be read: "+Sanitize(ErrorText(err))), width), width, height)
}

// LoadingView fills a page that is being read.
func (d *Context) LoadingView(width, height int) string {
	l := d.Theme
	return l.Block([]string{l.Dim.Render("Reading" + l.Ellipsis)}, width, height)
}
