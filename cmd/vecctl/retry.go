package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

func retryCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "retry", Usage: "process failed certificates again", ArgsUsage: "UUID...|REFERENCE_ID...",
		Flags: append(append(apiFlags(), outputFlags()...),
			&cli.StringFlag{Name: "batch", Usage: "all failed certificates of the batch `ID`"},
			&cli.BoolFlag{Name: "all-failed", Usage: "all failed certificates"},
		),
		Action: func(c *cli.Context) error {
			form, err := parseOutputFormat(c)
			if err != nil {
				return err
			}
			named, many := c.NArg() > 0, c.String("batch") != "" || c.Bool("all-failed")
			if named == many || (c.String("batch") != "" && c.Bool("all-failed")) {
				return usageError("name the certificates, or use either --batch ID or --all-failed; see vecctl retry --help")
			}
			return withSession(c, w, func(s *session) error {
				if many {
					return retryMany(c, w, s, form)
				}
				return forEachNamed(w, form, c.Args().Slice(), certificateList(), func(name string) (client.Certificate, error) {
					return s.Retry(c.Context, name)
				})
			})
		},
	}
}

func retryMany(c *cli.Context, w environment, s *session, f outputFormat) error {
	all := s.RetryAll
	if s.remote {
		all = s.retryAllRemote
	}
	n, err := all(c.Context, c.String("batch"))
	if n > 0 && err != nil {
		printLinef(w, "%d certificates are processed again; the others are not: %v", n, err)
		return exitStatus(exitPartly)
	}
	if err != nil {
		return err
	}
	if f != formatTable {
		return printFields(w.stdout, f, map[string]int{"retried": n}, [][2]string{{"retried", strconv.Itoa(n)}})
	}
	_, err = fmt.Fprintf(w.stdout, "%d certificates are processed again; \"vecctl list --status failed\" shows those that failed again\n", n)
	return err
}

// retryAllRemote retries every failed certificate, or those of one batch, on a vault that
// has only the API, and returns how many. It skips certificates that another client retries
// at the same time, and those of other batches if the vault does not know that filter.
func (s *session) retryAllRemote(ctx context.Context, batch string) (n int, err error) {
	failed, err := allPages(ctx, s.List, client.Filter{Status: string(vault.Failed), Batch: batch}, 0)
	if err != nil {
		return 0, err
	}
	for _, one := range failed {
		if batch != "" && (one.BatchID == nil || *one.BatchID != batch) {
			continue
		}
		_, err := s.Retry(ctx, one.UUID)
		if fault.Is(err, fault.Illegal) {
			continue
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
