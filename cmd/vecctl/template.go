package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/template"
)

func templateCommand(w environment) *cli.Command {
	flags := func(more ...cli.Flag) []cli.Flag { return append(append(homeFlags(), outputFlags()...), more...) }
	return &cli.Command{
		Name: "template", Usage: "manage templates, which make certificates from the rows of a manifest",
		Subcommands: []*cli.Command{
			templateListCommand(w),
			{
				Name: "new", Usage: "create a template, which you then edit", ArgsUsage: "NAME",
				Description: "The template is a folder in the home: template.yaml, a background and fonts. With --institution, only that\n" +
					"institution can use it.",
				Flags:  flags(&cli.StringFlag{Name: "from", Value: "degree", Usage: "`TEMPLATE` to start from: degree, course or letter"}),
				Action: func(c *cli.Context) error { return runTemplateNew(c, w) },
			},
			{
				Name: "check", Usage: "check templates and list all errors", ArgsUsage: "[NAME|FOLDER]...",
				Description: "Without an argument, it checks all templates of the home.",
				Flags:       flags(),
				Action:      func(c *cli.Context) error { return runTemplateCheck(c, w) },
			},
			{
				Name: "preview", Usage: "make a certificate from sample values", ArgsUsage: "NAME|FOLDER",
				Flags: flags(
					&cli.StringFlag{Name: "out", Usage: "output `FILE`, \"-\" for standard output; a .png file is an image of the page"},
					&cli.StringSliceFlag{Name: "set", Usage: "`COLUMN=VALUE` instead of the sample value; may be repeated"},
				),
				Action: func(c *cli.Context) error { return runTemplatePreview(c, w) },
			},
			{
				Name: "import", Usage: "import a folder as a template", ArgsUsage: "FOLDER [NAME]",
				Description: "With --institution, only that institution can use it.",
				Flags:       flags(),
				Action:      func(c *cli.Context) error { return runTemplateImport(c, w) },
			},
		},
	}
}

// templateDir returns the folder of the home's templates.
func templateDir(c *cli.Context, w environment) (template.Dir, error) {
	dir, err := homeDir(c, w)
	return template.Dir{Path: dir.Templates()}, err
}

// writableTemplateDir is like templateDir, for commands that write there.
func writableTemplateDir(c *cli.Context, w environment) (template.Dir, error) {
	dir, err := homeDir(c, w)
	if err != nil {
		return template.Dir{}, err
	}
	return template.Dir{Path: dir.Templates()}, checkHomeOwner(dir)
}

func runTemplateNew(c *cli.Context, w environment) error {
	if err := requireArgs(c, 1, "a name for the template"); err != nil {
		return err
	}
	files, err := template.BundledFiles(c.String("from"))
	if err != nil {
		return err
	}
	return addTemplate(c, w, c.Args().First(), files)
}

func runTemplateImport(c *cli.Context, w environment) error {
	if n := c.Args().Len(); n != 1 && n != 2 {
		return usageError("name the folder to import, and optionally a name for the template")
	}
	folder := c.Args().First()
	name := c.Args().Get(1)
	if name == "" {
		whole, err := filepath.Abs(folder)
		if err != nil {
			return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the folder %s cannot be found", folder))
		}
		name = strings.ToLower(filepath.Base(whole))
	}
	files, err := template.ReadFiles(folder)
	if err != nil {
		return err
	}
	return addTemplate(c, w, name, files)
}

func addTemplate(c *cli.Context, w environment, name string, files map[string][]byte) error {
	form, err := parseOutputFormat(c)
	if err != nil {
		return err
	}
	s, err := writableTemplateDir(c, w)
	if err != nil {
		return err
	}
	if named := c.String("institution"); named != "" {
		slug, err := institutionSlug(c, w, named)
		if err != nil {
			return err
		}
		template.Bind(files, slug)
	}
	if err := s.Add(name, files); err != nil {
		return fault.At(name, err)
	}
	path := filepath.Join(s.Path, name)
	printLinef(w, "Edit %s, then run: vecctl template preview %s --out preview.pdf", filepath.Join(path, template.File), name)
	if form == formatTable {
		_, err := fmt.Fprintln(w.stdout, path)
		return err
	}
	fields := map[string]string{"id": name, "folder": path}
	return printFields(w.stdout, form, fields, [][2]string{{"id", name}, {"folder", path}})
}

// institutionSlug returns the slug of an institution of the home that is named by slug, ID or name.
func institutionSlug(c *cli.Context, w environment, named string) (slug string, err error) {
	err = withSession(c, w, func(s *session) error {
		status, err := s.AgentStatus(c.Context)
		slug = status.Slug
		return err
	})
	if err == nil && slug == "" {
		err = fault.Newf(fault.Invalid, "the institution %q has no slug yet; run: vecctl init", named)
	}
	return slug, err
}

