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
		Name: "report", Usage: "print what became of a batch as a PDF, for people to read and to sign", ArgsUsage: "BATCH_ID|NAME",
		Description: "Counts, the certificates, failures with their reasons, and lines for signatures, on A4. Letters that the\n" +
			"program's own fonts do not hold come from the fonts of --font, of the home's templates, and of the machine;\n" +
			"what none of them holds is spelled out by its number, such as U+0E01.",
		Flags: slices.Concat(homeFlags(), []cli.Flag{
			&cli.StringFlag{Name: "out", Value: "-", Usage: "`FILE` to write into; - is standard output"},
			&cli.StringSliceFlag{Name: "font", Usage: "`FILE` of a TrueType font for further scripts; may be given again"},
			&cli.StringSliceFlag{Name: "signer", Usage: "`WHO` is to sign; may be given again (default: Registrar, Dean)"},
		}),
		Action: func(c *cli.Context) error { return runBatchReport(c, w) },
	}
}

func runBatchReport(c *cli.Context, w environment) error {
	if err := requireArgs(c, 1, "the batch's ID or name"); err != nil {
		return err
	}
	if c.String("out") == "-" && isTerminal(w.stdout) {
		return usageError("a PDF is nothing for a terminal; name a file with --out")
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
				printLinef(w, "No font holds %s; name a TrueType one (.ttf) that does with --font, or install it; vecctl doctor names some. In the report these stand as their numbers.", strings.Join(done.Missing, " "))
			}
			return err
		})
	})
}

// batchSummary gathers what is told of a batch.
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
	t.MadeAt = time.Now()
	err = eachMatching(c, s, client.Filter{Batch: t.Batch.BatchID}, func(found client.Certificate) error {
		t.Certificates = append(t.Certificates, found)
		return nil
	})
	return t, err
}

// findBatch finds a batch by its ID, or by a name that only one has.
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
	return client.Batch{}, fault.Newf(fault.NotFound, "there is no batch %q; \"vecctl batches\" lists all", name)
}
