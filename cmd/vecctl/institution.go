package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

func institutionCommand(w environment) *cli.Command {
	flags := func(more ...cli.Flag) []cli.Flag { return append(append(homeFlags(), outputFlags()...), more...) }
	return &cli.Command{
		Name: "institution", Usage: "manage the home's institutions, the look of their pages, and applications",
		Subcommands: []*cli.Command{
			{
				Name: "add", Usage: "create an institution with its own signing key", ArgsUsage: "NAME",
				Flags: flags(
					&cli.StringFlag{Name: "time-zone", Usage: "its time `ZONE`, such as Europe/Warsaw (default: that of the current institution)"},
					&cli.StringFlag{Name: "sender", Usage: "`ADDRESS` of the sender of its mails"}),
				Action: listAction(w, 1, "the institution", institutionList(), func(c *cli.Context, s *session) ([]adminclient.Institution, error) {
					made, err := s.AddInstitution(c.Context, adminclient.Settings{
						Institution: c.Args().First(), TimeZone: c.String("time-zone"), Sender: c.String("sender")})
					return []adminclient.Institution{made}, err
				}),
			},
			{
				Name: "list", Usage: "list the institutions", Flags: flags(),
				Action: listAction(w, 0, "", institutionList(), func(c *cli.Context, s *session) ([]adminclient.Institution, error) { return s.Institutions(c.Context) }),
			},
			{
				Name: "set", Usage: "change settings of the current institution", Flags: flags(
					&cli.StringFlag{Name: "logo", Usage: "`FILE` of the logo (PNG or JPEG, at most 256 KB); \"none\" removes the logo"},
					&cli.BoolFlag{Name: "partial-names", Usage: "show only parts of recipients' names on verification pages; --partial-names=false shows full names"},
					&cli.BoolFlag{Name: "shared-addresses", Usage: "let several people have one address, title and issue date: external IDs, or names, tell them apart; --shared-addresses=false refuses that"}),
				Action: func(c *cli.Context) error { return runInstitutionSet(c, w) },
			},
			applyingCommand(w),
			{
				Name: "use", Usage: "select the institution for all further commands", ArgsUsage: "ID|NAME", Flags: flags(),
				Action: listAction(w, 1, "the institution", institutionList(), func(c *cli.Context, s *session) ([]adminclient.Institution, error) {
					used, err := s.UseInstitution(c.Context, c.Args().First())
					return []adminclient.Institution{used}, err
				}),
			},
		},
	}
}

func runInstitutionSet(c *cli.Context, w environment) error {
	var s adminclient.Settings
	if c.IsSet("partial-names") {
		partial := c.Bool("partial-names")
		s.PartialNames = &partial
	}
	if c.IsSet("shared-addresses") {
		shared := c.Bool("shared-addresses")
		s.SharedAddresses = &shared
	}
	switch name := c.String("logo"); {
	case name == "none":
		s.Logo = &[]byte{}
	case c.IsSet("logo"):
		logo, err := readLogo(name)
		if err != nil {
			return err
		}
		s.Logo = &logo
	case s.PartialNames == nil && s.SharedAddresses == nil:
		return usageError("nothing to change; use --logo, --partial-names or --shared-addresses")
	}
	return listAction(w, 0, "", institutionList(), func(c *cli.Context, session *session) ([]adminclient.Institution, error) {
		if _, err := session.Configure(c.Context, s); err != nil {
			return nil, err
		}
		return session.Institutions(c.Context)
	})(c)
}

// readLogo reads a logo file. It reads no more than one byte above the size limit.
func readLogo(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the logo %s cannot be read; check its name and permissions", name))
	}
	defer f.Close()
	logo, err := io.ReadAll(io.LimitReader(f, vault.MaxLogo+1))
	if err == nil && len(logo) == 0 {
		err = fault.Newf(fault.Invalid, "the logo %s is empty", name)
	}
	return logo, err
}

func institutionList() list[adminclient.Institution] {
	return list[adminclient.Institution]{
		headings: []string{"id", "name", "time_zone", "sender", "current"},
		cells: func(i adminclient.Institution) []string {
			current := ""
			if i.Current {
				current = "yes"
			}
			return []string{strconv.FormatUint(uint64(i.ID), 10), i.Name, i.TimeZone, i.Sender, current}
		},
	}
}
