package layout

import (
	"fmt"
	"html/template"
	"io/fs"
	"regexp"
)

// Template is what a page shows in its layout: a template for each language.
type Template map[string]*template.Template

// placeholder is where a text of the table stands in a template.
var placeholder = regexp.MustCompile(`\[\[([a-z_.]+)\]\]`)

// ParseTemplate reads a template. Where [[name]] stands in it comes that text, in each
// language, once and for all; drawing a page is mostly copying.
func (f *Layout) ParseTemplate(from fs.FS, name string) (Template, error) {
	source, err := fs.ReadFile(from, name)
	if err != nil {
		return nil, fmt.Errorf("reading a page: %w", err)
	}
	body := Template{}
	for _, l := range f.languages.all {
		var missing string
		text := placeholder.ReplaceAllStringFunc(string(source), func(found string) string {
			name := found[2 : len(found)-2]
			if l.texts[name] == "" {
				missing = name
			}
			return template.HTMLEscapeString(l.texts[name])
		})
		if missing != "" {
			return nil, fmt.Errorf("%s: there is no text %q in %s", name, missing, l.Tag)
		}
		if body[l.Tag], err = template.New(name).Parse(text); err != nil {
			return nil, fmt.Errorf("reading a page: %w", err)
		}
	}
	return body, nil
}

// ParseTemplates reads templates, each by its file's name.
func (f *Layout) ParseTemplates(from fs.FS, into map[string]*Template) error {
	for name, body := range into {
		var err error
		if *body, err = f.ParseTemplate(from, name); err != nil {
			return err
		}
	}
	return nil
}
