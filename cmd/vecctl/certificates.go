package main

import (
	"context"
	"iter"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

func certificateCommand(w environment) *cli.Command {
	return withList(&cli.Command{
		Name: "certificate", Aliases: []string{"certificates"}, Usage: "list all certificates, including applications",
		Flags: append(append(apiFlags(), outputFlags()...),
			newChoiceFlag("status", "only those in this `STATE`", "pending", "in_review", "processing", "approved", "failed", "rejected", "revoked"),
			&cli.StringFlag{Name: "search", Usage: "only those with `TEXT` in " + vault.SearchedTexts()},
			&cli.IntFlag{Name: "limit", Usage: "list at most `N`"},
		),
		Action: runList(w, (*session).Certificates, func(c *cli.Context) client.Filter {
			return client.Filter{Status: c.String("status"), Search: c.String("search")}
		}),
	}, "list all certificates, including applications")
}

// allPages returns the certificates of a paged list, up to a limit.
func allPages(ctx context.Context, list func(context.Context, client.Filter) (client.Page[client.Certificate], error),
	f client.Filter, limit int) ([]client.Certificate, error) {
	return collect(limit, idOf, pagesOf(ctx, list, f))
}

func idOf(c client.Certificate) string { return c.UUID }

// pagesOf returns a function that fetches one page of a list of certificates.
func pagesOf(ctx context.Context, list func(context.Context, client.Filter) (client.Page[client.Certificate], error),
	f client.Filter) func(page, perPage int) (client.Page[client.Certificate], error) {
	return func(page, perPage int) (client.Page[client.Certificate], error) {
		f.Page, f.PerPage = page, perPage
		return list(ctx, f)
	}
}

// collect returns the entries of a paged list, up to a limit. A limit of 0 is no limit.
func collect[T any](limit int, id func(T) string, list func(page, perPage int) (client.Page[T], error)) ([]T, error) {
	var all []T
	for one, err := range pagedEntries(id, list) {
		if err != nil {
			return nil, err
		}
		if all = append(all, one); len(all) == limit {
			break
		}
	}
	return all, nil
}

// pagedEntries iterates over the entries of a paged list. If new entries push an entry onto
// the next page meanwhile, the entry is returned once. Iteration ends after an error.
func pagedEntries[T any](id func(T) string, list func(page, perPage int) (client.Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		const perPage = 100
		seen := map[string]bool{}
		for n := 1; ; n++ {
			page, err := list(n, perPage)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, one := range page.Data {
				if seen[id(one)] {
					continue
				}
				seen[id(one)] = true
				if !yield(one, nil) {
					return
				}
			}
			if !page.HasNext() || len(page.Data) == 0 {
				return
			}
		}
	}
}
