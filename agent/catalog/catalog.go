// Package catalog knows the home's templates: those that can be used, and where they
// want their codes.
package catalog

import (
	"log/slog"
	"math"
	"sync"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Catalog remembers what was found out about templates, since reading one takes its
// fonts apart. It is for concurrent use.
type Catalog struct {
	Shelf template.Dir
	// PlacementOf is where a template wants its codes.
	PlacementOf func(*template.Template) vault.Placement
	Standard    vault.Placement // of codes, where nothing else says
	Log         *slog.Logger

	mu   sync.Mutex
	have map[string]listing
}

type listing struct {
	stamp     string
	sound     bool
	shaped    client.Template
	placement vault.Placement
}

// Templates lists the templates as the API shows them. One with faults is left out:
// nothing can be made with it.
func (c *Catalog) Templates() ([]client.Template, error) {
	names, err := c.Shelf.Names()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := make(map[string]listing, len(names))
	all := []client.Template{}
	for _, name := range names {
		l := c.listing(name)
		if now[name] = l; l.sound {
			all = append(all, l.shaped)
		}
	}
	c.have = now
	return all, nil
}

// Placement is where codes go that an upload does not say: what a template wants or,
// without a name, the settings.
func (c *Catalog) Placement(name string) (vault.Placement, error) {
	if name == "" {
		return c.Standard, nil
	}
	if err := template.CheckName(name); err != nil {
		return vault.Placement{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.listing(name)
	if c.have == nil {
		c.have = map[string]listing{}
	}
	if l.stamp != "" { // there is such a folder
		c.have[name] = l
	}
	if !l.sound {
		return vault.Placement{}, fault.Newf(fault.Invalid, "there is no template %q, or it has faults", name)
	}
	return l.placement, nil
}

// listing is what is known of a template, which is looked at again when it has
// changed. Who calls holds the lock.
func (c *Catalog) listing(name string) listing {
	l := c.have[name]
	if stamp := c.Shelf.Version(name); l.stamp != stamp {
		l = c.look(name)
		l.stamp = stamp
	}
	return l
}

func (c *Catalog) look(name string) listing {
	t, err := c.Shelf.Load(name)
	if err != nil {
		c.Log.Warn("a template cannot be used", "template", name, "error", err)
		return listing{}
	}
	orientation := "portrait"
	if t.WidthMM > t.HeightMM {
		orientation = "landscape"
	}
	return listing{sound: true, placement: c.PlacementOf(t), shaped: client.Template{ID: name, Name: t.Name, Orientation: orientation,
		WidthMM: hundredths(t.WidthMM), HeightMM: hundredths(t.HeightMM), Fields: append([]string{}, t.Columns...)}}
}

// hundredths rounds a length: backgrounds are measured in points, and an A4 page has
// 210.0016 mm then.
func hundredths(mm float64) float64 { return math.Round(100*mm) / 100 }
