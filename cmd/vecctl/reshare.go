package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

func reshareCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "reshare", Usage: "give a certificate a new view-and-share link; the old link stops working", ArgsUsage: "UUID|REFERENCE_ID",
		Flags: append(append(homeFlags(), outputFlags()...), yesFlag()),
		Action: func(c *cli.Context) error {
			form, err := formatAndArgs(c, 1, "the certificate's UUID or reference ID")
			if err != nil {
				return err
			}
			return withSession(c, w, func(s *session) error { return runReshare(c, w, s, form) })
		},
	}
}

func runReshare(c *cli.Context, w environment, s *session, f outputFormat) error {
	name := c.Args().First()
	if err := confirm(c, w, fmt.Sprintf("Replace the link of %s? The old link stops working.", name)); err != nil {
		return err
	}
	changed, err := s.Reshare(c.Context, name)
	if err != nil {
		return err
	}
	return printFields(w.stdout, f, changed, [][2]string{
		{"reference_id", changed.ReferenceID}, {"share_url", changed.ShareURL},
	})
}
