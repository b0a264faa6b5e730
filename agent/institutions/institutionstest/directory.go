// Package institutionstest is a test double of a home's institutions.
package institutionstest

import (
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Directory is a list of institutions of which the first one is the current one.
type Directory struct {
	All  []vault.Institution
	Base string // the base URL
}

var _ institutions.Directory = Directory{}

// Current implements institutions.Directory.
func (d Directory) Current() vault.Institution { return d.All[0] }

// ByID implements institutions.Directory.
func (d Directory) ByID(id uint32) (vault.Institution, bool) {
	for _, one := range d.All {
		if one.ID == id {
			return one, true
		}
	}
	return vault.Institution{}, false
}

// IDs implements institutions.Directory.
func (d Directory) IDs() []uint32 {
	ids := make([]uint32, len(d.All))
	for i, one := range d.All {
		ids[i] = one.ID
	}
	return ids
}

// BaseURL implements institutions.Directory.
func (d Directory) BaseURL() string { return d.Base }

// Links implements institutions.Directory.
func (d Directory) Links() vault.Links { return institutions.LinksBelow(d.Base) }
