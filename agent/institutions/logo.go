package institutions

import (
	"bytes"
	"image"
	_ "image/jpeg" // reads logos
	_ "image/png"  // reads logos

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// maxLogoWidth is how many pixels a logo may have a side.
const maxLogoWidth = 2000

// applyBranding changes how an institution's pages look, as far as settings say so.
func applyBranding(i *vault.Institution, s adminclient.Settings) error {
	if s.PartialNames != nil {
		i.PartialNames = *s.PartialNames
	}
	if s.SharedAddresses != nil {
		i.SharedAddresses = s.SharedAddresses
	}
	switch {
	case s.Logo == nil:
		return nil
	case len(*s.Logo) == 0:
		i.Logo = nil
		return nil
	case len(*s.Logo) > vault.MaxLogo:
		return fault.Newf(fault.Invalid, "the logo has %d KB; want at most %d", len(*s.Logo)>>10, vault.MaxLogo>>10)
	}
	size, format, err := image.DecodeConfig(bytes.NewReader(*s.Logo))
	if err != nil || format != "png" && format != "jpeg" {
		return fault.New(fault.Invalid, "the logo is neither a PNG nor a JPEG")
	}
	if max(size.Width, size.Height) > maxLogoWidth {
		return fault.Newf(fault.Invalid, "the logo has %d by %d pixels; want at most %d a side", size.Width, size.Height, maxLogoWidth)
	}
	i.Logo = &vault.Logo{Type: "image/" + format, Data: *s.Logo}
	return nil
}
