package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// confirm asks before an action that cannot be undone. With --yes it does not ask.
func confirm(c *cli.Context, w environment, question string) error {
	if c.Bool("yes") {
		return nil
	}
	if !isTerminal(w.stdin) {
		return usageError("%s Confirm with --yes", question)
	}
	fmt.Fprintf(w.stderr, "%s [y/N]: ", oneLine(question))
	answer, err := bufio.NewReader(w.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if !slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(answer))) {
		return fault.New(fault.Illegal, "nothing was done")
	}
	return nil
}

func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask"}
}

func revokeCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "revoke", Usage: "revoke certificates", ArgsUsage: "UUID...|REFERENCE_ID...",
		Flags: append(append(homeFlags(), outputFlags()...),
			&cli.StringFlag{Name: "reason", Usage: "the `REASON`, shown to anyone who checks the certificate"},
			&cli.StringFlag{Name: "batch", Usage: "all approved certificates of the batch `ID`"},
			&cli.BoolFlag{Name: "notify", Usage: "notify the recipients by mail"},
			yesFlag(),
		),
		Action: func(c *cli.Context) error {
			form, err := parseOutputFormat(c)
			if err != nil {
				return err
			}
			if (c.NArg() > 0) == (c.String("batch") != "") {
				return usageError("name the certificates, or use --batch ID; see vecctl revoke --help")
			}
			if c.String("reason") == "" {
				return usageError("--reason is missing; anyone who checks the certificate sees it")
			}
			return withSession(c, w, func(s *session) error { return runRevoke(c, w, s, form) })
		},
	}
}

func runRevoke(c *cli.Context, w environment, s *session, f outputFormat) error {
	names := c.Args().Slice()
	if batch := c.String("batch"); batch != "" {
		approved, err := allPages(c.Context, s.List, client.Filter{Batch: batch, Status: string(vault.Approved)}, 0)
		if err != nil {
			return err
		}
		for _, one := range approved {
			names = append(names, one.UUID)
		}
		if len(names) == 0 {
			return fault.New(fault.NotFound, "the batch has no approved certificate")
		}
	}
	if err := confirm(c, w, fmt.Sprintf("Revoke %d certificates? This cannot be undone.", len(names))); err != nil {
		return err
	}
	act := s.Revoke
	if c.Bool("notify") {
		act = s.RevokeAndNotify
	}
	var done []client.Certificate
	var failed error
	for _, name := range names {
		one, err := act(c.Context, name, c.String("reason"))
		if fault.Is(err, fault.Invalid) {
			return err // about the reason: the other calls would fail too
		}
		if err != nil {
			printLinef(w, "%s: %v", name, err)
			failed = err
			continue
		}
		done = append(done, one)
	}
	return printPartial(w, f, certificateList(), done, failed)
}
