package intake

import (
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

// templateRenderer is a template as a press.
type templateRenderer struct{ *template.Template }

func (s templateRenderer) Placement() vault.Placement { return PlacementOf(s.Template) }

// PlacementOf is where a template wants the code.
func PlacementOf(t *template.Template) vault.Placement {
	return vault.Placement{Page: t.Stamp.Page, At: t.Place, SizeMM: t.Stamp.SizeMM, MarginMM: t.Stamp.MarginMM}
}

// TemplateLoader finds templates on a shelf by their names and reads each once. It is not
// for concurrent use.
func TemplateLoader(shelf template.Dir) func(name string) (Renderer, error) {
	type found struct {
		press Renderer
		err   error
	}
	have := map[string]found{}
	return func(name string) (Renderer, error) {
		f, ok := have[name]
		if !ok {
			t, err := shelf.Load(name)
			f = found{templateRenderer{t}, err}
			have[name] = f
		}
		return f.press, f.err
	}
}
