package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

func applicationCommand(w environment) *cli.Command {
	flags := func(more ...cli.Flag) []cli.Flag { return append(append(homeFlags(), outputFlags()...), more...) }
	const one = "UUID|REFERENCE_ID"
	return &cli.Command{
		Name: "application", Usage: "show applications for certificates, and decide on them",
		Subcommands: append([]*cli.Command{
			{
				Name: "submit", Usage: "submit an application for a person whom you know",
				Flags: flags(
					&cli.StringFlag{Name: "title", Usage: "`TITLE` of the certificate"},
					&cli.StringFlag{Name: "name", Usage: "full `NAME` of the applicant"},
					&cli.StringFlag{Name: "email", Usage: "`ADDRESS` of the applicant"},
					&cli.StringFlag{Name: "details", Usage: "more information, as `TEXT`"},
					&cli.StringFlag{Name: "evidence", Usage: "`FILE` (PDF, JPG, PNG) from the applicant"}),
				Action: func(c *cli.Context) error { return runApplicationSubmit(c, w) },
			},
			{
				Name: "list", Usage: "list applications, newest first; without --status, only those that wait for a decision",
				Flags: flags(
					newChoiceFlag("status", "only applications in this `STATE`", "open", "all", "pending", "in_review", "processing", "approved", "failed", "rejected", "revoked").or("open"),
					&cli.StringFlag{Name: "email", Usage: "only applications from `ADDRESS`"},
					&cli.StringFlag{Name: "search", Usage: "only applications with `TEXT` in " + vault.SearchedTexts()},
					&cli.IntFlag{Name: "limit", Usage: "list at most `N`"}),
				Action: func(c *cli.Context) error { return runApplicationList(c, w) },
			},
			{
				Name: "show", Usage: "show one application", ArgsUsage: one, Flags: flags(),
				Action: func(c *cli.Context) error {
					return oneApplication(c, w, func(s *session, name string) (adminclient.Application, error) { return s.Application(c.Context, name) })
				},
			},
			{
				Name: "evidence", Usage: "download the file that an applicant submitted", ArgsUsage: one,
				Flags:  flags(&cli.StringFlag{Name: "out", Usage: "output `FILE`, \"-\" for standard output (default: REFERENCE_ID-evidence.pdf in the current directory)"}),
				Action: func(c *cli.Context) error { return runApplicationEvidence(c, w) },
			},
		}, applicationDecisions(w, flags, one)...),
	}
}

// applicationDecisions returns the commands that decide on an application.
func applicationDecisions(w environment, flags func(...cli.Flag) []cli.Flag, one string) []*cli.Command {
	return []*cli.Command{
		{
			Name: "review", Usage: "start the review of an application", ArgsUsage: one, Flags: flags(),
			Action: func(c *cli.Context) error {
				return oneApplication(c, w, func(s *session, name string) (adminclient.Application, error) {
					return s.ReviewApplication(c.Context, name)
				})
			},
		},
		{
			Name: "approve", Usage: "approve an application and issue the certificate", ArgsUsage: one,
			Flags: flags(append(placementFlags(),
				&cli.StringFlag{Name: "file", Usage: "issue it with the document in `FILE`"},
				&cli.StringFlag{Name: "template", Usage: "issue it with a document from the template `NAME`"},
				&cli.StringSliceFlag{Name: "field", Usage: "value for another column of the template, as `COLUMN=TEXT`; may be repeated"},
				&cli.BoolFlag{Name: "evidence", Usage: "issue it with the file that the applicant submitted"},
				&cli.StringFlag{Name: "date", Usage: "issue `DATE` as YYYY-MM-DD (default: today)"},
				&cli.StringFlag{Name: "details", Usage: "`TEXT` that replaces the applicant's details"},
				&cli.BoolFlag{Name: "no-wait", Usage: "return as soon as the certificate is accepted"})...),
			Action: func(c *cli.Context) error { return runApplicationApprove(c, w) },
		},
		{
			Name: "reject", Usage: "reject an application", ArgsUsage: one,
			Flags:  flags(&cli.StringFlag{Name: "reason", Usage: "the `REASON`, which the applicant sees"}, yesFlag()),
			Action: func(c *cli.Context) error { return runApplicationReject(c, w) },
		},
	}
}

