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
		Name: "institution", Usage: "the home's institutions, what their pages look like, and who may apply for what",
		Subcommands: []*cli.Command{
			{
				Name: "add", Usage: "make an institution, with a signing key of its own", ArgsUsage: "NAME",
				Flags: flags(
					&cli.StringFlag{Name: "time-zone", Usage: "its time `ZONE`, such as Europe/Warsaw (default: the current one's)"},
					&cli.StringFlag{Name: "sender", Usage: "`ADDRESS` that its mails come from"}),
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
				Name: "set", Usage: "change how the current institution's pages look", Flags: flags(
					&cli.StringFlag{Name: "logo", Usage: "`FILE` (PNG or JPEG, at most 256 KB) of the logo; none takes it away"},
					&cli.BoolFlag{Name: "partial-names", Usage: "show recipients' names in part on verification pages; --partial-names=false shows them whole"}),
				Action: func(c *cli.Context) error { return runInstitutionSet(c, w) },
			},
			applyingCommand(w),
			{
				Name: "use", Usage: "work for an institution from now on", ArgsUsage: "ID|NAME", Flags: flags(),
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
	switch name := c.String("logo"); {
	case name == "none":
		s.Logo = &[]byte{}
	case c.IsSet("logo"):
		logo, err := readLogo(name)
		if err != nil {
			return err
		}
		s.Logo = &logo
	case s.PartialNames == nil:
		return usageError("nothing to change; give --logo or --partial-names")
	}
	return listAction(w, 0, "", institutionList(), func(c *cli.Context, session *session) ([]adminclient.Institution, error) {
		if _, err := session.Configure(c.Context, s); err != nil {
			return nil, err
		}
		return session.Institutions(c.Context)
	})(c)
}

// readLogo reads a file that may be a logo, and no more of it than one has.
func readLogo(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the logo cannot be read: %s; check its name and rights", name))
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
