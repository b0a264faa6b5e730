package main

import (
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
)

func institutionCommand(w world) *cli.Command {
	flags := func(more ...cli.Flag) []cli.Flag { return append(append(homeFlags(), outputFlags()...), more...) }
	return &cli.Command{
		Name: "institution", Usage: "more than one institution in a home",
		Subcommands: []*cli.Command{
			{
				Name: "add", Usage: "make an institution, with a signing key of its own", ArgsUsage: "NAME",
				Flags: flags(
					&cli.StringFlag{Name: "time-zone", Usage: "its time `ZONE`, such as Europe/Warsaw (default: the current one's)"},
					&cli.StringFlag{Name: "sender", Usage: "`ADDRESS` that its mails come from"}),
				Action: func(c *cli.Context) error {
					return institutions(c, w, 1, func(s *session) ([]client.Institution, error) {
						made, err := s.AddInstitution(c.Context, client.Settings{
							Institution: c.Args().First(), TimeZone: c.String("time-zone"), Sender: c.String("sender")})
						return []client.Institution{made}, err
					})
				},
			},
			{
				Name: "list", Usage: "list the institutions", Flags: flags(),
				Action: func(c *cli.Context) error {
					return institutions(c, w, 0, func(s *session) ([]client.Institution, error) { return s.Institutions(c.Context) })
				},
			},
			{
				Name: "use", Usage: "work for an institution from now on", ArgsUsage: "ID|NAME", Flags: flags(),
				Action: func(c *cli.Context) error {
					return institutions(c, w, 1, func(s *session) ([]client.Institution, error) {
						used, err := s.UseInstitution(c.Context, c.Args().First())
						return []client.Institution{used}, err
					})
				},
			},
		},
	}
}

// institutions runs a call that answers with institutions, and prints them.
func institutions(c *cli.Context, w world, arguments int, call func(*session) ([]client.Institution, error)) error {
	if err := exactly(c, arguments, "the institution"); err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	return with(c, w, func(s *session) error {
		all, err := call(s)
		if err != nil {
			return err
		}
		return institutionList().print(w.stdout, form, all)
	})
}

func institutionList() list[client.Institution] {
	return list[client.Institution]{
		headings: []string{"id", "name", "time_zone", "sender", "current"},
		cells: func(i client.Institution) []string {
			current := ""
			if i.Current {
				current = "yes"
			}
			return []string{strconv.FormatUint(uint64(i.ID), 10), i.Name, i.TimeZone, i.Sender, current}
		},
	}
}
