package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

// applyingCommand shows and changes what people may apply for.
func applyingCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "applying", Usage: "what people may apply for at the current institution, and who; without flags it is shown",
		Flags: append(append(homeFlags(), outputFlags()...),
			&cli.StringFlag{Name: "who", Usage: "`WHO` may apply: nobody, accounts (whoever is signed in), anyone (whoever proves an address by a mail)"},
			&cli.StringSliceFlag{Name: "title", Usage: "a `TITLE` that is certified, in place of those until now; may be repeated"},
			&cli.BoolFlag{Name: "free-title", Usage: "applicants may write titles of their own; --free-title=false ends that"},
			&cli.BoolFlag{Name: "evidence-optional", Usage: "applicants need not hand a file in; --evidence-optional=false ends that"}),
		Action: func(c *cli.Context) error { return runApplying(c, w) },
	}
}

func runApplying(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 0, "")
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		now, err := currentPolicy(c, s)
		if err != nil {
			return err
		}
		if slices.ContainsFunc([]string{"who", "title", "free-title", "evidence-optional"}, c.IsSet) {
			if c.IsSet("who") {
				now.Who = c.String("who")
			}
			if c.IsSet("title") {
				now.Titles = c.StringSlice("title")
			}
			if c.IsSet("free-title") {
				now.FreeTitle = c.Bool("free-title")
			}
			if c.IsSet("evidence-optional") {
				now.EvidenceOptional = c.Bool("evidence-optional")
			}
			if _, err := s.Configure(c.Context, adminclient.Settings{ApplicationPolicy: &now}); err != nil {
				return err
			}
			if now, err = currentPolicy(c, s); err != nil {
				return err
			}
		}
		return printFields(w.stdout, form, now, [][2]string{
			{"who", now.Who}, {"titles", strings.Join(now.Titles, "; ")},
			{"free_title", yesOrNo(now.FreeTitle)}, {"evidence_optional", yesOrNo(now.EvidenceOptional)},
		})
	})
}

func yesOrNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// currentPolicy asks what people may apply for at the current institution.
func currentPolicy(c *cli.Context, s *session) (adminclient.ApplicationPolicy, error) {
	all, err := s.Institutions(c.Context)
	if err != nil {
		return adminclient.ApplicationPolicy{}, err
	}
	for _, i := range all {
		if i.Current {
			return i.ApplicationPolicy, nil
		}
	}
	return adminclient.ApplicationPolicy{}, fault.New(fault.NotFound, "no institution is the current one; see: vecctl institution use")
}
