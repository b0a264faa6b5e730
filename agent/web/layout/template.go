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
// language, once and for all; drawing a page is mostly copying. What several pages have in
// common are the files part_*.html, which they name as templates.
func (f *Layout) ParseTemplate(from fs.FS, name string) (Template, error) {
	parts, err := fs.Glob(from, "part_*.html")
	if err != nil {
		return nil, fmt.Errorf("reading a page: %w", err)
	}
	body := Template{}
	for _, l := range f.languages.all {
		page := template.New(name)
		for _, file := range append(parts, name) {
			text, err := l.fill(from, file)
			if err != nil {
				return nil, err
			}
			one := page
			if file != name {
				one = page.New(file)
			}
			if _, err := one.Parse(text); err != nil {
				return nil, fmt.Errorf("reading a page: %w", err)
			}
		}
		body[l.Tag] = page
	}
	return body, nil
}

// fill reads a file and puts the language's texts in their places.
func (l Language) fill(from fs.FS, name string) (string, error) {
	source, err := fs.ReadFile(from, name)
	if err != nil {
		return "", fmt.Errorf("reading a page: %w", err)
	}
	var missing string
	text := placeholder.ReplaceAllStringFunc(string(source), func(found string) string {
		name := found[2 : len(found)-2]
		if l.texts[name] == "" {
			missing = name
		}
		return template.HTMLEscapeString(l.texts[name])
	})
	if missing != "" {
		return "", fmt.Errorf("%s: there is no text %q in %s", name, missing, l.Tag)
	}
	return text, nil
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
