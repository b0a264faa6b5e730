package main

import (
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

func batchCommand(w environment) *cli.Command {
	act := func(act adminclient.BatchAction, usage string) *cli.Command {
		return &cli.Command{
			Name: string(act), Usage: usage, ArgsUsage: "BATCH_ID",
			Flags: append(homeFlags(), outputFlags()...),
			Action: func(c *cli.Context) error {
				if err := requireArgs(c, 1, "the batch's ID"); err != nil {
					return err
				}
				return showBatches(c, w, func(s *session) ([]client.Batch, error) {
					b, err := s.ActOnBatch(c.Context, c.Args().First(), act)
					return []client.Batch{b}, err
				})
			},
		}
	}
	return withList(&cli.Command{
		Name: "batch", Aliases: []string{"batches"}, Usage: "list batches, newest first; pause, resume or cancel one; show its rejected rows",
		Flags: append(append(apiFlags(), outputFlags()...), &cli.IntFlag{Name: "limit", Usage: "list at most `N`"}),
		Action: func(c *cli.Context) error {
			if err := requireArgs(c, 0, ""); err != nil {
				return err
			}
			return showBatches(c, w, func(s *session) ([]client.Batch, error) { return allBatches(c, s) })
		},
		Subcommands: []*cli.Command{
			act(adminclient.PauseBatch, "pause a batch"),
			act(adminclient.ResumeBatch, "continue a paused batch"),
			act(adminclient.CancelBatch, "cancel the waiting certificates of a batch"),
			batchReportCommand(w),
			batchRejectedCommand(w),
		},
	}, "list batches, newest first")
}

func allBatches(c *cli.Context, s *session) ([]client.Batch, error) {
	const perPage = 100
	var all []client.Batch
	for n := 1; ; n++ {
		page, err := s.Batches(c.Context, n, perPage)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		if limit := c.Int("limit"); limit > 0 && len(all) >= limit {
			return all[:limit], nil
		}
		if !page.HasNext() || len(page.Data) == 0 {
			return all, nil
		}
	}
}

func showBatches(c *cli.Context, w environment, call func(*session) ([]client.Batch, error)) error {
	form, err := parseOutputFormat(c)
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		found, err := call(s)
		if err != nil {
			return err
		}
		return batchList().print(w.stdout, form, found)
	})
}

func batchList() list[client.Batch] {
	return list[client.Batch]{
		headings: []string{"batch_id", "name", "status", "total", "approved", "processing", "failed", "revoked", "created_at", "rejected"},
		cells: func(b client.Batch) []string {
			counts := []string{"", "", "", ""}
			if b.Counted() {
				counts = []string{strconv.Itoa(b.Approved), strconv.Itoa(b.Processing), strconv.Itoa(b.Failed), strconv.Itoa(b.Revoked)}
			} else if b.FailedCertificates != nil {
				counts[2] = strconv.Itoa(*b.FailedCertificates)
			}
			rejected := ""
			if b.Rejected != nil {
				rejected = strconv.Itoa(*b.Rejected)
			}
			return append(append([]string{b.BatchID, b.Name, b.Status, strconv.Itoa(b.Total)}, counts...), formatMoment(b.CreatedAt), rejected)
		},
	}
}
