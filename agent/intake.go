package agent

import (
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/template"
)

// newTemplateCache makes the cache of the home's templates; it reads nothing.
func (a *Agent) newTemplateCache() *intake.TemplateCache {
	return &intake.TemplateCache{Folder: a.templateDir(), DefaultPlacement: a.config.QR, Log: a.Log}
}

// templateDir is the folder of the home's templates.
func (a *Agent) templateDir() template.Dir { return template.Dir{Path: a.Home.Templates()} }
