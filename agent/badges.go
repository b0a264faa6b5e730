package agent

import (
	"github.com/vecctl/vecctl/agent/badges"
	"github.com/vecctl/vecctl/pkg/openbadge"
)

// newBadges makes what makes and keeps badges.
func (a *Agent) newBadges() (*badges.Service, error) {
	rows, err := a.store.Rows(badges.Tables()...)
	if err != nil {
		return nil, err
	}
	return badges.New(badges.Options{Store: a.store, Rows: rows, Institutions: a.institutions, Setup: a.institutions.Options,
		Shape: openbadge.Shape(a.config.Badges.Shape)}), nil
}