// oneApplication makes a call about the application in the first argument, and prints
// the application that it returns.
func oneApplication(c *cli.Context, w environment, call func(*session, string) (adminclient.Application, error)) error {
	return objectAction(w, 1, "the application's UUID or reference ID", applicationFields,
		func(c *cli.Context, s *session) (adminclient.Application, error) { return call(s, c.Args().First()) })(c)
}

func applicationFields(a adminclient.Application) [][2]string {
	fields := certificateFields(a.Certificate)
	fields = slices.Insert(fields, 3, [2]string{"rejection_reason", orEmpty(a.RejectionReason)})
	fields = append(fields, [2]string{"proof", a.Proof}, [2]string{"submitted_by", a.SubmittedBy})
	if e := a.Evidence; e != nil {
		fields = append(fields, [2]string{"evidence", fmt.Sprintf("%s (%s, %d bytes)", e.Name, e.Format, e.Size)})
		if e.Note != "" {
			fields = append(fields, [2]string{"evidence_note", e.Note})
		}
	} else if gone := a.EvidenceRemovedAt; gone != nil {
		fields = append(fields, [2]string{"evidence", "removed on " + gone.Format(time.DateOnly)})
	}
	if r := a.Review; r != nil {
		fields = append(fields, [2]string{"in_review_by", r.By + ", " + r.At.Format(time.RFC3339)})
	}
	if d := a.Decision; d != nil {
		fields = append(fields, [2]string{"decided_by", d.By + ", " + d.At.Format(time.RFC3339)})
	}
	if !a.Status.Is(vault.Approved, vault.Revoked) {
		// These pages do not exist yet.
		fields = slices.DeleteFunc(fields, func(f [2]string) bool { return f[0] == "verify_url" || f[0] == "share_url" })
	}
	return fields
}

func applicationList() list[adminclient.Application] {
	return list[adminclient.Application]{
		headings: []string{"reference_id", "status", "created_at", "full_name", "applicant_email", "certificate_title", "evidence", "in_review_by"},
		cells: func(a adminclient.Application) []string {
			evidence, by := "", ""
			if a.Evidence != nil {
				evidence = a.Evidence.Name
			}
			if a.Review != nil {
				by = a.Review.By
			}
			return []string{a.ReferenceID, a.Status.Value, a.CreatedAt.Format(time.RFC3339), a.Name, a.Email, a.Title, evidence, by}
		},
	}
}

func runApplicationSubmit(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 0, "")
	if err != nil {
		return err
	}
	for _, name := range []string{"title", "name", "email"} {
		if c.String(name) == "" {
			return usageError("--%s is missing; see vecctl application submit --help", name)
		}
	}
	n := adminclient.NewApplication{Title: c.String("title"), Name: c.String("name"), Email: c.String("email"), Details: c.String("details")}
	if path := c.String("evidence"); path != "" {
		if n.Evidence, err = readDocument(path); err != nil {
			return err
		}
	}
	return withSession(c, w, func(s *session) error {
		made, err := s.SubmitApplication(c.Context, n)
		if err != nil {
			return err
		}
		return printFields(w.stdout, form, made, applicationFields(made))
	})
}

// readDocument reads a whole file for an upload.
func readDocument(path string) (*adminclient.NewFile, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil || !info.Mode().IsRegular():
		return nil, usageError("%s is not a readable file", path)
	case info.Size() > vault.MaxFile:
		return nil, usageError("the file %s has %d bytes; at most 20 MB (%d bytes) are accepted", path, info.Size(), vault.MaxFile)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError("%s cannot be read", path)
	}
	return &adminclient.NewFile{Name: filepath.Base(path), Body: body}, nil
}

func runApplicationList(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 0, "")
	if err != nil {
		return err
	}
	if c.IsSet("limit") && c.Int("limit") < 1 {
		return usageError("--limit must be 1 or more, not %d", c.Int("limit"))
	}
	f := adminclient.ApplicationFilter{Status: c.String("status"), Email: c.String("email"), Search: c.String("search")}
	if f.Status == "all" {
		f.Status = ""
	}
	return withSession(c, w, func(s *session) error {
		found, err := allApplications(c.Context, s, f, c.Int("limit"))
		if err != nil {
			return err
		}
		return applicationList().print(w.stdout, form, found)
	})
}

