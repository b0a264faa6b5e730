package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

func recipientCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "recipient", Usage: "manage recipients' personal data",
		Subcommands: []*cli.Command{{
			Name: "erase", Usage: "delete the personal data and files of all certificates of an address", ArgsUsage: "EMAIL",
			Description: "It destroys the data in the database and its free room, in reports, refused files, mails and copies of\n" +
				"the database, and prints what it cannot reach. The address is remembered as a keyed hash, so that nobody\n" +
				"is issued anything there again unasked; see \"vecctl recipient readmit\".",
			Flags: append(append(homeFlags(), outputFlags()...), yesFlag(),
				&cli.StringFlag{Name: "protocol", Usage: "write a signed protocol, which names nobody, to a new `FILE` and its signature to FILE.p7s"},
				&cli.BoolFlag{Name: "dry-run", Usage: "print what would be destroyed, change nothing"},
				&cli.StringFlag{Name: "person", Usage: "`NAME` or external ID of the person, if several people share the address"}),
			Action: func(c *cli.Context) error { return runErase(c, w) },
		}, recipientExportCommand(w), {
			Name: "readmit", Usage: "let certificates be issued again to an address that was erased", ArgsUsage: "EMAIL", Flags: homeFlags(),
			Action: func(c *cli.Context) error {
				if err := requireArgs(c, 1, "the e-mail address"); err != nil {
					return err
				}
				return withSession(c, w, func(s *session) error { return s.ReadmitRecipient(c.Context, c.Args().First()) })
			},
		}},
	}
}

func runErase(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 1, "the e-mail address")
	if err != nil {
		return err
	}
	email, protocol := c.Args().First(), c.String("protocol")
	if _, err := os.Lstat(protocol); protocol != "" && err == nil {
		return usageError("%s already exists; name another file with --protocol", protocol)
	}
	return withSession(c, w, func(s *session) error {
		whose := email
		if person := c.String("person"); person != "" {
			whose = fmt.Sprintf("%s at %s", person, email)
		}
		if c.Bool("dry-run") {
			plan, err := s.PlanErasure(c.Context, email, c.String("person"))
			if err != nil {
				return err
			}
			return printErasure(w, form, plan)
		}
		question := fmt.Sprintf("Delete all data and documents of %s? This cannot be undone.", whose)
		if err := confirm(c, w, question); err != nil {
			return err
		}
		done, err := s.EraseRecipient(c.Context, email, c.String("person"))
		if err != nil {
			return err
		}
		if p := done.Protocol; protocol != "" && p != nil {
			if err := fsutil.WriteFile(protocol, 0o600, writeBytes(p.Text)); err != nil {
				return err
			}
			if err := fsutil.WriteFile(protocol+".p7s", 0o600, writeBytes(p.Signature)); err != nil {
				return err
			}
		}
		return printErasure(w, form, done)
	})
}

// writeBytes writes a text into a file that appears whole.
func writeBytes(text []byte) func(io.Writer) error {
	return func(w io.Writer) error { _, err := w.Write(text); return err }
}

// printErasure prints what was destroyed, or would be, and what could not be reached.
func printErasure(w environment, form outputFormat, done adminclient.Erasure) error {
	account := "none"
	if done.Account {
		account = "erased"
	}
	fields := [][2]string{{"certificates", strings.Join(done.Certificates, " ")}}
	if !done.DryRun {
		fields = append(fields, [][2]string{{"mails", strconv.Itoa(done.Mails)}, {"files", strconv.Itoa(done.Files)},
			{"received", strconv.Itoa(done.Received)}, {"account", account}}...)
	}
	for _, path := range done.Destroyed {
		fields = append(fields, [2]string{"destroyed", path})
	}
	if err := printFields(w.stdout, form, done, fields); err != nil {
		return err
	}
	if done.DryRun {
		printLinef(w, "Nothing was destroyed. Besides what is listed, the data in the database, the verified PDFs, mails and lines of reports of these certificates would be.")
	}
	for _, left := range done.Left {
		printLinef(w, "Not deleted, if they exist: %s", left)
	}
	return nil
}
