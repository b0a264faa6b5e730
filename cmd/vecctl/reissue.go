package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

func reissueCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "reissue", Usage: "replace a certificate with a corrected one", ArgsUsage: "UUID|REFERENCE_ID",
		Flags: append(slices.Concat(homeFlags(), outputFlags(), placementFlags(), contentFlags(vault.Field.Changeable)),
			validForFlag("of the new certificate"),
			&cli.BoolFlag{Name: "renew", Usage: "begin a new term today, up to --expiry-date or for --valid-for"},
			&cli.StringFlag{Name: "file", Usage: "`FILE` with the new document (default: the old document)"},
			&cli.StringFlag{Name: "template", Usage: "`NAME` of the template that makes the new document"},
			&cli.StringSliceFlag{Name: "set", Usage: "`COLUMN=VALUE` for another column of the template; may be repeated"},
			coverFlag(),
			&cli.BoolFlag{Name: "no-wait", Usage: "return as soon as the certificate is accepted"},
			yesFlag(),
		),
		Action: func(c *cli.Context) error {
			form, err := formatAndArgs(c, 1, "the certificate's UUID or reference ID")
			if err != nil {
				return err
			}
			amendment, err := amendmentOf(c)
			if err != nil {
				return err
			}
			return withSession(c, w, func(s *session) error { return runReissue(c, w, s, amendment, form) })
		},
	}
}

// amendmentOf reads the corrections.
func amendmentOf(c *cli.Context) (adminclient.Amendment, error) {
	var m adminclient.Amendment
	var flags []string
	for _, f := range vault.Fields() {
		if !f.Changeable() {
			continue
		}
		flags = append(flags, "--"+f.Flag)
		if c.IsSet(f.Flag) {
			m.Set(f.ID, c.String(f.Flag))
		}
	}
	end, err := expiryOf(c)
	if err != nil {
		return m, err
	}
	if end != "" {
		m.Set(vault.FieldExpiryDate, end)
	}
	if m.Renew = c.Bool("renew"); m.Renew && end == "" {
		return m, usageError("--renew needs the new end: --valid-for TERM or --expiry-date DATE")
	}
	at, err := stampPlacement(c)
	if err != nil {
		return m, err
	}
	if at := (client.Placement{Page: at.Page, At: c.String("qr-at"), SizeMM: at.SizeMM, MarginMM: at.MarginMM}); at != (client.Placement{}) {
		m.QR = &at
	}
	path, made := c.String("file"), c.String("template")
	switch {
	case path != "" && made != "":
		return m, usageError("use either --file or --template, not both")
	case len(c.StringSlice("set")) > 0 && made == "":
		return m, usageError("--set needs --template")
	case path == "" && made == "" && m == (adminclient.Amendment{}):
		return m, usageError("nothing to correct; use %s, --file, --template or --qr-at", strings.Join(flags, ", "))
	case path == "":
		return m, nil
	}
	m.File, err = readDocument(path)
	return m, err
}

func runReissue(c *cli.Context, w environment, s *session, m adminclient.Amendment, f outputFormat) error {
	old, err := s.Certificate(c.Context, c.Args().First())
	if err != nil {
		return err
	}
	if err := confirm(c, w, fmt.Sprintf("Replace %s (%s, %s) with a corrected certificate?", old.ReferenceID, old.Name, old.Title)); err != nil {
		return err
	}
	if c.String("template") != "" {
		if err := renderAmended(c, w, s, old, &m); err != nil {
			return err
		}
	}
	if m.QR != nil && old.QR != nil {
		at := client.Placement(vault.Placement(*m.QR).Or(vault.Placement(*old.QR)))
		m.QR = &at
	}
	if err := checkAmended(c, w, s, old, m); err != nil {
		return err
	}
	next, err := s.Reissue(c.Context, old.UUID, m)
	if err != nil {
		return err
	}
	if !c.Bool("no-wait") {
		if next, err = settledCertificate(c.Context, s.Certificate, next); err != nil {
			return err
		}
	}
	if err := printFields(w.stdout, f, next, certificateFields(next)); err != nil {
		return err
	}
	if next.Status.Is(vault.Failed) {
		return exitStatus(exitFailed)
	}
	return nil
}

// checkAmended refuses a new document on which the QR code would cover something. A
// template's document has its code where the template says.
func checkAmended(c *cli.Context, w environment, s *session, old client.Certificate, m adminclient.Amendment) error {
	if m.File == nil || c.String("template") != "" {
		return nil
	}
	at := cmp.Or(m.QR, old.QR, &client.Placement{})
	document, size := bytes.NewReader(m.File.Body), int64(len(m.File.Body))
	if err := checkCovered(c, w, document, size, *at); err != nil && !wasIssued(c.Context, s, document, size) {
		return fault.At(c.String("file"), err)
	}
	return nil
}

// renderAmended makes the document of a corrected certificate with a template of this home.
func renderAmended(c *cli.Context, w environment, s *session, old client.Certificate, m *adminclient.Amendment) error {
	shelf, err := templateDir(c, w)
	if err != nil {
		return err
	}
	name := c.String("template")
	t, err := shelf.Load(name)
	if err != nil {
		return err
	}
	status, err := s.AgentStatus(c.Context)
	if err != nil {
		return err
	}
	if err := checkTemplateServes(c, s, t); err != nil {
		return err
	}
	content := m.Apply(old.Vault())
	if m.Renew {
		zone, err := time.LoadLocation(status.TimeZone)
		if err != nil {
			return fmt.Errorf("reading the institution's time zone: %w", err)
		}
		content.IssueDate = vault.DateOf(time.Now(), zone)
	}
	content.ResolveTerm()
	row := content.Values()
	if status.Institution != vault.PlaceholderName {
		row[template.InstitutionColumn] = status.Institution
	}
	if err := setColumns(c, t, row); err != nil {
		return err
	}
	for column := range t.SampleRow() {
		if _, ok := row[column]; !ok {
			printLinef(w, "Note: %s is empty; to show it in the document, use --set %s=VALUE", column, column)
		}
	}
	page, err := t.Render(row)
	if err != nil {
		return fault.At("template "+name, err)
	}
	m.File = &adminclient.NewFile{Name: intake.DocumentName(content.Name), Body: page, Origin: t.ContentHash(row)}
	at := client.Placement(intake.PlacementOf(t))
	if m.QR != nil {
		at = client.Placement(vault.Placement(*m.QR).Or(vault.Placement(at)))
	}
	m.QR = &at
	return nil
}

// setColumns puts the values of --set into a template's row.
func setColumns(c *cli.Context, t *template.Template, row map[string]string) error {
	columns := t.SampleRow()
	for _, set := range c.StringSlice("set") {
		column, value, ok := strings.Cut(set, "=")
		if _, known := columns[column]; !ok || !known {
			return usageError("--set must be COLUMN=VALUE with a column of the template, not %q", set)
		}
		row[column] = value
	}
	return nil
}