// allApplications is allPages for applications.
func allApplications(ctx context.Context, s *session, f adminclient.ApplicationFilter, limit int) ([]adminclient.Application, error) {
	return collect(limit, func(a adminclient.Application) string { return a.UUID }, func(page, perPage int) (client.Page[adminclient.Application], error) {
		f.Page, f.PerPage = page, perPage
		return s.Applications(ctx, f)
	})
}

func runApplicationEvidence(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 1, "the application's UUID or reference ID")
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		found, err := s.Application(c.Context, c.Args().First())
		if err != nil {
			return err
		}
		if found.Evidence == nil {
			return fault.Newf(fault.NotFound, "the application %s has no evidence file", found.ReferenceID)
		}
		ending := map[string]string{"jpeg": ".jpg", "png": ".png"}[found.Evidence.Format]
		out := cmp.Or(c.String("out"), filepath.Base(found.ReferenceID)+"-evidence"+cmp.Or(ending, ".pdf"))
		err = writeTo(w, out, func(to io.Writer) error {
			_, err := s.ApplicationEvidence(c.Context, found.UUID, to)
			return err
		})
		if err != nil || out == "-" {
			return err
		}
		if form == formatTable {
			_, err = fmt.Fprintln(w.stdout, out)
			return err
		}
		done := downloaded{File: out, UUID: found.UUID, ReferenceID: found.ReferenceID}
		return printFields(w.stdout, form, done, [][2]string{
			{"file", done.File}, {"uuid", done.UUID}, {"reference_id", done.ReferenceID}})
	})
}

// approvalOf reads the flags of an approval.
func approvalOf(c *cli.Context) (adminclient.ApplicationApproval, error) {
	a := adminclient.ApplicationApproval{Template: c.String("template"), Evidence: c.Bool("evidence"), IssueDate: c.String("date")}
	given := 0
	for _, is := range []bool{c.String("file") != "", a.Template != "", a.Evidence} {
		if is {
			given++
		}
	}
	if given != 1 {
		return a, usageError("give the document of the certificate with one of --file, --template and --evidence")
	}
	if c.IsSet("field") && a.Template == "" {
		return a, usageError("--field needs --template: it sets the value of a template's column")
	}
	m, err := stampPlacement(c)
	if err != nil {
		return a, err
	}
	a.QRPage, a.QRAt, a.QRSize, a.QRMargin = m.Page, c.String("qr-at"), m.SizeMM, m.MarginMM
	if c.IsSet("details") {
		details := c.String("details")
		a.Details = &details
	}
	a.Fields = map[string]string{}
	for _, field := range c.StringSlice("field") {
		column, value, ok := strings.Cut(field, "=")
		if !ok || column == "" {
			return a, usageError("--field must be COLUMN=TEXT, not %q", field)
		}
		a.Fields[column] = value
	}
	if path := c.String("file"); path != "" {
		a.File, err = readDocument(path)
	}
	return a, err
}

func runApplicationApprove(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 1, "the application's UUID or reference ID")
	if err != nil {
		return err
	}
	approval, err := approvalOf(c)
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		done, err := s.ApproveApplication(c.Context, c.Args().First(), approval)
		if err != nil {
			return err
		}
		if !c.Bool("no-wait") {
			if _, err := settledCertificate(c.Context, s.Certificate, done.Certificate); err != nil {
				return err
			}
			if done, err = s.Application(c.Context, done.UUID); err != nil {
				return err
			}
		}
		if err := printFields(w.stdout, form, done, applicationFields(done)); err != nil {
			return err
		}
		if done.Status.Is(vault.Failed) {
			return exitStatus(exitFailed)
		}
		return nil
	})
}

func runApplicationReject(c *cli.Context, w environment) error {
	if c.String("reason") == "" {
		return usageError("--reason is missing; the applicant sees it")
	}
	return oneApplication(c, w, func(s *session, name string) (adminclient.Application, error) {
		found, err := s.Application(c.Context, name)
		if err != nil {
			return found, err
		}
		if err := confirm(c, w, fmt.Sprintf("Reject the application %s (%s, %s)? This cannot be undone.", found.ReferenceID, found.Name, found.Title)); err != nil {
			return found, err
		}
		return s.RejectApplication(c.Context, found.UUID, c.String("reason"))
	})
}
