package badges

import (
	"image/color"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/openbadge"
	"github.com/vecctl/vecctl/pkg/vault"
)

// pictureSide is how many pixels a badge picture has on a side.
const pictureSide = 600

// Picture returns the badge picture of a certificate, as png or svg.
func (s *Service) Picture(c vault.Certificate, form string) ([]byte, error) {
	p, _, err := s.design(c)
	if err != nil {
		return nil, err
	}
	if form == "svg" {
		return p.SVG()
	}
	return p.PNG(pictureSide)
}

// design is what a certificate's badge shows.
func (s *Service) design(c vault.Certificate) (openbadge.Picture, vault.Institution, error) {
	at, ok := s.Institutions.ByID(c.Institution)
	if !ok {
		return openbadge.Picture{}, at, fault.Newf(fault.Damaged, "institution %d is missing", c.Institution)
	}
	p := openbadge.Picture{Title: c.Title, Issuer: at.Name, Shape: s.Shape}
	if at.Logo != nil {
		p.Logo, p.LogoType = at.Logo.Data, at.Logo.Type
	}
	return p, at, nil
}

// Card returns the picture of a certificate for social networks, with a line above the title. ok is
// false where it says something in a script that cannot be drawn here.
func (s *Service) Card(c vault.Certificate, kicker string) (card []byte, ok bool, err error) {
	p, at, err := s.design(c)
	if err != nil {
		return nil, false, err
	}
	name := c.Name
	if at.PartialNames {
		name = vault.PartialName(name)
	}
	return openbadge.Card{Picture: p, Name: name, Kicker: kicker}.PNG()
}

// Live returns a small picture for web sites that says what a certificate counts for now, in a word
// of the caller's.
func (s *Service) Live(c vault.Certificate, state vault.Validity, word string) ([]byte, error) {
	at, ok := s.Institutions.ByID(c.Institution)
	if !ok {
		return nil, fault.Newf(fault.Damaged, "institution %d is missing", c.Institution)
	}
	return openbadge.StatusSVG(at.Name, word, colourOf(state))
}

// colourOf is the colour of a state. White on it has a contrast of at least 4.5.
func colourOf(state vault.Validity) color.NRGBA {
	switch state {
	case vault.ValidityGenuine:
		return color.NRGBA{0x15, 0x6f, 0x3b, 0xff}
	case vault.ValiditySuperseded, vault.ValidityExpired, vault.ValidityProcessing:
		return color.NRGBA{0x92, 0x56, 0x0e, 0xff}
	case vault.ValidityRevoked, vault.ValidityFailed, vault.ValidityWithdrawn, vault.ValidityUnknown:
	}
	return color.NRGBA{0xb0, 0x1c, 0x1c, 0xff}
}
