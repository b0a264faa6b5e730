package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

// downloadFilterFlags select the certificates whose verified PDFs are downloaded together.
func downloadFilterFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "batch", Usage: "instead of one: all of the batch `ID`"},
		&cli.StringFlag{Name: "search", Usage: "instead of one: all with `TEXT` in " + vault.SearchedTexts()},
		&cli.StringFlag{Name: "email", Usage: "instead of one: all of the recipient `ADDRESS`"},
		&cli.StringFlag{Name: "from", Usage: "instead of one: all issued on or after `DATE`"},
		&cli.StringFlag{Name: "to", Usage: "instead of one: all issued on or before `DATE`"},
		&cli.BoolFlag{Name: "all", Usage: "instead of one: all of the institution"},
	}
}

// downloadFilter returns the filter of a download of many; false where the flags ask for one.
func downloadFilter(c *cli.Context) (f client.Filter, many bool) {
	f = client.Filter{Batch: c.String("batch"), Search: c.String("search"), Email: c.String("email"), From: c.String("from"), To: c.String("to")}
	return f, f != client.Filter{} || c.Bool("all")
}

func runDownloadMany(c *cli.Context, w environment, f client.Filter) error {
	form, err := formatAndArgs(c, 0, "")
	if err != nil {
		return err
	}
	out := c.String("out")
	if out == "" || out == "-" {
		return usageError("name an archive that ends in .zip, or a folder, with --out")
	}
	return withSession(c, w, func(s *session) error {
		shown := newProgress(c, w)
		saved, err := s.Save(c.Context, f, out, shown.update)
		shown.clear()
		if err != nil {
			return err
		}
		for _, one := range saved.Skipped {
			printLinef(w, "%s could not be downloaded: %s", one.ReferenceID, one.Reason)
		}
		if err := printSaved(w, form, saved); err != nil || saved.Complete() {
			return err
		}
		return exitStatus(exitPartly)
	})
}

func printSaved(w environment, f outputFormat, r client.SaveReport) error {
	if f == formatTable {
		parts := []string{fmt.Sprintf("%s: %d downloaded, %d unchanged, %d skipped", r.Out, r.Downloaded, r.Unchanged, len(r.Skipped))}
		for _, state := range []struct {
			count int
			words string
		}{{r.Processing, "still processing"}, {r.Failed, "failed"}, {r.Revoked, "revoked"}} {
			if state.count > 0 {
				parts = append(parts, fmt.Sprintf("%d %s, without a verified PDF", state.count, state.words))
			}
		}
		_, err := fmt.Fprintln(w.stdout, strings.Join(parts, "; "))
		return err
	}
	return printFields(w.stdout, f, r, [][2]string{
		{"out", r.Out}, {"total", strconv.Itoa(r.Total)}, {"downloaded", strconv.Itoa(r.Downloaded)}, {"unchanged", strconv.Itoa(r.Unchanged)},
		{"skipped", strconv.Itoa(len(r.Skipped))}, {"processing", strconv.Itoa(r.Processing)}, {"failed", strconv.Itoa(r.Failed)}, {"revoked", strconv.Itoa(r.Revoked)},
	})
}
