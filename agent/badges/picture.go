package badges

import (
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/openbadge"
	"github.com/vecctl/vecctl/pkg/vault"
)

// pictureSide is how many pixels a badge picture has on a side.
const pictureSide = 600

// Picture returns the badge picture of a certificate, as png or svg.
func (s *Service) Picture(c vault.Certificate, form string) ([]byte, error) {
	at, ok := s.Institutions.ByID(c.Institution)
	if !ok {
		return nil, fault.Newf(fault.Damaged, "institution %d is missing", c.Institution)
	}
	p := openbadge.Picture{Title: c.Title, Issuer: at.Name, Shape: openbadge.Circle}
	if at.Logo != nil {
		p.Logo, p.LogoType = at.Logo.Data, at.Logo.Type
	}
	if form == "svg" {
		return p.SVG()
	}
	return p.PNG(pictureSide)
}
