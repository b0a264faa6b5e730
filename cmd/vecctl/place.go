package main

import (
	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// placeFlags say where on a document the QR code goes.
func placeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "qr-page", Usage: "`PAGE` that gets the QR code (default: the first)"},
		&cli.StringFlag{Name: "qr-at", Usage: "`PLACE` of the QR code: bottom-right, bottom-left, top-right, top-left, auto (the first of them that is empty), or X,Y in mm from the top left"},
		&cli.Float64Flag{Name: "qr-size", Usage: "side of the QR code in `MM` (default: 22)"},
		&cli.Float64Flag{Name: "qr-margin", Usage: "its distance from the page's edges in `MM` (default: 8)"},
	}
}

// placeOf reads the place's flags; all else of the mark is empty.
func placeOf(c *cli.Context) (pdf.Mark, error) {
	m, err := pdf.ParsePlace(c.String("qr-at"))
	if err != nil {
		message, _ := fault.Message(err)
		return m, usageError("--qr-at: %s", message)
	}
	m.Page, m.SizeMM, m.MarginMM = c.Int("qr-page"), c.Float64("qr-size"), c.Float64("qr-margin")
	for flag, bad := range map[string]bool{
		"--qr-page must be 1 or more":           c.IsSet("qr-page") && m.Page < 1,
		"--qr-size must be 8 to 200 mm":         c.IsSet("qr-size") && !(m.SizeMM >= 8 && m.SizeMM <= 200),
		"--qr-margin must be above 0 to 200 mm": c.IsSet("qr-margin") && !(m.MarginMM > 0 && m.MarginMM <= 200),
	} {
		if bad {
			return m, usageError("%s", flag)
		}
	}
	return m, nil
}
