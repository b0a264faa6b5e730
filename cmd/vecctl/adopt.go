package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

func adoptCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "adopt", Usage: "take back verified PDFs that were issued after the backup that the home was restored from", ArgsUsage: "FILE|FOLDER...",
		Description: "Each FILE must be as it was issued, and signed by a key of this home, also one that was replaced. Whose it is\n" +
			"stands in the report.csv beside it, or in one that --report names, and must agree with the document's text.\n" +
			"It keeps its reference ID and UUID; its share link is a new one, and details are not in reports. Nobody is\n" +
			"told by mail or webhook. Documents that the home has are left as they are; people who were erased are not\n" +
			"brought back. Exit code 3: some documents were refused; 1: all were.",
		Flags: slices.Concat(homeFlags(), outputFlags(), []cli.Flag{
			&cli.StringSliceFlag{Name: "report", Usage: "`FILE` with the report of a batch (report.csv); may be repeated"},
			&cli.BoolFlag{Name: "trust-report", Usage: "also take back documents that do not name the person exactly or cannot be read, such as scans: the report alone says whose they are"},
			&cli.BoolFlag{Name: "dry-run", Usage: "check all, change nothing"},
		}),
		Action: func(c *cli.Context) error { return runAdopt(c, w) },
	}
}

func runAdopt(c *cli.Context, w environment) error {
	form, err := parseOutputFormat(c)
	if err != nil {
		return err
	}
	if !c.Args().Present() {
		return usageError("name the verified PDFs, or a folder with them; see vecctl adopt --help")
	}
	q := adminclient.AdoptRequest{DryRun: c.Bool("dry-run"), TrustReport: c.Bool("trust-report")}
	if q.Files, err = documentsIn(c.Args().Slice()); err != nil {
		return err
	}
	for _, path := range c.StringSlice("report") {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return fmt.Errorf("finding %s: %w", path, err)
		}
		q.Reports = append(q.Reports, absolute)
	}
	s, err := existingHome(c, w)
	if err != nil {
		return err
	}
	done, err := s.Adopt(c.Context, q)
	if e := s.close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return printAdoption(w, form, done)
}

// documentsIn returns the absolute paths of files, and of the PDFs in folders.
func documentsIn(names []string) ([]string, error) {
	var found []string
	for _, name := range names {
		absolute, err := filepath.Abs(name)
		if err != nil {
			return nil, fmt.Errorf("finding %s: %w", name, err)
		}
		info, err := os.Stat(absolute)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("%s cannot be read; check its name and permissions", name))
		}
		if !info.IsDir() {
			found = append(found, absolute)
			continue
		}
		within, err := pdfsIn(absolute, true)
		if err != nil {
			return nil, err
		}
		found = append(found, within...)
	}
	if len(found) == 0 {
		return nil, usageError("there are no PDFs in %s", strings.Join(names, ", "))
	}
	return found, nil
}

func printAdoption(w environment, form outputFormat, done adminclient.Adoption) error {
	var err error
	if form == formatJSON {
		err = printJSON(w.stdout, done)
	} else {
		err = list[adminclient.AdoptedFile]{
			headings: []string{"status", "reference_id", "file", "error"},
			cells: func(f adminclient.AdoptedFile) []string {
				return []string{f.Status, f.ReferenceID, f.File, f.Error}
			},
		}.print(w.stdout, form, done.Files)
	}
	if err != nil {
		return err
	}
	line := fmt.Sprintf("%d adopted", done.Adopted)
	if done.Ready > 0 {
		line = fmt.Sprintf("%d can be adopted", done.Ready)
	}
	printLinef(w, "%s, %d already there, %d refused.", line, done.Unchanged, done.Refused)
	switch {
	case done.Refused == 0:
		return nil
	case done.Refused == done.Total:
		return exitStatus(exitFailed)
	}
	return exitStatus(exitPartly)
}
