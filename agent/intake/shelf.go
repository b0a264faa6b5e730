package intake

import (
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

// shelved is a template as a press.
type shelved struct{ *template.Template }

func (s shelved) Placement() vault.Placement { return PlacementOf(s.Template) }

// PlacementOf is where a template wants the code.
func PlacementOf(t *template.Template) vault.Placement {
	return vault.Placement{Page: t.Stamp.Page, At: t.Place, SizeMM: t.Stamp.SizeMM, MarginMM: t.Stamp.MarginMM}
}

// Presses finds templates on a shelf by their names and reads each once. It is not
// for concurrent use.
func Presses(shelf template.Dir) func(name string) (Press, error) {
	type found struct {
		press Press
		err   error
	}
	have := map[string]found{}
	return func(name string) (Press, error) {
		f, ok := have[name]
		if !ok {
			t, err := shelf.Load(name)
			f = found{shelved{t}, err}
			have[name] = f
		}
		return f.press, f.err
	}
}
