package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

func recipientCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "recipient", Usage: "manage recipients' personal data",
		Subcommands: []*cli.Command{{
			Name: "erase", Usage: "delete the personal data and files of all certificates of an address", ArgsUsage: "EMAIL",
			Flags: append(append(homeFlags(), outputFlags()...), yesFlag(),
				&cli.StringFlag{Name: "person", Usage: "`NAME` or external ID of the person, if several people share the address"}),
			Action: func(c *cli.Context) error { return runErase(c, w) },
		}},
	}
}

func runErase(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 1, "the e-mail address")
	if err != nil {
		return err
	}
	email := c.Args().First()
	return withSession(c, w, func(s *session) error {
		whose := email
		if person := c.String("person"); person != "" {
			whose = fmt.Sprintf("%s at %s", person, email)
		}
		question := fmt.Sprintf("Delete all data and documents of %s? This cannot be undone.", whose)
		if err := confirm(c, w, question); err != nil {
			return err
		}
		done, err := s.EraseRecipient(c.Context, email, c.String("person"))
		if err != nil {
			return err
		}
		account := "none"
		if done.Account {
			account = "erased"
		}
		err = printFields(w.stdout, form, done, [][2]string{
			{"certificates", strings.Join(done.Certificates, " ")}, {"mails", strconv.Itoa(done.Mails)},
			{"files", strconv.Itoa(done.Files)}, {"account", account},
		})
		for _, left := range done.Left {
			printLinef(w, "Not deleted, if they exist: %s", left)
		}
		return err
	})
}
