package main

import (
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
)

func batchRejectedCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "rejected", Usage: "list the rows of a batch that were refused and not issued since, with reasons", ArgsUsage: "BATCH_ID|NAME",
		Description: "With -o csv, the output is a rejected.csv: the rows as they were given, with the reason in the last column.\n" +
			"The shortest way on is to correct the original manifest and issue it again; what is issued stays as it is.",
		Flags: append(homeFlags(), outputFlags()...),
		Action: func(c *cli.Context) error {
			form, err := formatAndArgs(c, 1, "the batch's ID or name")
			if err != nil {
				return err
			}
			return withSession(c, w, func(s *session) error {
				b, err := findBatch(c, s, c.Args().First())
				if err != nil {
					return err
				}
				rows, err := s.RejectedRows(c.Context, b.BatchID)
				if err != nil {
					return err
				}
				if rows.Omitted > 0 {
					printLinef(w, "Not kept, and so not shown: %d more rows.", rows.Omitted)
				}
				return printRejected(w, form, rows)
			})
		},
	}
}

func printRejected(w environment, form outputFormat, rows vault.RejectedRows) error {
	switch form {
	case formatJSON:
		return printJSON(w.stdout, rows)
	case formatCSV:
		m := manifest.Manifest{Header: rows.Header, Delimiter: rows.Delimiter}
		reasons := map[int]string{}
		for _, r := range rows.Rows {
			m.Rows = append(m.Rows, manifest.Row{Number: r.Row, Cells: r.Cells})
			reasons[r.Row] = r.Reason
		}
		return manifest.WriteRejected(w.stdout, &m, reasons)
	case formatTable, formatJSONLines:
	}
	return list[vault.RejectedRow]{
		headings: []string{"row", "full_name", "applicant_email", "file", "reason"},
		cells: func(r vault.RejectedRow) []string {
			return []string{strconv.Itoa(r.Row), r.Name, r.Email, r.File, r.Reason}
		},
	}.print(w.stdout, form, rows.Rows)
}
