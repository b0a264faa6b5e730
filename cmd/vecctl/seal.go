package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

func sealCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "seal", Usage: "renew the time stamps of verified PDFs before their certificates end",
		Subcommands: []*cli.Command{{
			Name: "renew", Usage: "add validation data and a new time stamp to verified PDFs", ArgsUsage: "[UUID|REFERENCE_ID]",
			Description: "Without a name, all verified PDFs are renewed of which the certificate of the newest time stamp ends within a\n" +
				"time. Each gets the certificates and the proofs of their status that validation needs, and a new time stamp over\n" +
				"all (PAdES B-LTA). The files before stay genuine. A run that is interrupted continues with the next one, or with\n" +
				"the next start of an agent; no file is renewed twice. Run it once a month:\n" +
				"   0 3 1 * *  vecctl seal renew --within 90d --quiet\n" +
				"Exit code 0: all that was due is renewed; 3: some of it; 1: none of it.",
			Flags: staffFlags(
				&cli.StringFlag{Name: "within", Value: "90d", Usage: "renew what ends within a `TIME`, in days (90d) or hours (12h)"},
				&cli.BoolFlag{Name: "dry-run", Usage: "list what is due, and change nothing"}),
			Action: func(c *cli.Context) error {
				if c.NArg() > 1 {
					return requireArgs(c, 1, "one certificate")
				}
				form, err := parseOutputFormat(c)
				if err != nil {
					return err
				}
				f := adminclient.SealFilter{Certificate: c.Args().First()}
				if f.Certificate != "" && c.IsSet("within") {
					return usageError("give either a certificate or --within")
				}
				if f.Within, err = parseWithin(c.String("within")); err != nil {
					return err
				}
				return withSession(c, w, func(s *session) error { return runSealRenew(c, w, s, f, form) })
			},
		}},
	}
}

// parseWithin reads a length of time that may be given in days.
func parseWithin(text string) (time.Duration, error) {
	const day = 24 * time.Hour
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 36_500 {
			return time.Duration(n) * day, nil
		}
	} else if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d, nil
	}
	return 0, usageError("--within %q is no length of time; want one such as 90d or 12h", text)
}

func runSealRenew(c *cli.Context, w environment, s *session, f adminclient.SealFilter, form outputFormat) (err error) {
	var report adminclient.SealReport
	if c.Bool("dry-run") {
		report, err = s.SealsDue(c.Context, f)
	} else {
		bar := newProgress(c, w)
		report, err = s.RenewSeals(c.Context, f, bar.update)
		bar.clear()
	}
	if err != nil {
		return err
	}
	if form == formatJSON {
		err = printFields(w.stdout, form, report, nil)
	} else if len(report.Seals) > 0 || form != formatTable {
		err = sealList().print(w.stdout, form, report.Seals)
	}
	if err != nil {
		return err
	}
	if !c.Bool("quiet") {
		printLinef(w, "%s", describeSeals(report, c.Bool("dry-run")))
	}
	switch {
	case report.Owed == 0:
		return nil
	case report.Renewed > 0:
		return exitStatus(exitPartly)
	}
	return exitStatus(exitFailed)
}

func sealList() list[adminclient.Seal] {
	return list[adminclient.Seal]{
		headings: []string{"reference_id", "status", "level", "timestamp_until", "problem"},
		cells: func(s adminclient.Seal) []string {
			until := ""
			if s.TimestampUntil != nil {
				until = s.TimestampUntil.Format(time.DateOnly)
			}
			return []string{s.ReferenceID, string(s.Status), s.Level, until, s.Problem}
		},
	}
}

func describeSeals(r adminclient.SealReport, dry bool) string {
	files := "verified PDFs"
	if r.Examined == 1 {
		files = "verified PDF"
	}
	if dry {
		return fmt.Sprintf("%d %s, %d due; nothing was changed.", r.Examined, files, r.Due)
	}
	text := fmt.Sprintf("%d %s, %d due, %d renewed", r.Examined, files, r.Due, r.Renewed)
	if r.Owed > 0 {
		text += fmt.Sprintf(", %d wait; an agent goes on by itself, and so does the same command", r.Owed)
	}
	return text + "."
}
