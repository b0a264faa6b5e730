package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
)

func certificatesCommand(w world) *cli.Command {
	return &cli.Command{
		Name: "certificates", Usage: "list all certificates, those that people applied for among them",
		Flags: append(append(apiFlags(), outputFlags()...),
			&cli.StringFlag{Name: "status", Usage: "only those that are `STATE`: pending, in_review, processing, approved, failed, rejected, revoked"},
			&cli.StringFlag{Name: "search", Usage: "only those with `TEXT` in name, e-mail, title or reference ID"},
			&cli.IntFlag{Name: "limit", Usage: "at most `N`"},
		),
		Action: func(c *cli.Context) error {
			if err := exactly(c, 0, ""); err != nil {
				return err
			}
			form, err := formOf(c)
			if err != nil {
				return err
			}
			if c.IsSet("limit") && c.Int("limit") < 1 {
				return usageError("--limit takes a number from 1, not %d", c.Int("limit"))
			}
			filter := client.Filter{Status: c.String("status"), Search: c.String("search")}
			return with(c, w, func(s *session) error {
				found, err := allPages(c.Context, s.Certificates, filter, c.Int("limit"))
				if err != nil {
					return err
				}
				return certificateList().print(w.stdout, form, found)
			})
		},
	}
}

// allPages goes through the pages of a list, to the end or to a limit. Entries
// that new ones have pushed onto the next page meanwhile are passed over.
func allPages(ctx context.Context, list func(context.Context, client.Filter) (client.Page[client.Certificate], error),
	f client.Filter, limit int) ([]client.Certificate, error) {
	f.PerPage = 100
	var all []client.Certificate
	for f.Page = 1; ; f.Page++ {
		page, err := list(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, c := range page.Data {
			if len(all) == 0 || c.ID < all[len(all)-1].ID {
				all = append(all, c)
			}
			if limit > 0 && len(all) == limit {
				return all, nil
			}
		}
		if f.Page >= page.Meta.LastPage {
			return all, nil
		}
	}
}
