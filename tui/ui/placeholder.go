package ui

// ErrorView fills a page whose data could not be read. The text what begins the sentence.
func (d *Context) ErrorView(what string, err error, width, height int) string {
	l := d.Theme
	return l.Block(l.Wrap(l.Bad.Render(what+" cannot be read: "+Sanitize(ErrorText(err))), width), width, height)
}

// LoadingView fills a page while its data is read.
func (d *Context) LoadingView(width, height int) string {
	l := d.Theme
	return l.Block([]string{l.Dim.Render("Reading" + l.Ellipsis)}, width, height)
}
