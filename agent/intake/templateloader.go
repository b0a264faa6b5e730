package intake

import (
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Renderer makes the documents of rows that bring none, from a template.
type Renderer struct{ *template.Template }

// Placement returns where the template wants the code.
func (r *Renderer) Placement() vault.Placement { return PlacementOf(r.Template) }

// PlacementOf returns where a template wants the code.
func PlacementOf(t *template.Template) vault.Placement {
	return vault.Placement{Page: t.Stamp.Page, At: t.Place, SizeMM: t.Stamp.SizeMM, MarginMM: t.Stamp.MarginMM}
}

// TemplateLoader finds templates in a folder by their names and reads each once. It is not
// for concurrent use.
type TemplateLoader struct {
	folder template.Dir
	loaded map[string]loadedTemplate
}

type loadedTemplate struct {
	renderer *Renderer
	err      error
}

// NewTemplateLoader makes a loader; it reads nothing.
func NewTemplateLoader(folder template.Dir) *TemplateLoader {
	return &TemplateLoader{folder: folder, loaded: map[string]loadedTemplate{}}
}

// Load finds a template.
func (l *TemplateLoader) Load(name string) (*Renderer, error) {
	found, ok := l.loaded[name]
	if !ok {
		t, err := l.folder.Load(name)
		if found.err = err; err == nil {
			found.renderer = &Renderer{t}
		}
		l.loaded[name] = found
	}
	return found.renderer, found.err
}
