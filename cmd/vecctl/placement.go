package main

import (
	"cmp"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

// placementFlags returns the flags for the place of the QR code on a document.
func placementFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "qr-page", Usage: "`PAGE` for the QR code, a number or \"last\"", DefaultText: "the first"},
		&cli.StringFlag{Name: "qr-at", Usage: "`PLACE` of the QR code: bottom-right, bottom-left, top-right, top-left, auto (the first empty corner in this order, else a place further in), or X,Y in mm from the top left"},
		&cli.Float64Flag{Name: "qr-size", Usage: "width of the QR code in `MM`", DefaultText: "22"},
		&cli.Float64Flag{Name: "qr-margin", Usage: "distance of the QR code from the edges of the page in `MM`", DefaultText: "8"},
	}
}

// coverFlag returns the flag that lets the QR code cover something.
func coverFlag() cli.Flag {
	return &cli.BoolFlag{Name: "cover", Usage: "let the QR code cover text, drawings or images"}
}

// parsePage reads the number of a page; 0 is one that is not named.
func parsePage(text string) (int, error) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "":
		return 0, nil
	case "last":
		return pdf.LastPage, nil
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 1 {
		return 0, usageError("--qr-page is %q; want the number of a page, 1 or more, or \"last\"", text)
	}
	return n, nil
}

// stampPlacement reads the flags for the place of the QR code.
func stampPlacement(c *cli.Context) (pdf.Stamp, error) {
	number, err := parsePage(c.String("qr-page"))
	if err != nil {
		return pdf.Stamp{}, err
	}
	m, err := pdf.StampAt(c.String("qr-at"), number, c.Float64("qr-size"), c.Float64("qr-margin"))
	if err != nil {
		message, _ := fault.Message(err)
		return m, usageError("--qr-at: %s", message)
	}
	switch {
	case c.IsSet("qr-size") && !(m.SizeMM >= 8 && m.SizeMM <= 200):
		err = usageError("--qr-size must be 8 to 200 mm")
	case c.IsSet("qr-margin") && !(m.MarginMM > 0 && m.MarginMM <= 200):
		err = usageError("--qr-margin must be more than 0 and at most 200 mm")
	}
	return m, err
}

// uploadPlacement returns the place of the QR code for an upload. Values that the flags leave
// open come from a template of this home, if one is named, which it returns too.
func uploadPlacement(c *cli.Context, w environment) (client.Placement, *template.Template, error) {
	m, err := stampPlacement(c)
	at := client.Placement{Page: m.Page, At: c.String("qr-at"), SizeMM: m.SizeMM, MarginMM: m.MarginMM}
	name := c.String("template")
	if err != nil || name == "" {
		return at, nil, err
	}
	s, err := templateDir(c, w)
	if err != nil {
		return at, nil, err
	}
	t, err := s.Load(name)
	if _, ok := errors.AsType[template.Errors](err); ok {
		return at, nil, fault.At("template "+name, err)
	} else if err != nil {
		return at, nil, err
	}
	return client.Placement(vault.Placement(at).Or(intake.PlacementOf(t))), t, nil
}

// checkTemplateServes refuses a template of this home that belongs to another institution than
// the one that a command works for.
func checkTemplateServes(c *cli.Context, s *session, t *template.Template) error {
	status, err := s.AgentStatus(c.Context)
	if err != nil {
		return err
	}
	return fault.At("template "+c.String("template"), t.CheckServes(vault.Institution{Slug: status.Slug, Name: status.Institution}))
}

// checkCovered refuses a document on which the QR code would cover something, unless
// --cover or the home's settings allow it. Of a place that --qr-at names for this one
// document it only says so: it was asked for.
func checkCovered(c *cli.Context, w environment, document io.ReaderAt, size int64, at client.Placement) error {
	set, err := loadSettings(c, w)
	if err != nil || c.Bool("cover") || set.QRCover {
		return err
	}
	err = intake.CheckCovered(document, size, vault.Placement(at).Or(set.QR), "")
	if named := c.String("qr-at"); err != nil && named != "" && !strings.EqualFold(strings.TrimSpace(named), "auto") {
		message, _ := fault.Message(err)
		printLinef(w, "Note: %s", message)
		return nil
	}
	return err
}

// checkFileCovered is checkCovered for a file.
func checkFileCovered(c *cli.Context, w environment, path string, at client.Placement) error {
	f, err := os.Open(path)
	if err != nil {
		return usageError("the file %s cannot be opened; check its name and permissions", path)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return fault.At(path, checkCovered(c, w, f, info.Size(), at))
}

// sampleMark returns the place that a document's code gets in this home.
func sampleMark(c *cli.Context, w environment) (pdf.Stamp, error) {
	at, _, err := uploadPlacement(c, w)
	if err != nil {
		return pdf.Stamp{}, err
	}
	if c.String("template") == "" {
		set, err := loadSettings(c, w)
		if err != nil {
			return pdf.Stamp{}, err
		}
		at.At = cmp.Or(at.At, set.QR.At)
		at.SizeMM, at.MarginMM = cmp.Or(at.SizeMM, set.QR.SizeMM), cmp.Or(at.MarginMM, set.QR.MarginMM)
	}
	return pdf.StampAt(at.At, at.Page, at.SizeMM, at.MarginMM)
}
