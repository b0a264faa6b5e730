package intake

import (
	"log/slog"
	"math"
	"sync"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

// TemplateCache remembers what was found out about templates, since reading one takes its
// fonts apart. It is for concurrent use.
type TemplateCache struct {
	Folder           TemplateFolder
	DefaultPlacement vault.Placement // of codes, where nothing else says
	Log              *slog.Logger

	mu     sync.Mutex
	cached map[string]cachedTemplate
}

// TemplateFolder is where templates are. template.Dir is one.
type TemplateFolder interface {
	Names() ([]string, error)
	// Version changes when a template does; it is "" where there is none.
	Version(name string) string
	Load(name string) (*template.Template, error)
}

type cachedTemplate struct {
	stamp     string
	usable    bool
	api       client.Template
	template  *template.Template // who may use it
	placement vault.Placement
}

// InstitutionTemplates are the templates that one institution may use.
type InstitutionTemplates struct {
	cache *TemplateCache
	user  vault.Institution
}

// For returns the templates that an institution may use.
func (c *TemplateCache) For(user vault.Institution) InstitutionTemplates {
	return InstitutionTemplates{c, user}
}

// Templates lists the templates as the API shows them. One with faults is left out:
// nothing can be made with it.
func (i InstitutionTemplates) Templates() ([]client.Template, error) {
	c := i.cache
	names, err := c.Folder.Names()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := make(map[string]cachedTemplate, len(names))
	all := []client.Template{}
	for _, name := range names {
		l := c.cachedTemplate(name)
		if now[name] = l; l.usable && l.template.Serves(i.user.Slug) {
			all = append(all, l.api)
		}
	}
	c.cached = now
	return all, nil
}

// Placement is where codes go that an upload does not say: what a template wants or,
// without a name, the settings.
func (i InstitutionTemplates) Placement(name string) (vault.Placement, error) {
	c := i.cache
	if name == "" {
		return c.DefaultPlacement, nil
	}
	if err := template.CheckName(name); err != nil {
		return vault.Placement{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.cachedTemplate(name)
	if c.cached == nil {
		c.cached = map[string]cachedTemplate{}
	}
	if l.stamp != "" { // there is such a folder
		c.cached[name] = l
	}
	// Another institution's template does not exist for the callers of this one.
	if !l.usable || !l.template.Serves(i.user.Slug) {
		return vault.Placement{}, fault.Newf(fault.Invalid, "there is no template %q, or it has faults", name)
	}
	return l.placement, nil
}

// cachedTemplate is what is known of a template, which is looked at again when it has
// changed. Who calls holds the lock.
func (c *TemplateCache) cachedTemplate(name string) cachedTemplate {
	l := c.cached[name]
	if stamp := c.Folder.Version(name); l.stamp != stamp {
		l = c.readTemplate(name)
		l.stamp = stamp
	}
	return l
}

func (c *TemplateCache) readTemplate(name string) cachedTemplate {
	t, err := c.Folder.Load(name)
	if err != nil {
		c.Log.Warn("a template cannot be used", "template", name, "error", err)
		return cachedTemplate{}
	}
	orientation := "portrait"
	if t.WidthMM > t.HeightMM {
		orientation = "landscape"
	}
	// The whole template would keep its fonts in memory.
	bound := &template.Template{Institutions: t.Institutions}
	return cachedTemplate{usable: true, template: bound, placement: PlacementOf(t), api: client.Template{ID: name, Name: t.Name, Orientation: orientation,
		WidthMM: roundHundredths(t.WidthMM), HeightMM: roundHundredths(t.HeightMM), Fields: append([]string{}, t.Columns...), SignatoryFields: []string{}}}
}

// roundHundredths rounds a length: backgrounds are measured in points, and an A4 page has
// 210.0016 mm then.
func roundHundredths(mm float64) float64 { return math.Round(100*mm) / 100 }
