package main

import (
	"context"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

func listCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "list certificates, newest first",
		Flags: append(append(apiFlags(), outputFlags()...),
			newChoiceFlag("status", "only those in this `STATE`", "processing", "approved", "failed", "revoked"),
			&cli.StringFlag{Name: "email", Usage: "only those of the recipient `ADDRESS`"},
			&cli.StringFlag{Name: "search", Usage: "only those with `TEXT` in " + vault.SearchedTexts()},
			&cli.StringFlag{Name: "batch", Usage: "only those of the batch `ID`"},
			&cli.StringFlag{Name: "from", Usage: "only those issued on or after `DATE`"},
			&cli.StringFlag{Name: "to", Usage: "only those issued on or before `DATE`"},
			&cli.StringFlag{Name: "ends-within", Usage: "only those whose validity ends within this `TERM` from today: 60d, 6w, 3m, 1y"},
			&cli.BoolFlag{Name: "ended", Usage: "only those whose last day of validity has passed"},
			&cli.IntFlag{Name: "limit", Usage: "list at most `N`"},
		),
		Action: func(c *cli.Context) error {
			f := client.Filter{
				Status: c.String("status"), Email: c.String("email"), Search: c.String("search"),
				Batch: c.String("batch"), From: c.String("from"), To: c.String("to"),
			}
			if err := endFilter(c, &f, vault.DateOf(time.Now(), time.Local)); err != nil {
				return err
			}
			return runList(w, (*session).List, func(*cli.Context) client.Filter { return f })(c)
		},
	}
}

// endFilter selects by the last day of validity, as the flags say.
func endFilter(c *cli.Context, f *client.Filter, today vault.Date) error {
	within := c.String("ends-within")
	switch {
	case within != "" && c.Bool("ended"):
		return usageError("use either --ends-within or --ended, not both")
	case c.Bool("ended"):
		f.EndsTo = string(today.AddDays(-1))
	case within != "":
		term, err := vault.ParseTerm(within)
		if err != nil {
			return usageError("--ends-within: %v", err)
		}
		last, err := term.From(today)
		if err != nil {
			return usageError("--ends-within: %v", err)
		}
		f.EndsFrom, f.EndsTo = string(today), string(last)
	}
	return nil
}

// runList returns an action that prints the certificates that a command's flags select.
func runList(w environment, list func(*session, context.Context, client.Filter) (client.Page[client.Certificate], error),
	selected func(*cli.Context) client.Filter) cli.ActionFunc {
	return func(c *cli.Context) error {
		form, err := formatAndArgs(c, 0, "")
		if err != nil {
			return err
		}
		if c.IsSet("limit") && c.Int("limit") < 1 {
			return usageError("--limit must be 1 or more, not %d", c.Int("limit"))
		}
		return withSession(c, w, func(s *session) error {
			from := func(ctx context.Context, f client.Filter) (client.Page[client.Certificate], error) {
				return list(s, ctx, f)
			}
			found, err := allPages(c.Context, from, selected(c), c.Int("limit"))
			if err != nil {
				return err
			}
			return certificateList().print(w.stdout, form, found)
		})
	}
}

func certificateList() list[client.Certificate] {
	return list[client.Certificate]{
		headings: append([]string{"reference_id", "status", "issue_date", "full_name", "applicant_email", "certificate_title", "uuid"}, vault.LaterKeys()...),
		cells: func(c client.Certificate) []string {
			return append([]string{c.ReferenceID, c.Status.Value, c.IssueDate, c.Name, c.Email, c.Title, c.UUID}, c.Vault().LaterTexts()...)
		},
	}
}
