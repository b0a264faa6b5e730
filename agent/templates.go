package agent

import (
	"sync"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

func (a *Agent) shelf() template.Shelf { return template.Shelf{Dir: a.Home.Templates()} }

// listed remembers what was found out about templates, since reading one takes
// its fonts apart.
type listed struct {
	mu   sync.Mutex
	have map[string]listing
}

type listing struct {
	stamp     string
	sound     bool
	shaped    client.Template
	placement vault.Placement
}

// Templates lists the home's templates as the API shows them. One with faults is
// left out: nothing can be made with it.
func (a *Agent) Templates() ([]client.Template, error) {
	names, err := a.shelf().Names()
	if err != nil {
		return nil, err
	}
	a.listed.mu.Lock()
	defer a.listed.mu.Unlock()
	now := make(map[string]listing, len(names))
	all := []client.Template{}
	for _, name := range names {
		l := a.listed.have[name]
		if stamp := a.shelf().Stamp(name); l.stamp != stamp {
			l = a.look(name)
			l.stamp = stamp
		}
		if now[name] = l; l.sound {
			all = append(all, l.shaped)
		}
	}
	a.listed.have = now
	return all, nil
}

func (a *Agent) look(name string) listing {
	t, err := a.shelf().Load(name)
	if err != nil {
		a.Log.Warn("a template cannot be used", "template", name, "error", err)
		return listing{}
	}
	orientation := "portrait"
	if t.WidthMM > t.Height {
		orientation = "landscape"
	}
	return listing{sound: true, placement: intake.PlacementOf(t), shaped: client.Template{ID: name, Name: t.Name, Orientation: orientation,
		WidthMM: t.WidthMM, HeightMM: t.Height, Fields: append([]string{}, t.Columns...)}}
}

// presses finds templates by their names and reads each once.
func (a *Agent) presses() func(string) (intake.Press, error) { return intake.Presses(a.shelf()) }
