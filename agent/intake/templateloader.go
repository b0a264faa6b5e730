package intake

import (
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Renderer makes the documents of rows that bring none, from a template.
type Renderer struct {
	*template.Template
	apart bool // the code goes to another place than the template's
}

// Apart makes the documents of rows whose code goes to another place than the template's.
func (r *Renderer) Apart() *Renderer { return &Renderer{Template: r.Template, apart: true} }

// Render makes the document of a row.
func (r *Renderer) Render(values map[string]string) ([]byte, error) {
	if r.apart {
		return r.RenderApart(values)
	}
	return r.Template.Render(values)
}

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
	user   vault.Institution // templates of others are refused; zero refuses none
	loaded map[string]loadedTemplate
}

type loadedTemplate struct {
	renderer *Renderer
	err      error
}

// NewTemplateLoader makes a loader for an institution; it reads nothing.
func NewTemplateLoader(folder template.Dir, user vault.Institution) *TemplateLoader {
	return &TemplateLoader{folder: folder, user: user, loaded: map[string]loadedTemplate{}}
}

// Load finds a template.
func (l *TemplateLoader) Load(name string) (*Renderer, error) {
	found, ok := l.loaded[name]
	if !ok {
		t, err := l.folder.Load(name)
		if err == nil {
			err = t.CheckServes(l.user)
		}
		if found.err = err; err == nil {
			found.renderer = &Renderer{Template: t}
		}
		l.loaded[name] = found
	}
	return found.renderer, found.err
}