// templateCheck is the result of the check of one template.
type templateCheck struct {
	ID      string         `json:"id"`
	Valid   bool           `json:"valid"`
	Columns []string       `json:"columns"`
	Faults  []string       `json:"faults"`
	Lost    []string       `json:"lost_claims"` // standards that its documents do not say they keep, with the reasons
	Fits    []template.Fit `json:"fits"`        // how long the texts of its fields can be
	// Institutions are the slugs of those that may use it; none for all of the home.
	Institutions []string `json:"institutions"`
}

func runTemplateCheck(c *cli.Context, w environment) error {
	form, err := parseOutputFormat(c)
	if err != nil {
		return err
	}
	s, err := templateDir(c, w)
	if err != nil {
		return err
	}
	names := c.Args().Slice()
	if len(names) == 0 {
		if names, err = s.Names(); err != nil {
			return err
		}
	}
	var all []templateCheck
	bad := 0
	for _, name := range names {
		x := checkTemplate(s, name)
		if !x.Valid {
			bad++
		}
		all = append(all, x)
	}
	if form == formatTable {
		err = printTemplateChecks(w, all)
	} else {
		err = templateCheckList().print(w.stdout, form, all)
	}
	if err == nil && bad > 0 {
		return fault.Newf(fault.Invalid, "%d of %d templates cannot be used", bad, len(all))
	}
	return err
}

func checkTemplate(s template.Dir, name string) templateCheck {
	x := templateCheck{ID: name, Columns: []string{}, Faults: []string{}, Lost: []string{}, Fits: []template.Fit{}, Institutions: []string{}}
	t, err := openTemplate(s, name)
	if faults, ok := errors.AsType[template.Errors](err); ok {
		x.Faults = faults
		return x
	} else if err != nil {
		x.Faults = []string{err.Error()}
		return x
	}
	x.Fits, x.Institutions = append(x.Fits, t.Fits()...), append(x.Institutions, t.Institutions...)
	for _, fit := range x.Fits {
		if fit.Meets != "" {
			x.Faults = append(x.Faults, fit.String()+"; make its box smaller, or move it away")
		}
	}
	if len(x.Faults) > 0 {
		return x
	}
	if _, err := t.Render(t.SampleRow()); err != nil {
		x.Faults = []string{fmt.Sprintf("the sample cannot be rendered: %v", err)}
		return x
	}
	x.Valid, x.Columns, x.Lost = true, append(x.Columns, t.Columns...), append(x.Lost, t.Lost()...)
	return x
}

func printTemplateChecks(w environment, all []templateCheck) error {
	if len(all) == 0 {
		printLinef(w, "There are no templates yet; create one with: vecctl template new NAME --from degree")
	}
	for _, x := range all {
		line := fmt.Sprintf("%s: valid; a row needs %s", x.ID, strings.Join(x.Columns, ", "))
		if !x.Valid {
			line = fmt.Sprintf("%s:\n  %s", x.ID, strings.Join(x.Faults, "\n  "))
		}
		if len(x.Institutions) > 0 {
			line += "\n  only for " + strings.Join(x.Institutions, ", ")
		}
		if x.Valid {
			for _, fit := range x.Fits {
				line += "\n  " + fit.String()
			}
		}
		for _, lost := range x.Lost {
			line += "\n  note: its documents do not say that they are " + lost
		}
		if _, err := fmt.Fprintln(w.stdout, line); err != nil {
			return err
		}
	}
	return nil
}

func templateCheckList() list[templateCheck] {
	return list[templateCheck]{
		headings: []string{"id", "valid", "columns", "faults", "lost_claims"},
		cells: func(x templateCheck) []string {
			return []string{x.ID, fmt.Sprint(x.Valid), strings.Join(x.Columns, " "), strings.Join(x.Faults, "; "), strings.Join(x.Lost, "; ")}
		},
	}
}

// openTemplate loads a template by its name, or from any folder.
func openTemplate(s template.Dir, name string) (*template.Template, error) {
	info, err := os.Stat(name)
	if strings.ContainsRune(name, filepath.Separator) || err == nil && info.IsDir() && template.CheckName(name) != nil {
		return template.LoadDir(name)
	}
	return s.Load(name)
}

func runTemplatePreview(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 1, "the template")
	if err != nil {
		return err
	}
	if c.String("out") == "" {
		return usageError("--out is missing; name the output file, or - for standard output")
	}
	s, err := templateDir(c, w)
	if err != nil {
		return err
	}
	name := c.Args().First()
	t, err := openTemplate(s, name)
	if _, ok := errors.AsType[template.Errors](err); ok {
		return fault.At(name, err)
	} else if err != nil {
		return err
	}
	row := t.SampleRow()
	if err := setColumns(c, t, row); err != nil {
		return err
	}
	page, err := t.Render(row)
	if err != nil {
		return fault.At(name, err)
	}
	source := pdf.Source{R: bytes.NewReader(page), Size: int64(len(page))}
	m := t.Stamp
	m.URL = config.DefaultBaseURL + "/v/" + sampleReference
	return writeSample(w, name, source, m, c.String("out"), form)
}
