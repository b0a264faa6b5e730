package frame

import (
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"regexp"
)

// Body is what a page shows in its frame: a template for each language.
type Body map[string]*template.Template

// placeholder is where a text of the table stands in a template.
var placeholder = regexp.MustCompile(`\[\[([a-z_.]+)\]\]`)

// Parse reads a template. Where [[name]] stands in it comes that text, in each
// language, once and for all; drawing a page is mostly copying.
func (f *Frame) Parse(from fs.FS, name string) (Body, error) {
	source, err := fs.ReadFile(from, name)
	if err != nil {
		return nil, fmt.Errorf("reading a page: %w", err)
	}
	body := Body{}
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

// Note is a page that only says something: a heading and a sentence.
func (f *Frame) Note(w http.ResponseWriter, r *http.Request, status int, v View, name string) {
	title := v.T(name)
	f.Show(w, r, status, Page{View: v, Title: title}, f.note, struct{ Title, Text, Home string }{title, v.T(name + ".text"), v.Link("/")})
}
