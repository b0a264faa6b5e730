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
		Action: runList(w, (*session).Certificates, func(c *cli.Context) client.Filter {
			return client.Filter{Status: c.String("status"), Search: c.String("search")}
		}),
	}
}

// allPages goes through the pages of a list of certificates, to the end or to a limit.
func allPages(ctx context.Context, list func(context.Context, client.Filter) (client.Page[client.Certificate], error),
	f client.Filter, limit int) ([]client.Certificate, error) {
	return gather(limit, func(c client.Certificate) uint64 { return c.ID }, func(page, perPage int) (client.Page[client.Certificate], error) {
		f.Page, f.PerPage = page, perPage
		return list(ctx, f)
	})
}

// gather goes through the pages of a list, in whatever order it is. Entries that new ones
// have pushed onto the next page meanwhile are passed over. A limit of 0 is none.
func gather[T any](limit int, id func(T) uint64, list func(page, perPage int) (client.Page[T], error)) ([]T, error) {
	const perPage = 100
	var all []T
	seen := map[uint64]bool{}
	for n := 1; ; n++ {
		page, err := list(n, perPage)
		if err != nil {
			return nil, err
		}
		for _, one := range page.Data {
			if !seen[id(one)] {
				seen[id(one)] = true
				all = append(all, one)
			}
			if limit > 0 && len(all) == limit {
				return all, nil
			}
		}
		if n >= page.Meta.LastPage {
			return all, nil
		}
	}
}
