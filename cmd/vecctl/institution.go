package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

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
					&cli.StringFlag{Name: "time-zone", Usage: "its time `ZONE`, such as Europe/Warsaw (default: that of the primary institution)"},
					&cli.StringFlag{Name: "slug", Usage: "its `SLUG` on command lines and in folder names, such as school-of-law (default: made of NAME)"},
					&cli.StringFlag{Name: "sender", Usage: "`ADDRESS` of the sender of its mails"}),
				Action: listAction(w, 1, "the institution", institutionList(), func(c *cli.Context, s *session) ([]adminclient.Institution, error) {
					made, err := s.AddInstitution(c.Context, adminclient.Settings{
						Institution: c.Args().First(), Slug: c.String("slug"), TimeZone: c.String("time-zone"), Sender: c.String("sender")})
					return []adminclient.Institution{made}, err
				}),
			},
			{
				Name: "list", Usage: "list the institutions", Flags: flags(),
				Action: listAction(w, 0, "", institutionList(), func(c *cli.Context, s *session) ([]adminclient.Institution, error) { return s.Institutions(c.Context) }),
			},
			{
				Name: "set", Usage: "change settings of an institution", Flags: flags(
					&cli.StringFlag{Name: "logo", Usage: "`FILE` of the logo (PNG or JPEG, at most 256 KB); \"none\" removes the logo"},
					&cli.BoolFlag{Name: "partial-names", Usage: "show only parts of recipients' names on verification pages; --partial-names=false shows full names"},
					&cli.BoolFlag{Name: "shared-addresses", Usage: "let several people have one address, title and issue date: external IDs, or names, tell them apart; --shared-addresses=false refuses that"}),
				Action: func(c *cli.Context) error { return runInstitutionSet(c, w) },
			},
			applyingCommand(w),
			{
				Name: "use", Usage: "make an institution your own default for this home", ArgsUsage: "SLUG", Flags: flags(),
				Description: "The default is kept with your settings, not in the home: it changes nothing for other people and for the agent.\n" +
					"--institution and VECCTL_INSTITUTION win over it.",
				Action: listAction(w, 1, "the institution", institutionList(), func(c *cli.Context, s *session) ([]adminclient.Institution, error) {
					used, err := useInstitution(c, w, s, c.Args().First())
					return []adminclient.Institution{used}, err
				}),
			},
			institutionAction(w, "primary", "make an institution the one whose look the public pages have, where no certificate says whose they are", flags(), (*adminclient.Client).UseInstitution),
			institutionAction(w, "close", "make an institution read-only: nothing is issued, what was issued stays valid", flags(), (*adminclient.Client).CloseInstitution),
			institutionAction(w, "reopen", "open an institution that was closed", flags(), (*adminclient.Client).ReopenInstitution),
			institutionAction(w, "remove", "remove an institution of which nothing is kept", flags(), (*adminclient.Client).RemoveInstitution),
		},
	}
}

// institutionAction returns a command that changes one institution.
func institutionAction(w environment, name, usage string, flags []cli.Flag, act func(*adminclient.Client, context.Context, string) (adminclient.Institution, error)) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: "SLUG", Flags: flags,
		Action: listAction(w, 1, "the institution", institutionList(), func(c *cli.Context, s *session) ([]adminclient.Institution, error) {
			one, err := act(s.Client, c.Context, c.Args().First())
			return []adminclient.Institution{one}, err
		}),
	}
}

// findInstitution finds one of the home's institutions by its slug, ID or name.
func findInstitution(ctx context.Context, s *session, name string) (adminclient.Institution, error) {
	all, err := s.Institutions(ctx)
	if err != nil {
		return adminclient.Institution{}, err
	}
	for _, same := range []func(adminclient.Institution) bool{
		func(i adminclient.Institution) bool { return strings.EqualFold(i.Slug, name) },
		func(i adminclient.Institution) bool { return strconv.FormatUint(uint64(i.ID), 10) == name },
		func(i adminclient.Institution) bool { return vault.SameName(i.Name, name) },
	} {
		if n := slices.IndexFunc(all, same); n >= 0 {
			return all[n], nil
		}
	}
	return adminclient.Institution{}, fault.Newf(fault.NotFound, "there is no institution %q; see: vecctl institution list", name)
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
		headings: []string{"id", "name", "time_zone", "sender", "current", "slug", "primary", "closed"},
		cells: func(i adminclient.Institution) []string {
			closed := ""
			if i.ClosedAt != nil {
				closed = i.ClosedAt.Format(time.DateOnly)
			}
			return []string{strconv.FormatUint(uint64(i.ID), 10), i.Name, i.TimeZone, i.Sender, yesOrEmpty(i.Current), i.Slug, yesOrEmpty(i.Primary), closed}
		},
	}
}

func yesOrEmpty(is bool) string {
	if is {
		return "yes"
	}
	return ""
}
