package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// applyingCommand returns the command that shows and changes the application policy.
func applyingCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "applying", Usage: "show or change who may apply to an institution, and for what",
		Flags: append(append(homeFlags(), outputFlags()...),
			&cli.StringFlag{Name: "who", Usage: "`WHO` may apply: nobody, accounts (people who are signed in), anyone (after they confirm their e-mail address)"},
			&cli.StringSliceFlag{Name: "title", Usage: "a `TITLE` that people may apply for; may be repeated; replaces the present list"},
			&cli.BoolFlag{Name: "free-title", Usage: "applicants may enter any title; --free-title=false turns this off"},
			&cli.BoolFlag{Name: "evidence-optional", Usage: "applicants may leave out the evidence file; --evidence-optional=false turns this off"}),
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

// currentPolicy returns the application policy of the institution that the command is for.
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
	return adminclient.ApplicationPolicy{}, usageError("this home has several institutions; name one with --institution or VECCTL_INSTITUTION; see: vecctl institution list")
}
