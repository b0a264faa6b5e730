package agent

import (
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/template"
)

// newTemplateCache makes the cache of the home's templates; it reads nothing.
func (a *Agent) newTemplateCache() *intake.TemplateCache {
	return &intake.TemplateCache{Folder: template.Dir{Path: a.Home.Templates()}, PlacementOf: intake.PlacementOf, DefaultPlacement: a.config.QR, Log: a.Log}
}

// templateLoader finds templates by their names and reads each once.
func (a *Agent) templateLoader() func(string) (intake.Renderer, error) {
	return intake.TemplateLoader(a.templates.Folder)
}
