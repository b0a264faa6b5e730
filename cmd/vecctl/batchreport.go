package main

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/results/report"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
)

func batchReportCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "report", Usage: "write the report of a batch as a PDF, to read and to sign", ArgsUsage: "BATCH_ID|NAME",
		Description: "The report has totals, the list of certificates, failures with their reasons, and lines for signatures, on A4.\n" +
			"Characters that are missing in the built-in fonts are taken from the fonts of --font, of the home's templates,\n" +
			"and of the machine. A character that is in none of them is printed as its code, such as U+0E01.",
		Flags: slices.Concat(homeFlags(), []cli.Flag{
			&cli.StringFlag{Name: "out", Value: "-", Usage: "output `FILE`; - is standard output"},
			&cli.StringSliceFlag{Name: "font", Usage: "`FILE` of a TrueType font for more characters; may be repeated"},
			&cli.StringSliceFlag{Name: "signer", Usage: "`PERSON` who signs the report; may be repeated (default: Registrar, Dean)"},
		}),
		Action: func(c *cli.Context) error { return runBatchReport(c, w) },
	}
}

func runBatchReport(c *cli.Context, w environment) error {
	if err := requireArgs(c, 1, "the batch's ID or name"); err != nil {
		return err
	}
	if c.String("out") == "-" && isTerminal(w.stdout) {
		return usageError("a PDF cannot be shown on a terminal; name a file with --out")
	}
	dir, err := homeDir(c, w)
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		told, err := batchSummary(c, s)
		if err != nil {
			return err
		}
		told.Signers = c.StringSlice("signer")
		if len(told.Signers) == 0 {
			told.Signers = []string{"Registrar", "Dean"}
		}
		fonts := report.Fonts{Files: c.StringSlice("font"), Folders: append([]string{dir.Templates()}, report.SystemFolders(w.getenv)...)}
		return writeTo(w, c.String("out"), func(out io.Writer) error {
			done, err := told.Write(out, fonts)
			if err == nil && len(done.Missing) > 0 {
				printLinef(w, "No font contains %s: the report shows the codes of these characters. Name a TrueType font (.ttf) that contains them with --font, or install one; vecctl doctor suggests fonts.", strings.Join(done.Missing, " "))
			}
			return err
		})
	})
}

// batchSummary gathers the data of the report.
func batchSummary(c *cli.Context, s *session) (t report.Report, err error) {
	if t.Batch, err = findBatch(c, s, c.Args().First()); err != nil {
		return t, err
	}
	status, err := s.AgentStatus(c.Context)
	if err != nil {
		return t, err
	}
	t.Institution = status.Institution
	if t.Zone, err = time.LoadLocation(cmp.Or(status.TimeZone, "UTC")); err != nil {
		t.Zone = time.UTC
	}
	if t.Key, err = s.SigningKey(c.Context); err != nil {
		return t, err
	}
	t.MadeAt = wallClock()
	err = eachMatching(c, s, client.Filter{Batch: t.Batch.BatchID}, func(found client.Certificate) error {
		t.Certificates = append(t.Certificates, found)
		return nil
	})
	return t, err
}

// findBatch finds a batch by its ID or by its name.
func findBatch(c *cli.Context, s *session, name string) (client.Batch, error) {
	all, err := allBatches(c, s)
	if err != nil {
		return client.Batch{}, err
	}
	for _, is := range []func(client.Batch) bool{
		func(b client.Batch) bool { return b.BatchID == name },
		func(b client.Batch) bool { return b.Name == name },
	} {
		if i := slices.IndexFunc(all, is); i >= 0 {
			return all[i], nil
		}
	}
	return client.Batch{}, fault.Newf(fault.NotFound, "there is no batch %q; \"vecctl batch list\" lists all batches", name)
}
