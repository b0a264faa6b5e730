package institutions

import "github.com/vecctl/vecctl/pkg/vault"

// Fixed is a list of institutions, of which the first one is the primary one, for tests of what needs a
// Directory.
type Fixed struct {
	All  []vault.Institution
	Base string // the base URL
}

var _ Directory = Fixed{}

// Primary implements Directory.
func (d Fixed) Primary() vault.Institution { return d.All[0] }

// ByID implements Directory.
func (d Fixed) ByID(id uint32) (vault.Institution, bool) {
	for _, one := range d.All {
		if one.ID == id {
			return one, true
		}
	}
	return vault.Institution{}, false
}

// IDs implements Directory.
func (d Fixed) IDs() []uint32 {
	ids := make([]uint32, len(d.All))
	for i, one := range d.All {
		ids[i] = one.ID
	}
	return ids
}

// BaseURL implements Directory.
func (d Fixed) BaseURL() string { return d.Base }

// Links implements Directory.
func (d Fixed) Links() vault.Links { return LinksBelow(d.Base) }
