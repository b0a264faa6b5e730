package agent

import (
	"strconv"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

// loadPlacement reads the settings that say where codes go.
func (a *Agent) loadPlacement(config home.Config) (vault.Placement, error) {
	var p vault.Placement
	var err error
	if p.At, err = a.setting(config, "qr.at"); err != nil {
		return p, err
	}
	for key, length := range map[string]*float64{"qr.size": &p.SizeMM, "qr.margin": &p.MarginMM} {
		text, err := a.setting(config, key)
		if err != nil {
			return p, err
		}
		*length, _ = strconv.ParseFloat(text, 64) // checked already; "" is 0, left open
	}
	return p, nil
}

// newTemplateCache makes the catalog of the home's templates; it reads nothing.
func (a *Agent) newTemplateCache(standard vault.Placement) *intake.TemplateCache {
	return &intake.TemplateCache{Folder: template.Dir{Path: a.Home.Templates()}, PlacementOf: intake.PlacementOf, DefaultPlacement: standard, Log: a.Log}
}

// templateLoader finds templates by their names and reads each once.
func (a *Agent) templateLoader() func(string) (intake.Renderer, error) {
	return intake.TemplateLoader(a.templates.Folder)
}
