package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/vault"
)

func mailCommand(w environment) *cli.Command {
	both := append(homeFlags(), outputFlags()...)
	return &cli.Command{
		Name: "mail", Usage: "manage mails to recipients",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list mails, newest first",
				Flags: append(slices.Clone(both),
					&cli.BoolFlag{Name: "bounced", Usage: "only those that were refused or bounced, and were not sent again"},
					newChoiceFlag("state", "only those in this `STATE`", texts(vault.MailStates())...),
					&cli.StringFlag{Name: "batch", Usage: "only those of the batch `ID`"},
					&cli.StringFlag{Name: "certificate", Usage: "only those about the certificate with this `UUID` or reference ID"},
					&cli.IntFlag{Name: "limit", Usage: "list at most `N`"}),
				Action: func(c *cli.Context) error { return runMailList(c, w) },
			},
			{
				Name: "preview", Usage: "show a mail without sending it", ArgsUsage: "[" + strings.Join(mail.Names(), "|") + "]",
				Flags: append(homeFlags(),
					&cli.StringFlag{Name: "certificate", Usage: "for the certificate with this `UUID` or reference ID (default: an example)"},
					newChoiceFlag("part", "`PART` to show", "text", "html", "eml").or("text")),
				Action: func(c *cli.Context) error { return runMailPreview(c, w) },
			},
			{
				Name: "templates", Usage: "write the built-in mail templates into a folder, as a start for your own in the home's templates/mail",
				Flags:  append(homeFlags(), &cli.StringFlag{Name: "out", Usage: "output `DIR`"}),
				Action: func(c *cli.Context) error { return runMailTemplates(c, w) },
			},
			{
				Name: "resend", Usage: "send mails again", ArgsUsage: "MAIL_ID...|REFERENCE_ID...",
				Flags:  append(slices.Clone(both), &cli.StringFlag{Name: "to", Usage: "send to another `ADDRESS`"}),
				Action: func(c *cli.Context) error { return runMailResend(c, w) },
			},
			{
				Name: "cancel", Usage: "cancel waiting mails", ArgsUsage: "MAIL_ID...",
				Flags:  append(slices.Clone(both), &cli.StringFlag{Name: "batch", Usage: "all waiting mails of the batch `ID`"}),
				Action: func(c *cli.Context) error { return runMailCancel(c, w) },
			},
			{
				Name: "send", Usage: "send all due mails now, and wait until they are sent",
				Flags:  slices.Clone(both),
				Action: func(c *cli.Context) error { return runMailSend(c, w) },
			},
		},
	}
}

func mailList() list[adminclient.Mail] {
	return list[adminclient.Mail]{
		headings: []string{"id", "kind", "state", "to", "reference_id", "attempts", "code", "reason", "created_at", "sent_at"},
		cells: func(m adminclient.Mail) []string {
			return []string{strconv.FormatUint(m.ID, 10), m.Kind, m.State, m.To, m.ReferenceID,
				strconv.Itoa(m.Attempts), m.Code, m.Reason, m.CreatedAt.Format(time.RFC3339), formatTime(m.SentAt)}
		},
	}
}

func runMailList(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 0, "")
	if err != nil {
		return err
	}
	if c.IsSet("limit") && c.Int("limit") < 1 {
		return usageError("--limit must be 1 or more, not %d", c.Int("limit"))
	}
	return withSession(c, w, func(s *session) error {
		all, err := s.Mails(c.Context, adminclient.MailFilter{State: c.String("state"), Batch: c.String("batch"),
			Certificate: c.String("certificate"), Bounced: c.Bool("bounced"), Limit: c.Int("limit")})
		if err != nil {
			return err
		}
		return mailList().print(w.stdout, form, all)
	})
}

func runMailPreview(c *cli.Context, w environment) error {
	if c.NArg() > 1 {
		return requireArgs(c, 1, "")
	}
	return withSession(c, w, func(s *session) error {
		p, err := s.PreviewMail(c.Context, c.Args().First(), c.String("certificate"))
		if err != nil {
			return err
		}
		shown := ""
		switch c.String("part") {
		case "text":
			shown = "Subject: " + oneLine(p.Subject) + "\n\n" + sanitize(p.Text)
		case "html":
			shown = p.HTML
		default:
			shown = p.Message
		}
		_, err = io.WriteString(w.stdout, shown)
		return err
	})
}

func runMailTemplates(c *cli.Context, w environment) error {
	if err := requireArgs(c, 0, ""); err != nil {
		return err
	}
	out := c.String("out")
	if out == "" {
		return usageError("--out DIR is missing; see vecctl mail templates --help")
	}
	files, err := mail.Files()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fsutil.DiskError(err, "creating the folder for templates")
	}
	for name := range files {
		if _, err := os.Stat(filepath.Join(out, name)); err == nil {
			return usageError("%s already exists; name an empty folder with --out", filepath.Join(out, name))
		}
	}
	for name, body := range files {
		err := fsutil.WriteFile(filepath.Join(out, name), 0o644, func(to io.Writer) error {
			_, err := to.Write(body)
			return err
		})
		if err != nil {
			return err
		}
	}
	printLinef(w, "Wrote %d files. Files in templates/mail of the home replace the built-in templates.", len(files))
	return nil
}

// eachMail calls act for each mail that is named.
func eachMail(c *cli.Context, w environment, act func(s *session, name string) (adminclient.Mail, error)) error {
	form, err := parseOutputFormat(c)
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		return forEachNamed(w, form, c.Args().Slice(), mailList(), func(name string) (adminclient.Mail, error) { return act(s, name) })
	})
}

func runMailResend(c *cli.Context, w environment) error {
	to := c.String("to")
	switch {
	case c.NArg() == 0:
		return requireArgs(c, 1, "the mail's number or the certificate's reference ID")
	case to != "" && c.NArg() > 1:
		return usageError("--to works only with one mail")
	}
	return eachMail(c, w, func(s *session, name string) (adminclient.Mail, error) { return s.ResendMail(c.Context, name, to) })
}

func runMailCancel(c *cli.Context, w environment) error {
	batch := c.String("batch")
	if (batch == "") == (c.NArg() == 0) {
		return usageError("name mails, or a batch with --batch ID; see vecctl mail cancel --help")
	}
	if batch == "" {
		return eachMail(c, w, func(s *session, name string) (adminclient.Mail, error) {
			id, err := strconv.ParseUint(name, 10, 64)
			if err != nil {
				return adminclient.Mail{}, usageError("%q is not a mail's number; \"vecctl mail list\" shows them", name)
			}
			return s.CancelMail(c.Context, id)
		})
	}
	form, err := parseOutputFormat(c)
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		n, err := s.CancelMails(c.Context, batch)
		if err != nil {
			return err
		}
		return printFields(w.stdout, form, map[string]int{"cancelled": n}, [][2]string{{"cancelled", strconv.Itoa(n)}})
	})
}

func runMailSend(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 0, "")
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		n, err := s.SendMails(c.Context)
		if err != nil {
			return err
		}
		if err := printFields(w.stdout, form, map[string]int{"waiting": n}, [][2]string{{"waiting", strconv.Itoa(n)}}); err != nil {
			return err
		}
		st, err := s.AgentStatus(c.Context)
		if err != nil {
			return err
		}
		for _, p := range st.Problems {
			if p.Kind == "mail" {
				return fault.New(fault.Unavailable, p.Message)
			}
		}
		return nil
	})
}
